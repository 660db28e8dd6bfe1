"""``python -m infra.preflight``: a deployment's own values, judged before anything is made."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from infra import preflight
from infra.parameters import read_environment, read_parameters, resolve
from infra.preflight import main
from tests.infra.checkout import ROOT

TENANT = "11111111-1111-4111-8111-111111111111"
APP = "22222222-2222-4222-8222-222222222222"
HOST = "func-claims-abc.azurewebsites.net"
PARAMETERS = ["--parameters", str(ROOT / "infra/main.parameters.json")]
GOOD = {
    "AZURE_ENV_NAME": "claims-test",
    "AZURE_LOCATION": "westeurope",
    "AuthenticationEvents__AuthorityUrl": f"https://login.microsoftonline.com/{TENANT}",
    "ENTRA_API_APP_ID": APP,
    "ALERT_EMAIL": "people@contoso.example",
}


@pytest.mark.parametrize("content", ["", "[]", "{", '"text"', "null", '{"parameters": {"plan": 1}}', None])
def test_what_cannot_be_read_is_two(content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence names the file."""
    path = tmp_path / "wrong.json"
    if content is not None:
        path.write_text(content)
    assert main(["--parameters", str(path)], GOOD) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("preflight: ")
    assert "wrong.json" in printed


def test_a_file_that_does_not_fit_main_bicep_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the values are looked at: azd would ask for the one and ignore the other."""
    document = json.loads((ROOT / "infra/main.parameters.json").read_text())
    document["parameters"]["alertMail"] = document["parameters"].pop("location")
    path = tmp_path / "main.parameters.json"
    path.write_text(json.dumps(document))
    assert main(["--parameters", str(path)], {}) == 1
    assert capsys.readouterr().out.splitlines() == [
        "main.parameters.json: main.bicep has no parameter alertMail",
        "main.parameters.json: the parameter location has no default and is not given",
    ]


def test_it_needs_the_standard_library_only() -> None:
    """Azd's hook may run it before anything is installed."""
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from infra.preflight import main; sys.exit(main([]))"
    run = [sys.executable, "-I", "-S", "-c", script]
    done = subprocess.run(run, env=GOOD, capture_output=True, text=True, check=False)  # noqa: S603 (our own code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "preflight: no errors\n", "")


def _refused(changes: dict[str, str], capsys: pytest.CaptureFixture[str], *flags: str) -> list[str]:
    code = main([*PARAMETERS, *flags], GOOD | changes)
    lines = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("azd environment 'claims-test': ")
    ]
    assert code == (1 if lines else 0)
    return lines


