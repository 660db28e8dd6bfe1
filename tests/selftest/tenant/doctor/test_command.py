"""The command whole: sources, forms of output, exit codes, and where in a sign-in the evidence points to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selftest.cli import main
from selftest.load.measured.results_file import read_results
from selftest.testing.loop_thread import LoopThread
from tests.checkout import ROOT
from tests.emulated_graph.faults import refused
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.doctor.doctor_input import API, APP, OTHER, TENANT, DoctorInput


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    """Return the emulated Graph of a healthy tenant, in a thread of its own: a command has a loop of its own."""
    server, loop = GraphServer(), LoopThread()
    loop.run(server.__aenter__())
    yield server
    loop.run(server.__aexit__(None, None, None))
    loop.close()


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty directory, without settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("AuthenticationEvents__AuthorityUrl", "AuthenticationEvents__AudienceAppId"):
        monkeypatch.delenv(name, raising=False)


def written(subject: DoctorInput) -> list[str]:
    """Write the tenant and the settings, and give the flags that read them."""
    Path("tenant.json").write_text(json.dumps(subject.tenant))
    Path("settings.json").write_text(json.dumps(subject.env))
    return ["doctor", "--file", "tenant.json", "--settings", "settings.json", *subject.flags]


def wrong_host() -> DoctorInput:
    """Give a tenant with one fault."""
    subject = DoctorInput()
    subject.extension["endpointConfiguration"]["targetUrl"] = "https://other.example/api/x"
    return subject


def test_verdict_and_finding_lead(capsys: pytest.CaptureFixture[str]) -> None:
    """The first line is the verdict; what is wrong comes before what was skipped; the fix is a place and a command."""
    assert main(written(wrong_host())) == 1
    out = capsys.readouterr().out
    lines = out.splitlines()

    assert out.index("FAIL  D23") < out.index("skip  ")
    assert "expected api://other.example/" in out
    assert "az rest --method PATCH" in out
    assert "python -m selftest explain D23 1003015" in out
    assert lines[0] == "FAIL  1 finding: 1003015 CustomExtensionDomainNameDoesNotMatch (D23)"
    assert "code 1003015 with 0 attempts: Entra refuses before it calls the endpoint  (D23)" in out
    assert "next: apply the fix above and run doctor again" in out
    assert "more: python -m selftest explain D23" in out
    assert "extension                       8 of 10 passed, 1 failed, 1 skipped" in out


def test_healthy_tenant_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """The first line counts; with -v every statement has a line."""
    assert main([*written(DoctorInput()), "-v"]) == 0
    out = capsys.readouterr().out

    assert out.splitlines()[0].startswith("PASS  ")
    assert "ok    D23  the target URL and the resource id have the same host" in out
    assert "you will see" not in out
    assert " hold" not in out


def test_json_is_the_interface(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints the findings with their members."""
    assert main([*written(wrong_host()), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)

    (finding,) = document["findings"]
    assert set(finding) == {"check", "code", "title", "expected", "actual", "fix"}
    assert (finding["check"], finding["code"]) == ("D23", 1003015)
    assert document["verdict"] == {
        "outcome": "FAIL",
        "exit_code": 1,
        "sentence": "FAIL  1 finding: 1003015 CustomExtensionDomainNameDoesNotMatch (D23)",
    }
    assert document["hints"] == []
    assert {entry["check"] for entry in document["skipped"]} >= {"D25", "D80"}
    assert document["shows"][0]["checks"] == ["D23"]


def test_files_are_those_of_every_report(capsys: pytest.CaptureFixture[str]) -> None:
    """The results file fits the schema, JUnit has the failure, and `report` reads the file."""
    assert main([*written(wrong_host()), "--out", "out", "--junit", "j.xml", "--json", "f.json"]) == 1
    results = read_results(Path("out/results.json"))

    assert [check.id for check in results.checks if check.status == "fail"] == ["D23"]
    assert results.verdict.exit_code == 1
    assert '<testcase classname="selftest.sign-in.D" name="D23 ' in Path("j.xml").read_text()
    assert json.loads(Path("f.json").read_text())["findings"]
    assert "FAIL  D23" in Path("out/report.txt").read_text()
    capsys.readouterr()
    assert main(["report", "out/results.json"]) == 1
    assert "D23" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "nothing to examine"),
        (["--export", "x.json"], "--export"),
        (["--file", "tenant.json", "--tenant", TENANT], "two sources"),
        (["--credential", "azure-cli"], "tenant is not known"),
        (["--tenant", TENANT, "--graph-url", "http://graph.example"], "https://"),
        (["--tenant", TENANT, "--graph-url", "nonsense"], "--graph-url"),
        (["--tenant", TENANT, "--credential", "client-secret"], "AZURE_CLIENT_SECRET"),
        (["--settings", "absent.json"], "absent.json cannot be read"),
        (["--azd-env", "absent"], "cannot be read"),
        (["--file", "tenant.json", "--easyauth", "absent.json"], "absent.json cannot be read"),
        (["--file", "tenant.json", "--out", "tenant.json/x"], "cannot be written"),
        (["--file", "tenant.json", "--export", "no/such/place.json"], "cannot be written"),
    ],
)
def test_what_cannot_run_says_so(
    flags: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, one line on stderr."""
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    written(DoctorInput())

    assert main(["doctor", *flags]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert len(err.splitlines()) == 1


def test_probe_needs_one_extension(capsys: pytest.CaptureFixture[str]) -> None:
    """With none or several, nobody knows whom to call."""
    subject = DoctorInput(flags=["--probe", "--extension", OTHER])

    assert main(written(subject)) == 2
    assert "--probe needs one extension" in capsys.readouterr().err


def test_settings_alone_prove_too_little(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a tenant the settings are tried, and the verdict is no PASS."""
    written(DoctorInput())

    assert main(["doctor", "--settings", "settings.json"]) == 3
    out = capsys.readouterr().out
    assert "the tenant was not read" in out
    assert out.splitlines()[0].startswith("INCONCLUSIVE  ")


def test_list_of_a_file_that_is_missing_proves_too_little(capsys: pytest.CaptureFixture[str]) -> None:
    """What was asked for and is not there is a skip with a reason, and no PASS."""
    subject = DoctorInput()
    del subject.tenant["servicePrincipals"]

    assert main(written(subject)) == 3
    out = capsys.readouterr().out
    assert "not read   servicePrincipals: the file has no such list; skipped: D30 D31" in out


def test_list_names_every_statement(capsys: pytest.CaptureFixture[str]) -> None:
    """`--list` looks at nothing."""
    assert main(["doctor", "--list"]) == 0
    assert "D23   sign-in    the target URL and the resource id have the same host" in capsys.readouterr().out


def test_live_through_the_emulated_graph(graph: GraphServer, capsys: pytest.CaptureFixture[str]) -> None:
    """A healthy tenant passes, live and from what was exported; nothing is written to it."""
    written(DoctorInput())
    live = ["doctor", "--settings", "settings.json", "--tenant", TENANT, "--graph-url", graph.url]

    assert main([*live, "--export", "export.json"]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("PASS  ")
    assert main(["doctor", "--settings", "settings.json", "--file", "export.json"]) == 0
    assert graph.writes == []


def test_settings_name_the_tenant(graph: GraphServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --tenant it is that of the settings; another one than Graph's is an error."""
    written(DoctorInput())
    assert main(["doctor", "--settings", "settings.json", "--graph-url", graph.url]) == 0
    capsys.readouterr()

    assert main(["doctor", "--tenant", OTHER, "--graph-url", graph.url]) == 2
    assert f"tenant {TENANT}, not {OTHER}" in capsys.readouterr().err


def test_unreachable_graph(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens: an error that says so, after a few attempts."""
    assert main(["doctor", "--tenant", TENANT, "--graph-url", "http://127.0.0.1:9"]) == 2
    assert capsys.readouterr().err.startswith("doctor: ")


def test_graph_that_takes_no_token(graph: GraphServer, capsys: pytest.CaptureFixture[str]) -> None:
    """401 is an error that says to sign in."""
    graph.faults.add(refused(401, "InvalidAuthenticationToken", count=None))

    assert main(["doctor", "--tenant", TENANT, "--graph-url", graph.url]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1


BRANCHES: list[tuple[Any, str, str]] = [
    (
        lambda it: it.tenant.update(authenticationEventListeners=[]),
        "no Authentication Events entry",
        "explain D45",
    ),
    (lambda it: it.remove_principal(API), "0 attempts", "explain D3"),
    (lambda it: it.env.update({"AuthenticationEvents__AudienceAppId": APP}), "with 1 attempt or more", "explain D03"),
    (
        lambda it: it.app(APP)["api"].update(acceptMappedClaims=None),
        "code AADSTS50146 at the application",
        "explain D6",
    ),
    (lambda it: it.principal(APP).update(claimsMappingPolicies=[]), "without the claims", "explain D70"),
]


@pytest.mark.parametrize(("plant", "shows", "command"), BRANCHES)
def test_summary_follows_the_sign_in_log(
    plant: Any, shows: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The evidence points to one branch of Microsoft's order of looking, with the next command."""
    subject = DoctorInput()
    plant(subject)
    assert main([*written(subject), "--json"]) == 1
    (branch,) = json.loads(capsys.readouterr().out)["shows"]

    assert shows in branch["shows"]
    assert branch["next"].startswith(f"python -m selftest {command}")


def test_tenant_by_its_domain(graph: GraphServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Graph's answer has the id; the tenant of another domain is not examined."""
    assert main(["doctor", "--tenant", "Sample.Example", "--graph-url", graph.url]) == 0
    assert f"tenant     {TENANT}  (" in capsys.readouterr().out
    assert main(["doctor", "--tenant", "contoso.onmicrosoft.com", "--graph-url", graph.url]) == 2
    assert "has no domain contoso.onmicrosoft.com" in capsys.readouterr().err


def test_app_that_does_not_start_has_both_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """A status that Entra refuses, or no answer: which one depends on the worker."""
    subject = DoctorInput(flags=["--app-dir", str(ROOT)])
    subject.env["Claims__BudgetMs"] = "90"
    assert main(written(subject)) == 1
    out = capsys.readouterr().out

    assert "1003002 CustomExtensionInvalidHTTPStatus or 1003005 CustomExtensionTimedOut (D01)" in out.splitlines()[0]
    assert "code 1003002 or code 1003005 with 1 attempt or more" in out
    assert "for apps on Python up to 3.12, it answers 404" in out
