"""Where settings come from, which extension is chosen, and what App Service Authentication is known to let in."""

import json
from pathlib import Path
from typing import Any

import pytest

from selftest.base.bounded_file import FileError
from selftest.base.settings_file import parse_settings
from selftest.tenant.doctor.evidence.settings import SettingsRead, showable
from selftest.tenant.doctor.sources.settings_source import find_settings
from tests.emulated_graph.healthy_tenant import healthy_tenant
from tests.selftest.tenant.doctor.doctor_input import (
    API,
    APP,
    EXTENSION,
    OTHER,
    TENANT,
    DoctorInput,
    examined,
    found,
    healthy_settings,
    hinted,
)

AUDIENCE = "AuthenticationEvents__AudienceAppId"


@pytest.mark.parametrize(
    "text",
    [
        '{"IsEncrypted": false, "Values": {"A": "x", "B": true, "C": 7, "D": null}}',
        '{"A": "x", "B": true, "C": 7, "D": null}',
        json.dumps(
            [{"name": name, "value": value} for name, value in zip("ABCD", ["x", "true", "7", None], strict=True)]
        ),
        'A="x"\n# a comment\n\nexport B=true\nC=7\nD=\n',
        "\ufeffA='x'\r\nB=true\r\nC=7\r\nD=''\r\n",
    ],
)
def test_every_form_of_settings_is_read(text: str, tmp_path: Path) -> None:
    """local.settings.json, a plain object, what `az … appsettings list` writes, and a .env with either quotes."""
    file = tmp_path / "settings"
    file.write_text(text, newline="")

    assert parse_settings(file) == {"A": "x", "B": "true", "C": "7", "D": ""}


def test_azd_escapes_are_undone(tmp_path: Path) -> None:
    """The Azure Developer CLI writes double quotes and escapes."""
    file = tmp_path / ".env"
    file.write_text('A="say \\"so\\" \\\\o/"\n')

    assert parse_settings(file) == {"A": 'say "so" \\o/'}


@pytest.mark.parametrize(
    "text",
    ["{", "[1]", '{"Values": []}', '{"A": {}}', '{"IsEncrypted": true, "Values": {}}', "no equals sign", "[" * 100_000],
)
def test_other_files_are_refused(text: str, tmp_path: Path) -> None:
    """The error names the file."""
    file = tmp_path / "settings"
    file.write_text(text)

    with pytest.raises(FileError, match="settings"):
        parse_settings(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{\n  "A": 1,\n}', r"\(line \d, column \d\)"),
        ("[1]", "members are not all a name and a value: give what `az functionapp config appsettings list"),
        ('{"Values": [1]}', "Values should be an object of settings by name: give what `az"),
        ('{"id": "/subscriptions/x", "properties": {"A": "x"}}', "'properties' is no setting, .*: give what `az"),
    ],
)
def test_error_says_where_or_what_to_give(text: str, says: str, tmp_path: Path) -> None:
    """The place of broken JSON, and what other forms are taken; no words of the program."""
    file = tmp_path / "settings"
    file.write_text(text)

    with pytest.raises(FileError, match=says) as caught:
        parse_settings(file)
    assert "`object`" not in str(caught.value)


def test_order_of_sources(tmp_path: Path) -> None:
    """What is asked for comes first, then the environment, then local.settings.json; nothing is nothing."""

    def origin(**asked: Any) -> str | None:
        given = {"file": None, "azd_env": None, "environ": {}, "directory": tmp_path} | asked
        settings = find_settings(**given)
        return None if settings is None else settings.text(AUDIENCE)

    assert origin() is None
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": {AUDIENCE: "local"}}))
    assert origin() == "local"
    assert origin(environ={AUDIENCE: "environment"}) == "environment"
    (tmp_path / ".azure" / "dev").mkdir(parents=True)
    (tmp_path / ".azure" / "dev" / ".env").write_text(f'{AUDIENCE}="azd"')
    assert origin(environ={AUDIENCE: "environment"}, azd_env="dev") == "azd"
    (tmp_path / "mine").write_text(f"{AUDIENCE}=mine")
    assert origin(file=tmp_path / "mine") == "mine"


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a\\b", "absent"])
def test_azd_environment_stays_in_its_place(name: str, tmp_path: Path) -> None:
    """A name is no path, and one that is not there is an error."""
    with pytest.raises(FileError):
        find_settings(file=None, azd_env=name, environ={}, directory=tmp_path)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (TENANT, TENANT),
        ("1500", "1500"),
        ("https://login.microsoftonline.com/common", "https://login.microsoftonline.com/common"),
        ("", "nothing"),
        ("Pa55word", "a value of 8 characters"),
        ("https://x/?code=key", "a value of 19 characters"),
        ("https://user:key@x", "a value of 18 characters"),
    ],
)
def test_values_that_might_be_secrets_are_not_shown(value: str, shown: str) -> None:
    """Ids, addresses and small numbers are; of all else only the length is."""
    assert showable(value) == shown


