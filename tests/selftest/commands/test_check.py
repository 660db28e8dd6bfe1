"""``check`` and ``report`` as a person types them: what they print, where, and the exit codes."""

import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.etree.ElementTree import fromstring

import pytest

from selftest.checks import REGISTRY
from selftest.checks.bench import target_environment
from selftest.cli import main
from selftest.load.measured.results_file import read_results
from selftest.testing.loopback_api import LoopbackApi


def command(*words: str) -> int:
    """Run a command line."""
    return main(words)


@pytest.fixture(name="refusing")
def an_endpoint_that_refuses(loopback_api: LoopbackApi) -> str:
    """Return an endpoint that answers every request 401, as one that runs elsewhere would."""
    loopback_api.answers(b"", status=401, headers={"WWW-Authenticate": "Bearer"})
    return loopback_api.url


def test_the_list_names_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    """--list runs nothing and prints id, level and title."""
    assert command("check", "--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(REGISTRY)


def test_ids_and_prefixes_limit_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    """What would run is what is listed."""
    assert command("check", "--list", "C03", "b8") == 0
    ids = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert ids == ["B80", "B81", "B82", "B83", "B84", "C03"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["X1"], "no check has the id 'X1'"),
        (["--deployed"], "--deployed needs --url"),
        (["--url", "http://127.0.0.1:1", "--token-file", "x"], "--token-file needs --deployed"),
        (["--url", "http://127.0.0.1:1", "--deployed", "--token-file", "missing"], "cannot be read: No such file"),
        (["--url", "http://127.0.0.1:1", "--deployed", "--token-file", __file__], "holds no compact token"),
        (["--url", "http://127.0.0.1:1", "--deployed"], "explain 1003027"),
    ],
)
def test_what_cannot_run_is_exit_2_with_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """Usage, files and an endpoint that does not answer: the reason on stderr, nothing on stdout."""
    assert command("check", *words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("check: ")
    assert captured.out == ""


def test_a_run_that_could_not_be_made_leaves_no_results_of_an_earlier_one(tmp_path: Path, refusing: str) -> None:
    """CI shows what it finds: the JUnit file says why, and no other file is left."""
    page, single, out = tmp_path / "page.html", tmp_path / "single.xml", tmp_path / "out"
    files = ("--html", str(page), "--junit", str(single), "--out", str(out), "--authority-port", "0")
    assert command("check", "T01", "--url", refusing, "--deployed", *files) == 0
    assert command("check", "T01", "--url", "http://127.0.0.1:1", *files) == 2
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"single.xml", "junit.xml", "run.jsonl"}
    for path in (single, out / "junit.xml"):
        root = fromstring(path.read_text("utf-8"))  # noqa: S314 - our own document, just written
        assert (root.get("tests"), root.get("errors")) == ("1", "1")
        error = root.find("testsuite/testcase/error")
        assert error is not None
        assert "could not run: http://127.0.0.1:1/" in (error.get("message") or "")


def test_a_run_that_is_refused_at_once_leaves_none_either(tmp_path: Path) -> None:
    """An id that is no check's; what is a link, as /dev/stdout can be, stays."""
    target, link, single = tmp_path / "target", tmp_path / "link", tmp_path / "single.xml"
    target.write_text("kept", "utf-8")
    link.symlink_to(target)
    single.write_text("old", "utf-8")
    assert command("check", "Q99", "--junit", str(single), "--html", str(link)) == 2
    assert "no check has the id" in single.read_text("utf-8")
    assert (link.is_symlink(), target.read_text("utf-8")) == (True, "kept")


def test_a_deployed_endpoint_is_attacked_without_a_token(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, refusing: str
) -> None:
    """What needs no believed token runs, what does is skipped, and the report can be made again with the same end."""
    assert command("check", "T", "--url", refusing, "--deployed", "--out", str(tmp_path)) == 0
    printed = capsys.readouterr().out
    results = read_results(tmp_path / "results.json")
    statuses = {result.id: result.status for result in results.checks}
    assert (statuses["T30"], statuses["T120"]) == ("pass", "skip")
    assert set(statuses.values()) == {"pass", "skip"}
    assert printed.startswith(
        "PASS  no call with a valid token was made, and an endpoint that refuses everything passes, "
    )
    assert "no valid call to compare with" in (tmp_path / "report.html").read_text("utf-8")
    assert command("report", str(tmp_path / "results.json"), "--out", str(tmp_path)) == 0
    assert capsys.readouterr().out == printed


@pytest.fixture(name="no_endpoint")
def a_web_server_without_an_endpoint(tmp_path: Path) -> Iterator[str]:
    """Return the address of a server of files, which answers GET with 404 and POST with 501."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("chosen", ["C91", "T01", "C28"])
def test_a_server_without_an_endpoint_passes_no_check(
    capsys: pytest.CaptureFixture[str], no_endpoint: str, chosen: str
) -> None:
    """The first line says that no endpoint answers there, and a status for a missing function refuses no attack."""
    assert command("check", chosen, "--url", no_endpoint, "--deployed") == 1
    printed = capsys.readouterr().out
    missing = "no endpoint answers POST at this path"
    assert printed.startswith(f"FAIL  {missing}: 1 sign-in check failed, 0 checks passed, 1 skipped")
    assert f"skip  {chosen}: {missing} (C01), so that nothing else was run" in printed
    assert "--token-file" in printed
    assert "answer Server: SimpleHTTP/" in printed
    assert "Unsupported method" in printed
    assert "ok    " not in printed


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 0), (401, 0), (403, 0), (500, 0), (302, 3), (502, 3), (503, 3), (404, 1), (405, 1), (410, 1), (501, 1)],
)
def test_a_status_that_any_caller_gets_refuses_no_attack(
    capsys: pytest.CaptureFixture[str],
    loopback_api: LoopbackApi,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    code: int,
) -> None:
    """A refusal of a foreign endpoint may have its own status; a gateway's answer for the endpoint proves nothing."""
    monkeypatch.setattr(target_environment, "_READY_TIMEOUT_S", 0.0)
    loopback_api.answers(b"", status=status)
    assert command("check", "T01", "--url", loopback_api.url, "--deployed") == code
    printed = capsys.readouterr().out
    assert ("ok    T01" in printed) is (code == 0)
    assert printed.count("answer Server: ") == 1


