"""``check --mapping`` shows what no policy maps of what the endpoint really returned."""

import json
from pathlib import Path

import pytest

from selftest.cli import main
from selftest.entra.payloads import VARIETIES
from tests.checkout import ROOT

POLICY = str(ROOT / "docs" / "samples" / "policy.json")
ENTRY = 'add the entry {"Source": "CustomClaimsProvider", "ID": "ApiVersion", "%s": "ApiVersion"}'


@pytest.mark.parametrize("saml", [False, True])
def test_unmapped_claims_are_shown_with_their_entries(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, saml: bool
) -> None:
    """Every user of the protocol signs in; each message stands once in the report, and whole in the results."""
    file = tmp_path / "results.json"
    words = ["C03", "--authority-port", "0", "--mapping", POLICY, "--out", str(tmp_path)]
    assert main(["check", *words, *(["--saml"] if saml else [])]) == 0
    wanted = ENTRY % ("SamlClaimType" if saml else "JwtClaimType")
    out = capsys.readouterr().out
    assert out.count(wanted) == 1
    assert "warning  the policy names 'customRoles', the reply 'CustomRoles'" in out
    played = json.loads(file.read_text())["signins"]
    assert {each["variety"] for each in played} == {one.id for one in VARIETIES if (one.protocol == "SAML") == saml}
    assert all(any(wanted in message for message in each["warnings"]) for each in played)


def test_nothing_is_played_without_a_policy(tmp_path: Path) -> None:
    """Sign-ins belong to the mapping alone; `run` does them anyway."""
    assert main(["check", "C03", "--authority-port", "0", "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "results.json").read_text())["signins"] == []


def test_deployed_endpoint_needs_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    """Without one there is no reply to compare."""
    words = ["--url", "http://127.0.0.1:1", "--deployed", "--mapping", POLICY]
    assert main(["check", *words]) == 2
    assert "--mapping needs a reply of the endpoint" in capsys.readouterr().err
