"""The table of refusals: each is used, and each use gives the values that its text needs."""

import ast
import string

import pytest

from selftest.signin.refusals import REFUSALS, refused
from tests.checkout import ROOT


def _uses() -> dict[str, set[str]]:
    """Return the names of the values that each refusal is raised with."""
    found = {}
    for path in (ROOT / "selftest" / "signin").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "refused":
                for name in ast.walk(node.args[0]):
                    if isinstance(name, ast.Constant):
                        found[str(name.value)] = {str(keyword.arg) for keyword in node.keywords}
    return found


USES = _uses()


def test_every_refusal_is_used() -> None:
    """No text is left behind, and no name is misspelled."""
    assert USES.keys() == REFUSALS.keys()
    assert len(USES) > 40


@pytest.mark.parametrize("name", REFUSALS)
def test_uses_give_the_values_of_the_text(name: str) -> None:
    """The names in braces are those of the arguments."""
    fields = {field for _, field, _, _ in string.Formatter().parse(REFUSALS[name]["text"]) if field}
    assert {field.partition(".")[0] for field in fields} == USES[name]


def test_refusal_has_the_members_of_its_table() -> None:
    """Status and challenge, where the table has them; a value in the text is not read as a template."""
    error = refused("client-unknown-basic", given="{app}")

    assert (error.code, error.aadsts, error.status, error.challenge) == ("invalid_client", 700016, 401, True)
    assert str(error) == "no application '{app}' in the tenant"
