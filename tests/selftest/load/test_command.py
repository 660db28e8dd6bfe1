"""The command ``load``: output, files and exit codes."""

import asyncio
import itertools
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from selftest.checks.bench import target_environment
from selftest.cli import main
from selftest.commands import check
from selftest.load.measured import validity
from selftest.load.measured.raw_file import RawFile
from selftest.load.measured.results_file import read_results
from selftest.load.plan import arguments
from selftest.load.plan.profiles import steady
from tests.checkout import ROOT
from tests.selftest.load.endpoint import GOOD_BODY, broken, good, good_with_version_1, serving

QUICK = ("--rate", "250", "--duration", "2s", "--warmup", "200ms", "--authority-port", "0")


def command(*words: str) -> int:
    """Run a command line."""
    return main(words)


@pytest.fixture(autouse=True)
def a_patient_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the generator's lateness, because endpoint and generator share a process and a busy machine."""
    monkeypatch.setattr(validity, "MAX_LATENESS_P99_MS", 60_000.0)
    monkeypatch.setattr(validity, "MIN_RATE_SHARE", 0.0)
    monkeypatch.setattr(target_environment, "_READY_TIMEOUT_S", 0.0)


def test_a_good_endpoint_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit code 0; the first line has the bound; the report is the same from either file."""
    with serving(good) as url:
        assert command("load", "--url", url, *QUICK, "--out", str(tmp_path)) == 0
    printed, said = capsys.readouterr()
    assert "an external tenant sends at most 50 calls a second" in said
    first = printed.splitlines()[0]
    assert first.startswith(
        "PASS  3 checks passed, 1 skipped; "
        "0 of 500 calls under load failed or took over 2,000 ms at the first attempt; with 99 % confidence"
    )
    assert "the measurement is valid" in printed
    assert "provider" in printed
    results = read_results(tmp_path / "results.json")
    assert read_results(tmp_path / "run.jsonl") == results
    for name in ("run.jsonl", "results.json"):
        assert command("report", str(tmp_path / name)) == 0
        again = capsys.readouterr().out.splitlines()
        assert again == [line for line in printed.splitlines() if not line.startswith("report  ")]
    assert "eyJ" not in (tmp_path / "run.jsonl").read_text()


def test_a_broken_endpoint_fails_and_is_not_inconclusive(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Every call refused, however few they are: exit code 1, with the code that Entra would log."""
    flags = ("--rate", "50", "--duration", "1s", "--warmup", "0", "--authority-port", "0", "--out", str(tmp_path))
    with serving(broken) as url:
        assert command("load", "--url", url, *flags) == 1
    printed, said = capsys.readouterr()
    assert "external tenant" not in said
    assert printed.splitlines()[0].startswith("FAIL  2 sign-in checks failed, 0 checks passed")
    words = " ".join(printed.split())
    assert "50 of 50 lost (calls that failed or were late, 1003002 CustomExtensionInvalidHTTPStatus: 50)" in words
    assert "fewer than" not in printed


def test_too_few_calls_prove_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit code 3, and how many more are needed."""
    flags = ("--rate", "100", "--duration", "1s", "--warmup", "0", "--authority-port", "0", "--out", str(tmp_path))
    with serving(good) as url:
        assert command("load", "--url", url, *flags) == 3
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("INCONCLUSIVE")
    assert "needs 359 more calls, all in time" in first


def test_dropped_calls_make_the_run_invalid(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit code 3 and no verdict on the endpoint."""

    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.3)
        return await good(request)

    with serving(slow) as url:
        assert command("load", "--url", url, *QUICK, "--max-in-flight", "5", "--out", str(tmp_path)) == 3
    printed = capsys.readouterr().out
    assert "raise --max-in-flight" in printed.splitlines()[0]
    assert "the measurement is NOT valid" in printed
    counts = json.loads((tmp_path / "results.json").read_text())["load"]["counts"]
    assert counts["dropped"] > 0
    assert counts["signins"] == 500


