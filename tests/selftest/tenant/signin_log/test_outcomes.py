"""The table of outcomes is held to the endpoint's own code."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from selftest.base.program import PROGRAM
from selftest.cli import main
from selftest.tenant.signin_log.outcomes import OUTCOMES, outcome_of
from tests.selftest.tenant.signin_log.test_next_commands import TENANT
from tests.test_printed_commands import problem

CLAIMS = Path(__file__).parents[4] / "claims"
#: Where a code is put together: the names of the members and segments that it is made of.
MADE = {
    "header_": ("crit", "b64", "zip", "jku", "jwk", "x5u", "x5c"),
    "token_": ("header", "payload"),
    "_malformed": ("exp", "nbf", "iat"),
}
ERRORS = {
    *("TokenRefused", "EventForbidden", "BodyRefused", "BodyTooLarge", "MediaRefused", "KeysUnavailable"),
    *("ProviderFailed", "ProviderLate", "TokenUnavailable", "Overloaded"),
}


def written(first: ast.expr) -> Iterator[str]:
    """Give the codes that an error's first argument can be."""
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.value
    elif isinstance(first, ast.JoinedStr):
        text = "".join(
            part.value for part in first.values if isinstance(part, ast.Constant) and isinstance(part.value, str)
        )
        yield from (f"{text}{name}" if text.endswith("_") else f"{name}{text}" for name in MADE[text])


def endpoint_codes() -> set[str]:
    """Collect the codes of every error that the endpoint raises."""
    found: set[str] = set()
    for path in CLAIMS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if isinstance(node, ast.Call) and name in ERRORS and node.args:
                found |= set(written(node.args[0]))
    return found


def test_every_outcome_of_the_endpoint_is_explained_and_no_other() -> None:
    """A code that is new, or gone, shows here."""
    codes = endpoint_codes()

    assert len(codes) > 40
    assert set(OUTCOMES) == codes | {"claims", "omitted", "stale"}


@pytest.mark.parametrize("code", OUTCOMES)
def test_outcome_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What it means, what to do, and a command that runs; the code of Entra is one that can be explained."""
    assert main(["explain", code, "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)

    assert (entry["id"], entry["kind"]) == (code, "outcome")
    assert len(entry["meaning"]) > 20
    assert len(entry["fix"]) > 20
    assert "explain" not in entry["commands"]
    assert not problem(entry["commands"].removeprefix(f"{PROGRAM} ").replace("TENANT", TENANT))
    assert ("seen" in entry) == (code not in {"claims", "omitted", "stale"})


def test_code_of_a_provider_of_ones_own_is_said_to_be_unknown() -> None:
    """Who writes a provider may raise a code of their own."""
    assert "does not know" in outcome_of("my_own_code").says


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("signature", "changed on its way"),
        ("event_tenant", "another tenant than the one of AuthenticationEvents__AuthorityUrl"),
        ("event_extension", "Claims__AllowedExtensionIds does not name"),
        ("unexpected", "the endpoint itself raised"),
    ],
)
def test_outcome_has_its_own_reason(code: str, words: str) -> None:
    """A neighbor's sentence would name another cause: a key that is not published, an extension, the provider."""
    assert words in outcome_of(code).says