@pytest.mark.parametrize(
    ("env", "names"),
    [
        ({}, {"CorrelationId", "ApiVersion", "DateOfBirth", "CustomRoles"}),
        ({"Claims__Provider": "profile_api", "Claims__ProfileApi__Claims": "a, b:c"}, {"a", "c"}),
        ({"Claims__Provider": "profile_api"}, None),
        ({"Claims__Provider": "mine"}, None),
        (
            {"Claims__Provider": "graph", "Claims__Graph__Attributes": "department", "Claims__Graph__GroupsClaim": "g"},
            {"department", "g"},
        ),
    ],
)
def test_claims_of_a_provider_are_read_from_its_settings(env: dict[str, str], names: set[str] | None) -> None:
    """Where the settings say which claims there are, they are known; else nobody knows."""
    assert SettingsRead(env, "a test").claim_names == (None if names is None else frozenset(names))


def _another(extension_id: str, app_id: str, host: str) -> dict[str, Any]:
    extension: dict[str, Any] = healthy_tenant()["customAuthenticationExtensions"][0]
    extension |= {"id": extension_id, "displayName": extension_id}
    extension["endpointConfiguration"]["targetUrl"] = f"https://{host}/api/x"
    extension["authenticationConfiguration"]["resourceId"] = f"api://{host}/{app_id}"
    return extension


def _with_another() -> DoctorInput:
    subject = DoctorInput()
    subject.tenant["customAuthenticationExtensions"].append(_another(OTHER, APP, "other.example"))
    return subject


def _chosen(subject: DoctorInput, directory: Path) -> set[str]:
    return {line.split()[1] for line in examined(subject, directory).about if line.startswith("extension")}


@pytest.mark.parametrize(
    ("flags", "chosen"),
    [
        ([], {EXTENSION}),
        (["--extension", OTHER], {OTHER}),
        (["--app", APP], {EXTENSION}),
        (["--app", OTHER], {EXTENSION}),
    ],
)
def test_extension_is_chosen(flags: list[str], chosen: set[str], tmp_path: Path) -> None:
    """By id, by the listener of the application, else by the settings; one that no listener names is D47's."""
    subject = _with_another()
    subject.flags = flags

    assert _chosen(subject, tmp_path) == chosen


def test_without_settings_all_are_looked_at(tmp_path: Path) -> None:
    """Every extension of the event; those of other events are not."""
    subject = _with_another()
    subject.tenant["customAuthenticationExtensions"].append(
        {**_another(API, APP, "third.example"), "@odata.type": "#microsoft.graph.onOtpSendCustomExtension"}
    )
    file = tmp_path / "tenant.json"
    file.write_text(json.dumps(subject.tenant))
    from selftest.cli import parser  # noqa: PLC0415 - without settings, unlike the others
    from selftest.tenant.doctor.examination import examine  # noqa: PLC0415 - the same

    args = parser().parse_args(["doctor", "--file", str(file)])
    about = examine(args, environ={}, directory=tmp_path).about

    assert {line.split()[1] for line in about if line.startswith("extension")} == {EXTENSION, OTHER}


def test_none_that_matches_is_the_finding(tmp_path: Path) -> None:
    """Two extensions, neither of this endpoint."""
    subject = _with_another()
    subject.env = healthy_settings() | {AUDIENCE: TENANT}
    del subject.env["Claims__AllowedExtensionIds"]
    examination = examined(subject, tmp_path)

    assert found(examination) == {"D20": None}


@pytest.mark.parametrize(("flag", "ids"), [(["--extension", OTHER], {"D20"}), (["--app", OTHER], {"D47", "D60"})])
def test_what_is_asked_for_and_not_there_is_the_finding(flag: list[str], ids: set[str], tmp_path: Path) -> None:
    """An id that the tenant does not know."""
    subject = DoctorInput(flags=flag)

    assert set(found(examined(subject, tmp_path))) == ids


def test_a_full_tenant_is_hinted_at(tmp_path: Path) -> None:
    """250 assignments of applications to extensions are the limit."""
    subject = DoctorInput(flags=["--app", APP])
    subject.listener["conditions"]["applications"]["includeApplications"] += [
        {"appId": f"eeeeeeee-eeee-4eee-8eee-{index:012x}"} for index in range(249)
    ]
    examination = examined(subject, tmp_path)

    assert (found(examination), hinted(examination)) == ({}, {"D52"})