def test_a_late_generator_gives_no_verdict(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, also for a valid endpoint."""
    monkeypatch.setattr(validity, "MAX_LATENESS_P99_MS", 0.0)
    with serving(good) as url:
        assert command("load", "--url", url, *QUICK, "--out", str(tmp_path)) == 3
    assert "lower --rate, or use a quieter machine" in capsys.readouterr().out.splitlines()[0]


def test_late_answers_fail_unless_the_retry_is_in_time(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Every first call late: L01 fails; the retries save every sign-in: L02 holds."""
    seen: set[str] = set()

    async def joins(request: web.Request) -> web.Response:
        event = await request.json()
        correlation_id = event["data"]["authenticationContext"]["correlationId"]
        if correlation_id not in seen:
            seen.add(correlation_id)
            await asyncio.sleep(0.6)
        return web.Response(body=GOOD_BODY, content_type="application/json")

    flags = ("--budget-ms", "300", "--rate", "40", "--duration", "1s", "--warmup", "0", "--authority-port", "0")
    with serving(joins) as url:
        assert command("load", "--url", url, *flags, "--out", str(tmp_path)) == 1
    statuses = {check.id: check.status for check in read_results(tmp_path / "results.json").checks}
    assert (statuses["L01"], statuses["L02"]) == ("fail", "pass")
    assert "retried 40" in capsys.readouterr().out


def _brief(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Make the short load shorter."""
    plan = replace(arguments.short_plan(cold_starts=0), segments=steady(500.0, seconds))
    config = replace(plan.config, rate_per_s=500.0, duration_s=seconds, warmup_s=0.0)
    monkeypatch.setattr(check, "short_plan", lambda **_: replace(plan, config=config))


@pytest.mark.quiet
def test_check_plays_a_short_load_for_its_load_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`check L` needs no other command; with an endpoint elsewhere no worker is started cold."""
    _brief(monkeypatch, 1.5)
    with serving(good) as url:
        assert command("check", "L", "--url", url, "--authority-port", "0", "--out", str(tmp_path)) == 0
    results = read_results(tmp_path / "run.jsonl")
    assert {check.id for check in results.checks if check.status == "pass"} == {"L01", "L02", "L03"}
    assert results.load is not None
    assert results.load.counts.signins == 750


def test_a_short_load_whose_generator_was_late_is_played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most three times, because the machine may be busy for a moment."""
    monkeypatch.setattr(validity, "MAX_LATENESS_P99_MS", -1.0)
    _brief(monkeypatch, 0.2)
    with serving(good) as url:
        assert command("check", "L", "--url", url, "--authority-port", "0", "--out", str(tmp_path)) == 3
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert (kinds.count("load"), kinds.count("call")) == (3, 300)


def test_check_asks_before_it_loads_or_breaks_what_is_not_here(capsys: pytest.CaptureFixture[str]) -> None:
    """Load and faults that are selected by id need consent for another host."""
    for words in (("L",), ("L01",), ("F",)):
        assert command("check", *words, "--url", "http://claims.example") == 2
        assert "needs --yes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rate", "9999"), "more than 5000/s"),
        (("--url", "http://claims.example", "--rate", "51"), "needs --yes"),
        (("--deployed",), "--deployed needs --url"),
        (("--url", "http://127.0.0.1:1", "--deployed"), "--deployed needs --token-file"),
        (("--url", "http://127.0.0.1:1", "--deployed", "--token-file", __file__), "holds no compact token"),
        (("--setting", "Claims__Provider=none", "--cold", "0"), "did not start"),
    ],
)
def test_what_cannot_run_is_exit_2_and_leaves_no_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    """One sentence on stderr, nothing on stdout, and no files."""
    assert command("load", *words, "--out", str(tmp_path / "kept")) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("load: ")
    assert captured.out == ""
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "HTTP 401, and the endpoint asked neither for metadata nor for keys"),
        (404, "HTTP 404: no endpoint answers POST at this path"),
    ],
)
def test_an_endpoint_that_refuses_every_call_is_not_loaded(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, status: int, says: str
) -> None:
    """The report has the reason that `check` gives, and ten seconds of refusals would add nothing to it."""

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status)

    with serving(refuse) as url:
        assert command("load", "--url", url, *QUICK, "--out", str(tmp_path)) == 1
    printed, said = capsys.readouterr()
    assert "no load was sent" in said
    assert "1 sign-in check failed" in printed.splitlines()[0]
    assert says in " ".join(printed.split())
    results = read_results(tmp_path / "results.json")
    assert ([check.id for check in results.checks], results.load) == (["C01"], None)


def test_an_endpoint_of_version_1_is_loaded_with_such_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One version of the token suffices, under load, in each kind of sign-in and in `signin`, too."""
    _brief(monkeypatch, 0.2)
    monkeypatch.setattr("selftest.commands.signin._TAKE_UP_S", 0.0)
    with serving(good_with_version_1) as url:
        where = ("--url", url, "--authority-port", "0")
        assert command("load", "--url", url, *QUICK, "--out", str(tmp_path / "load")) == 0
        command("check", "L", *where, "--out", str(tmp_path / "check"))
        assert command("signin", *where) == 0
    for name in ("load", "check"):
        load = read_results(tmp_path / name / "results.json").load
        assert load is not None
        assert load.counts.lost == 0


def test_an_endpoint_that_fails_once_is_loaded(tmp_path: Path) -> None:
    """A single failure says nothing about the calls under load."""
    calls = itertools.count()

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500) if next(calls) < 4 else await good(request)

    with serving(answer) as url:
        assert command("load", "--url", url, *QUICK, "--out", str(tmp_path)) == 0
    assert read_results(tmp_path / "results.json").load is not None


def test_a_dead_endpoint_still_has_a_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit code 1, every form of the report, and causes that are not slowness."""
    flags = ("--rate", "50", "--duration", "1s", "--warmup", "0", "--authority-port", "0", "--threshold", "p95<300")
    assert command("load", "--url", "http://127.0.0.1:1/api", *flags, "--out", str(tmp_path)) == 1
    captured = capsys.readouterr()
    assert "the load runs all the same" in captured.err
    assert "threshold p95<300 crossed: no value" in captured.out.splitlines()[0]
    assert (
        "50 of 50 calls under load (100 %) failed or took over 2,000 ms at the first attempt; "
        "with 99 % confidence, at least 91.20 % of calls fail or are late" in (" ".join(captured.out.split()))
    )
    assert "1003027" in captured.out
    assert "not slowness" in captured.out
    assert read_results(tmp_path / "results.json") == read_results(tmp_path / "run.jsonl")
    assert "1003027" in (tmp_path / "report.html").read_text()
    assert "1003027" in (tmp_path / "junit.xml").read_text()


@pytest.mark.parametrize(("expressions", "code"), [(["p99<2s", "errors<=0"], 0), (["p50<0.0001"], 1)])
def test_a_threshold_of_ones_own_decides_the_exit_code(tmp_path: Path, expressions: list[str], code: int) -> None:
    """0 where it holds, 1 where it is crossed, whatever else holds; the raw file has the same verdict."""
    words = [word for expression in expressions for word in ("--threshold", expression)]
    with serving(good) as url:
        assert command("load", "--url", url, *QUICK, *words, "--out", str(tmp_path)) == code
    results = read_results(tmp_path / "run.jsonl")
    assert results.verdict.exit_code == code
    assert results.load is not None
    assert [each.held for each in results.load.thresholds] == [not code] * len(expressions)


def test_a_folder_in_use_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The file of the run that is under way stays as it is."""
    first = RawFile(tmp_path / "run.jsonl")
    with serving(good) as url:
        assert command("load", "--url", url, *QUICK, "--out", str(tmp_path)) == 2
    assert "another run is writing to" in capsys.readouterr().err
    first.close()
    assert [path.name for path in tmp_path.iterdir()] == ["run.jsonl"]


def test_a_deployed_endpoint_is_sent_its_token(tmp_path: Path) -> None:
    """Only the token of the file is sent."""
    tokens: set[str] = set()

    async def notes(request: web.Request) -> web.Response:
        tokens.add(request.headers["Authorization"])
        return await good(request)

    (tmp_path / "token").write_text("aa.bb.cc\n")
    with serving(notes) as url:
        flags = ("--deployed", "--token-file", str(tmp_path / "token"), "--out", str(tmp_path / "out"))
        assert command("load", "--url", url, *QUICK, *flags) == 0
    assert tokens == {"Bearer aa.bb.cc"}


def test_ctrl_c_keeps_what_was_found(tmp_path: Path) -> None:
    """Exit code 130, a report of the ended calls, and a raw file that is marked as interrupted."""
    raw = tmp_path / "run.jsonl"
    with serving(good) as url:
        words = ("load", "--url", url, "--rate", "100", "--duration", "60s", "--warmup", "0", "--authority-port", "0")
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "selftest", *words, "--out", str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            give_up_s = time.monotonic() + 30
            while not (raw.exists() and raw.stat().st_size > 2000):
                assert time.monotonic() < give_up_s, "no call was written down"
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert out.splitlines()[0].startswith("INTERRUPTED")
    results = read_results(raw)
    assert results.verdict.outcome == "interrupted"
    assert results.load is not None
    assert results.load.counts.minted > 0
    # The process beside us judged its generator by the real limits.
    stored = read_results(tmp_path / "results.json").load
    assert stored is not None
    assert replace(results.load, faults=()) == replace(stored, faults=())