def test_a_good_deployment_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    """The least that has to be set is enough."""
    assert _refused({}, capsys) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"AuthenticationEvents__AuthorityUrl": f"http://login.microsoftonline.com/{TENANT}"}, "must be https"),
        (
            {
                "AuthenticationEvents__AuthorityUrl": "https://login.microsoftonline.com/common",
                "Claims__TenantId": TENANT,
            },
            "one tenant",
        ),
        ({"AuthenticationEvents__AuthorityUrl": ""}, "type: azd env set AuthenticationEvents__AuthorityUrl https://"),
        ({"ENTRA_API_APP_ID": "not-a-guid"}, "36 characters"),
        ({"ENTRA_API_APP_ID": "zzzzzzzz-2222-4222-8222-222222222222"}, "GUID"),
        ({"Claims__TenantId": APP}, "names the tenant"),
        ({"Claims__BudgetMs": "2500"}, "Claims__BudgetMs"),
        ({"LATENCY_THRESHOLD_MS": "soon"}, "whole number"),
        ({"Claims__OnFailure": "ignore"}, "Claims__OnFailure"),
        ({"Claims__Provider": "nowhere"}, "claims/providers/nowhere.py"),
        (
            {"Claims__Provider": "table", "Claims__Table__Url": "https://x.table.core.windows.net"},
            "Claims__Table__Name is required",
        ),
        ({"Claims__Credential": "azure-cli"}, "managed-identity"),
        ({"Claims__AdditionalCallerAppIds": APP}, "refused in Azure"),
        ({"Claims__ApplicationIdUri": f"api://{HOST}/{TENANT}"}, "must end in the API's client id"),
        (
            {"Claims__ApplicationIdUri": f"api://elsewhere.example/{APP}", "ENDPOINT_HOST": HOST},
            "must name the endpoint's host",
        ),
        ({"HOSTING_PLAN": "premium"}, "Flex Consumption only"),
        ({"PUBLIC_HOST": "https://claims.contoso.example"}, "host name alone"),
        ({"AZURE_LOCATION": "moon"}, "must be one of australiaeast"),
        ({"Claims__Credential": ""}, "set and empty"),
        ({"PROVIDER_SETTINGS": ""}, "delete its line in .azure/<environment>/.env"),
        ({"PROVIDER_SETTINGS": '{"Claims__Own__Limit": 3}'}, "text as the value of Claims__Own__Limit"),
        ({"ALERT_EMAIL": 'a"b@contoso.example'}, "quotation mark"),
        ({"Claims__Table__Name": "CORP\\team"}, "(Claims__Table__Name) must have no quotation mark, backslash"),
        ({"ZONE_REDUNDANT": "maybe"}, "true or false"),
        ({"ZONE_REDUNDANT": "yes"}, "true or false"),
        ({"PROVIDER_SETTINGS": "{"}, "must be JSON"),
        ({"PROVIDER_SETTINGS": "[]"}, "must be of type object"),
        (
            {
                "Claims__Credential": "client-secret",
                "DOWNSTREAM_TENANT_ID": TENANT,
                "DOWNSTREAM_CLIENT_SECRET_URI": "https://vault-of-mine.vault.azure.net/secrets/app",
            },
            "type: azd env set DOWNSTREAM_CLIENT_ID <value>",
        ),
        ({"MAXIMUM_INSTANCE_COUNT": "10"}, "40 to 1000"),
        ({"SHARED_CACHE": "true"}, "type: azd env set PACKAGE_EXTRA shared-cache"),
        ({"Claims__SharedCache": f"rediss://{HOST}:10000", "PACKAGE_EXTRA": "telemetry"}, "Redis' client"),
        ({"Claims__BudgetMS": "900"}, "it must be Claims__BudgetMs, or be removed"),
        ({"AuthenticationEvents__AudienceAppId": TENANT}, "type: azd env set ENTRA_API_APP_ID <client id>"),
        ({"Claims__ProfileApi__Hidden": "x"}, "type: azd env set PROVIDER_SETTINGS"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_value_is_refused_before_anything_is_made(
    changes: dict[str, str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, in words that name what to set."""
    lines = _refused(changes, capsys)
    assert len(lines) == 1, lines
    assert told in lines[0]


def test_an_own_setting_comes_with_the_command_that_brings_it_to_the_app(capsys: pytest.CaptureFixture[str]) -> None:
    """PROVIDER_SETTINGS keeps its other members, and quotation marks and backslashes survive the shell and azd."""
    own = {"Claims__Mine__Level": "L", "Claims__Mine__Account": 'CORP\\team "a" it\'s'}
    before = {"PROVIDER_SETTINGS": '{"Claims__Mine__Region": "eu"}'}
    lines = _refused(own | before, capsys)
    assert [line.split(": ")[1].split()[0] for line in lines] == [*own]
    (command,) = {line.partition("; type: ")[2] for line in lines}
    *words, value = shlex.split(command)
    assert words == ["azd", "env", "set", "PROVIDER_SETTINGS"]
    assert json.loads(value) == {"Claims__Mine__Region": "eu", **own}
    assert _refused(own | {"PROVIDER_SETTINGS": value}, capsys) == []


def test_the_pages_example_of_own_settings_reaches_the_app(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Through the shell, azd's file, which escapes it, and azd's substitution, which does not."""
    (line,) = re.findall(r"^azd env set PROVIDER_SETTINGS .*$", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
    value = shlex.split(line)[-1]
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    folder = tmp_path / ".azure/claims-test"
    folder.mkdir(parents=True)
    (folder / ".env").write_text(f'PROVIDER_SETTINGS="{escaped}"\n')
    given = read_parameters(ROOT / "infra/main.parameters.json")
    rules = {"providerSettings": {"type": "object", "defaultValue": {}}}
    resolved = resolve(rules, given, read_environment("claims-test", tmp_path))
    assert resolved.values == {
        "providerSettings": {"Claims__Mine__Region": "eu", "Claims__Mine__Account": "CONTOSO\\team"}
    }
    assert _refused({"PROVIDER_SETTINGS": value}, capsys) == []


def test_each_missing_setting_of_a_provider_comes_with_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, and nothing of a secret that is set in place of its URI."""
    scope, url = sorted(_refused({"Claims__Provider": "profile_api"}, capsys))
    assert scope.endswith("Scope is required and is not set; type: azd env set Claims__ProfileApi__Scope <value>")
    assert url.endswith("Url is required and is not set; type: azd env set Claims__ProfileApi__Url <value>")
    secret = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2"
    (lost,) = _refused({"Claims__Table__ConnectionString": secret}, capsys)
    assert lost.endswith("type: azd env set TABLE_CONNECTION_STRING_URI <URI of the secret in its Key Vault>")
    assert "hunter2" not in lost


def test_a_hook_on_windows_reads_the_names_in_azds_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There the process has all names in capitals, and a setting would be missing, or lost."""
    monkeypatch.setattr(preflight, "INFRA", tmp_path / "infra")
    (tmp_path / "requirements.txt").touch()
    folder = tmp_path / ".azure/claims-test"
    folder.mkdir(parents=True)
    (folder / ".env").write_text("".join(f'{name}="{value}"\n' for name, value in GOOD.items()))
    assert main(PARAMETERS, {name.upper(): value for name, value in GOOD.items()}) == 0
    assert capsys.readouterr().out == "preflight: no errors\n"


def test_a_package_with_the_client_takes_the_shared_cache(capsys: pytest.CaptureFixture[str]) -> None:
    """The app would not start without it, and every sign-in would fail."""
    shared = {"SHARED_CACHE": "true", "Claims__OnFailure": "stale", "PACKAGE_EXTRA": "shared-cache"}
    assert _refused(shared, capsys) == []


def test_what_a_deployment_lacks_is_named_as_azd_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    """With ENTRA_OBJECTS=manual no hook sets it."""
    (line,) = _refused({"ENTRA_API_APP_ID": ""}, capsys, "--deployed")
    assert "type: azd env set ENTRA_API_APP_ID <client id>" in line


def test_outside_of_a_hook_an_environment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its values are read from azd's file, with what azd puts before quotation marks taken off."""
    monkeypatch.setattr(preflight, "INFRA", tmp_path / "infra")
    folder = tmp_path / ".azure/claims-test"
    folder.mkdir(parents=True)
    own = {"PROVIDER_SETTINGS": '{\\"OWN\\":\\"x\\"}', "LATENCY_THRESHOLD_MS": "soon"}
    (folder / ".env").write_text("".join(f'{name}="{value}"\n' for name, value in (GOOD | own).items()))
    assert main([*PARAMETERS, "--env", "claims-test"], {}) == 1
    printed = capsys.readouterr()
    assert "LATENCY_THRESHOLD_MS (parameter latencyThresholdMs) must be a whole number, got soon" in printed.out
    assert printed.err == "preflight: 1 error\n"
    for name in ("another", "../claims-test"):
        assert main([*PARAMETERS, "--env", name], {}) == 2
        assert f"azd has no environment {name!r}" in capsys.readouterr().err


def test_a_budget_has_to_fit_a_shorter_timeout(capsys: pytest.CaptureFixture[str]) -> None:
    """Graph's default is 1000 ms; who keeps it has to say so here."""
    (line,) = _refused({}, capsys, "--timeout-ms", "1000")
    assert "Entra gives up after 1000 ms: at most 900" in line


def test_a_secret_in_the_wrong_place_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """What should be the URI of a secret may be the secret."""
    (line,) = _refused({"DOWNSTREAM_CLIENT_SECRET_URI": "hunter2-hunter2"}, capsys)
    assert "hunter2" not in line
    assert "clientSecretUri" in line


def test_a_secret_in_its_vault_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    """The endpoint's own checks see something of the right form in its place."""
    table = {
        "Claims__Provider": "table",
        "Claims__Table__Name": "claims",
        "TABLE_CONNECTION_STRING_URI": "https://vault-of-mine.vault.azure.net/secrets/table",
    }
    assert _refused(table, capsys) == []


def test_a_later_step_may_bring_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    """The app registration is created after this, and azd asks for the region; a wrong value is wrong all the same."""
    assert _refused({"ENTRA_API_APP_ID": "", "AZURE_LOCATION": ""}, capsys) == []
    assert _refused({"ENTRA_API_APP_ID": "x"}, capsys)


def test_after_the_deployment_nothing_may_be_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """Whether the environment lacks it, or the app was deployed without it."""
    assert _refused({"MISSING_SETTINGS": ""}, capsys, "--deployed") == []
    (absent,) = _refused({"ENTRA_API_APP_ID": ""}, capsys, "--deployed")
    assert "AuthenticationEvents__AudienceAppId is required" in absent
    (late,) = _refused({"MISSING_SETTINGS": "AuthenticationEvents__AudienceAppId"}, capsys, "--deployed")
    assert "deployed without AuthenticationEvents__AudienceAppId" in late
    assert "type: azd provision" in late


@pytest.mark.parametrize(
    ("text", "given", "value"),
    [
        ("${X}", {}, None),
        ("${X}", {"X": "a"}, "a"),
        ("${X=d}", {"X": ""}, "d"),
        ("${X:=d}", {}, "d"),
        ("${X:-d}", {}, "d"),
        ("${X:-d}", {"X": "a"}, "a"),
        ("x-${X}", {"X": "a"}, "x-a"),
        ({"A": "${X}", "B": "${Y=d}"}, {}, {"A": "", "B": "d"}),
    ],
)
def test_values_are_read_as_azd_reads_them(text: object, given: dict[str, str], value: object) -> None:
    """Inside an object an unset name is empty; elsewhere the parameter is left out."""
    rules = {"type": "object" if isinstance(text, dict) else "string"}
    resolved = resolve({"p": rules}, {"p": text}, given)
    assert (resolved.values.get("p"), resolved.problems) == (value, {})


@pytest.mark.parametrize(("text", "value"), [("T", True), ("1", True), ("False", False), ("0", False), ("", False)])
def test_bools_are_those_of_go(text: str, value: bool) -> None:  # noqa: FBT001 (a row of the table)
    """Everything else azd would take for unset."""
    assert resolve({"p": {"type": "bool", "defaultValue": False}}, {"p": "${X}"}, {"X": text}).values == {"p": value}


def test_one_instance_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """It is cheaper, and it is told."""
    assert main(PARAMETERS, GOOD | {"ALWAYS_READY_INSTANCES": "1"}) == 0
    assert "alwaysReadyInstances is 1" in capsys.readouterr().err


def test_without_a_receiver_of_alerts_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Before the deployment and after it, where what was deployed counts and not what is set by now."""
    told = "preflight: warning: NOBODY IS TOLD WHEN SIGN-INS FAIL"
    for flags, changes, way_on in (
        ([], {"ALERT_EMAIL": ""}, "type: azd env set ALERT_EMAIL <address>"),
        (["--deployed"], {"ALERT_EMAIL": ""}, "type: azd env set ALERT_EMAIL <address>"),
        (["--deployed"], {"ACTION_GROUP_ID": ""}, "type: azd provision"),
    ):
        assert main([*PARAMETERS, *flags], GOOD | changes) == 0
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(told)
        assert way_on in line
    assert main([*PARAMETERS, "--deployed"], GOOD | {"ACTION_GROUP_ID": "/subscriptions/x"}) == 0
    assert capsys.readouterr().err == ""