def test_a_run_without_a_pass_is_no_pass(capsys: pytest.CaptureFixture[str], refusing: str) -> None:
    """A failure of a level that does not count is shown, and it is no evidence for the endpoint either."""
    assert command("check", "C91", "--url", refusing, "--deployed") == 3
    assert capsys.readouterr().out.startswith(
        "INCONCLUSIVE  1 convention check failed, 0 checks passed; nothing passed"
    )


def test_a_run_that_proves_nothing_is_exit_3(capsys: pytest.CaptureFixture[str], refusing: str) -> None:
    """Checks that all need a token that nobody has show nothing."""
    assert command("check", "B4", "--url", refusing, "--deployed", "--json", "-") == 3
    document = json.loads(capsys.readouterr().out)
    assert {result["status"] for result in document["checks"]} == {"skip"}
    assert document["verdict"]["outcome"] == "no-evidence"


def test_a_refused_good_call_is_the_whole_result(capsys: pytest.CaptureFixture[str], refusing: str) -> None:
    """It is one failure with its reason, whatever was asked for; everything else follows from it and is not played."""
    assert command("check", "B4", "L", "--url", refusing, "--authority-port", "0", "--json", "-") == 1
    document = json.loads(capsys.readouterr().out)
    assert [result["id"] for result in document["checks"] if result["status"] == "fail"] == ["C01"]
    rest = [result for result in document["checks"] if result["id"] != "C01"]
    assert {(result["status"], result["cause"]) for result in rest} == {("skip", "C01")}
    assert {result["id"][0] for result in rest} == {"B", "L"}
    assert document["load"] is None


def test_checks_that_read_a_refusal_skip_for_one_reason(
    capsys: pytest.CaptureFixture[str], loopback_api: LoopbackApi
) -> None:
    """It says what was answered instead, and that this is a finding of other checks."""
    loopback_api.answers({})
    assert command("check", "C43", "C44", "C51", "--url", loopback_api.url, "--deployed") == 3
    reason = "a request that should be refused was answered 200, which other checks report; there is no refusal to read"
    assert f"skip  C (all 3): {reason}" in capsys.readouterr().out


def test_a_failure_that_counts_is_exit_1(capsys: pytest.CaptureFixture[str], refusing: str) -> None:
    """The first line says so, and the failure a line that repeats it."""
    assert command("check", "C01", "--url", refusing, "--authority-port", "0", "--verbose") == 1
    printed = capsys.readouterr().out
    assert printed.startswith("FAIL  1 sign-in check failed, 0 checks passed")
    assert "asked neither for metadata nor for keys" in " ".join(printed.split())
    assert "Bearer $TOKEN" in printed
    assert "eyJ" not in printed


def test_an_interrupted_run_keeps_what_it_found(
    capsys: pytest.CaptureFixture[str], refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends the run with 130 and a report of the checks that were done."""

    def interrupt(_: object, name: str) -> None:
        if name == "T02":
            raise KeyboardInterrupt

    monkeypatch.setattr("selftest.report.progress.Progress.step", interrupt)
    assert command("check", "T", "--url", refusing, "--deployed", "--json", "-") == 130
    document = json.loads(capsys.readouterr().out)
    done = [result["id"] for result in document["checks"] if result["status"] == "pass"]
    assert done == ["T01", "T02"]
    assert document["verdict"]["outcome"] == "interrupted"


def test_the_verdict_comes_first(capsys: pytest.CaptureFixture[str], refusing: str) -> None:
    """Nothing is printed before it; what cannot be seen from outside is a skip with its reason and what to type."""
    assert command("check", "C95", "C97", "F11", "T01", "--url", refusing, "--deployed") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith(
        "PASS  no call with a valid token was made, and an endpoint that refuses everything passes, too (--token-file "
        "FILE): 0 of 1 token attacks (level security; --strict counts every level) were let in, 1 check passed"
    )
    assert "skip  F11: " in printed.out
    assert "check --app DIR`, without --url" in printed.out


def test_a_waived_failure_does_not_count(capsys: pytest.CaptureFixture[str], tmp_path: Path, refusing: str) -> None:
    """Its reason is in the report; a waiver that ended counts for nothing."""
    file = tmp_path / "waivers.toml"
    words = ("check", "C01", "T01", "--url", refusing, "--authority-port", "0", "--waivers", str(file))
    file.write_text('[[waiver]]\ncheck = "C01"\nreason = "ticket 4711"\nuntil = 9999-12-31\n')
    assert command(*words) == 3
    assert "waived  C01: ticket 4711 (until 9999-12-31)" in capsys.readouterr().out
    file.write_text('[[waiver]]\ncheck = "C01"\nreason = "ticket 4711"\nuntil = 2001-01-01\n')
    assert command(*words) == 1
    assert "its waiver ended on 2001-01-01: ticket 4711" in " ".join(capsys.readouterr().out.split())


def test_a_report_of_something_else_is_exit_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file that holds no results is named with its fault."""
    path = tmp_path / "x.json"
    path.write_text("{}")
    assert command("report", str(path)) == 2
    assert "is a required property" in capsys.readouterr().err
