"""``python -m infra.check``: exit codes, skips that are seen, and a deployment's own values."""

from pathlib import Path

import pytest

from infra.check import ROOT, main
from infra.checker.azd_file import ENVIRONMENT_VARIABLE as AZD_SCHEMA
from infra.checker.published_types import ENVIRONMENT_VARIABLE as BICEP_TYPES
from infra.checker.published_types import NAME, find_types

TENANT = "11111111-1111-4111-8111-111111111111"
APP = "22222222-2222-4222-8222-222222222222"
HOST = "func-claims-abc.azurewebsites.net"
PARAMETERS = ["--parameters", str(ROOT / "infra/main.parameters.json")]
GOOD = {
    "AZURE_ENV_NAME": "claims-test",
    "AZURE_LOCATION": "westeurope",
    "AuthenticationEvents__AuthorityUrl": f"https://login.microsoftonline.com/{TENANT}",
    "ENTRA_API_APP_ID": APP,
}


def test_good_files_are_zero(capsys: pytest.CaptureFixture[str]) -> None:
    """It says how much it looked at."""
    assert main([]) == 0
    assert "Bicep files and what stands around them: nothing found" in capsys.readouterr().out


def test_absent_types_are_a_skip_that_is_seen(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who reads "nothing found" has to know what was not looked at."""
    monkeypatch.delenv(BICEP_TYPES, raising=False)
    monkeypatch.delenv(AZD_SCHEMA, raising=False)
    assert main(["--root", str(checkout)]) == 0
    told = capsys.readouterr().err
    assert f"skipped: resources against Azure's types (no file; {BICEP_TYPES} names one)" in told
    assert f"skipped: azure.yaml against azd's schema (no file; {AZD_SCHEMA} names one)" in told


def test_types_beside_the_checkout_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a data directory there, or in a neighbour's; what is named in the environment goes first."""
    monkeypatch.delenv(BICEP_TYPES, raising=False)
    path = tmp_path / "neighbour/data" / NAME
    path.parent.mkdir(parents=True)
    path.touch()
    assert find_types(tmp_path / "checkout") == path
    monkeypatch.setenv(BICEP_TYPES, str(tmp_path / "nowhere.json"))
    assert find_types(tmp_path / "checkout") is None


def test_findings_are_one(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, with the file and the line."""
    path = checkout / "infra/flex.bicep"
    path.write_text(path.read_text().replace("plan.id", "plam.id"))
    assert main(["--root", str(checkout)]) == 1
    printed = capsys.readouterr()
    assert "infra/flex.bicep:" in printed.out
    assert "plam" in printed.out
    assert "1 to mend" in printed.err


@pytest.mark.parametrize(
    ("name", "content"), [("infra/main.parameters.json", "{"), ("types.json", "{}"), ("nowhere.json", None)]
)
def test_what_cannot_run_is_two(
    name: str, content: str | None, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not what it should be is told in a sentence."""
    path = checkout / name
    if content is not None:
        path.write_text(content)
    arguments = [] if name.startswith("infra/") else ["--types", str(path)]
    code = main(["--root", str(checkout), *arguments])
    printed = capsys.readouterr()
    assert code == (1 if name.startswith("infra/") else 2)
    assert path.name in printed.out + printed.err
    assert "Traceback" not in printed.err


def _refused(changes: dict[str, str], capsys: pytest.CaptureFixture[str], *flags: str) -> list[str]:
    code = main([*PARAMETERS, *flags], GOOD | changes)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("main.parameters.json")]
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
        ({"AuthenticationEvents__AuthorityUrl": ""}, "required"),
        ({"ENTRA_API_APP_ID": "not-a-guid"}, "36 characters"),
        ({"ENTRA_API_APP_ID": "zzzzzzzz-2222-4222-8222-222222222222"}, "GUID"),
        ({"Claims__TenantId": APP}, "names the tenant"),
        ({"Claims__BudgetMs": "2500"}, "100 to 1900"),
        ({"Claims__BudgetMs": "soon"}, "whole number"),
        ({"Claims__OnFailure": "ignore"}, "one of fail, omit, stale"),
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
        ({"HOSTING_PLAN": "consumption"}, "one of flex, premium"),
        ({"ZONE_REDUNDANT": "maybe"}, "true or false"),
        ({"PROVIDER_SETTINGS": "{"}, "must be JSON"),
        ({"MAXIMUM_INSTANCE_COUNT": "10"}, "40 to 1000"),
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
    """The first time, the app registration is made after this; a wrong value is wrong all the same."""
    assert (
        _refused(
            {"ENTRA_API_APP_ID": "", "AZURE_LOCATION": ""},
            capsys,
            "--pending",
            "audienceAppId",
            "--pending",
            "location",
        )
        == []
    )
    assert _refused({"ENTRA_API_APP_ID": "x"}, capsys, "--pending", "audienceAppId")


def test_one_instance_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """It is cheaper, and it is told."""
    assert main(PARAMETERS, GOOD | {"ALWAYS_READY_INSTANCES": "1"}) == 0
    assert "alwaysReadyInstances is 1" in capsys.readouterr().err
