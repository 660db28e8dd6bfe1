"""The flags about a claim's way into the token: one set for signin, check and judge, from files or a tenant file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from selftest.cli import main, parser
from selftest.signin.tenant.mapping_flags import ClaimsRoute, read_route
from tests.checkout import ROOT
from tests.selftest.replies import document

SAMPLE = str(ROOT / "selftest" / "signin" / "tenant" / "sample.toml")


def route(*words: str) -> ClaimsRoute:
    """Read the flags of ``judge``."""
    args = parser().parse_args(["judge", "--failure", "timeout", *words])
    return read_route(args, saml=args.saml)


def judged(tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """Return the warnings of ``judge`` about a reply with one claim."""
    (tmp_path / "reply.json").write_text(json.dumps(document({"CustomRoles": ["a"], "Region": "eu"})))
    assert main(["judge", "--body", str(tmp_path / "reply.json"), *words]) == 0
    warnings: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["warnings"]
    return warnings


@pytest.mark.parametrize("command", ["signin", "check", "judge"])
def test_each_command_that_judges_has_the_flags(command: str) -> None:
    """The same names everywhere; the tenant file replaces the policy's file."""
    words = [command] if command != "judge" else [command, "--failure", "timeout"]
    args = parser().parse_args([*words, "--mapping", "p.json", "--registered", "a, b"])
    assert (args.mapping, args.registered) == (Path("p.json"), {"a", "b"})
    with pytest.raises(SystemExit):
        parser().parse_args([*words, "--mapping", "p.json", "--tenant-file", SAMPLE])


def test_nothing_given_compares_nothing() -> None:
    """Without a flag there is no policy, which is not the same as an empty one."""
    assert not route().is_given
    assert route("--registered", "a").is_given


def test_tenant_file_has_policy_and_registered_names() -> None:
    """The sample's client is the default, for SAML the one that gets an assertion; --client names another."""
    portal, orders = route("--tenant-file", SAMPLE), route("--tenant-file", SAMPLE, "--client", "orders")
    legacy = route("--tenant-file", SAMPLE, "--saml")
    targets = [
        {entry.target(each.token) for entry in each.mapping.entries}
        for each in (portal, orders, legacy)
        if each.mapping
    ]
    assert targets == [
        {"custom_roles", "DateOfBirth", "correlationid", "environment"},
        {"order_roles", "roles"},
        {"https://sample.example/claims/roles", "https://sample.example/claims/birth"},
    ]
    assert portal.registered == frozenset({"ApiVersion", "CorrelationId", "CustomRoles", "DateOfBirth"})


def test_application_without_policy_maps_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An application of the tenant file that has no policy gets no claim, and each claim comes with its entry."""
    warnings = judged(tmp_path, capsys, "--tenant-file", SAMPLE, "--client", "impatient")
    assert {each["claim"] for each in warnings if each["kind"] == "unmapped-claim"} == {"CustomRoles", "Region"}
    assert {each["claim"] for each in warnings if each["kind"] == "not-registered"} == {"Region"}


def test_judge_says_what_is_for_the_other_protocol(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy for JSON Web Tokens at a SAML application, and the other way."""
    policy = tmp_path / "policy.json"
    for member, words, more in (("JwtClaimType", ["--saml"], []), ("SamlClaimType", [], [("format-assumed", None)])):
        schema = [
            {"Source": "CustomClaimsProvider", "ID": name, member: f"urn:{name}"} for name in ("CustomRoles", "Region")
        ]
        policy.write_text(json.dumps({"ClaimsMappingPolicy": {"ClaimsSchema": schema}}))
        warnings = judged(tmp_path, capsys, "--mapping", str(policy), *words)
        assert [(each["kind"], each["claim"]) for each in warnings] == [
            ("wrong-protocol", "CustomRoles"),
            ("wrong-protocol", "Region"),
            *more,
        ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--client", "portal"), "give --tenant-file"),
        (("--tenant-file", SAMPLE, "--registered", "a"), "--registered is in the tenant file"),
        (
            ("--tenant-file", SAMPLE, "--client", "nobody"),
            "which application of .* it has claims-api, portal, spa, desktop, orders",
        ),
        (("--tenant-file", SAMPLE, "--client", "legacy"), "which application"),
        (("--tenant-file", "/nowhere.toml"), "cannot be read"),
        (("--mapping", "a\0b"), "cannot be read"),
    ],
)
def test_flags_that_cannot_be_meant(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str) -> None:
    """One sentence, exit code 2, and nothing is judged."""
    assert main(["judge", "--failure", "timeout", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(says, captured.err)
