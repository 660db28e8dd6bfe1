"""The tables of texts: each text is named in the code, and each call gives the values that its text needs."""

import ast
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from selftest.judge.texts import own_table
from selftest.signin.refusals import refused
from selftest.tenant.objects.errors import conflict
from tests.checkout import ROOT

#: The module whose table it is, the folder that uses it, and the functions that take a name.
TABLES = [
    ("signin/refusals.py", "signin", {"refused"}),
    ("tenant/objects/errors.py", "tenant/objects", {"conflict", "reason"}),
    ("tenant/direct_call/verdict.py", "tenant/direct_call", {"_conclusion"}),
    ("tenant/signin_log/meaning.py", "tenant/signin_log", {"_meaning"}),
]


def _trees(folder: str) -> Iterator[ast.Module]:
    for path in (ROOT / "selftest" / folder).rglob("*.py"):
        yield ast.parse(path.read_text())


def _texts(module: str) -> dict[str, Any]:
    return own_table(str(ROOT / "selftest" / module))


def _fields(text: str | Mapping[str, Any]) -> set[str]:
    """Return the names of the values in a text, or in all texts of a table."""
    if not isinstance(text, str):
        return set().union(*(_fields(member) for member in text.values() if isinstance(member, str)))
    return {field.partition(".")[0] for _, field, _, _ in string.Formatter().parse(text) if field}


def _calls(folder: str, functions: set[str]) -> Iterator[tuple[str, set[str]]]:
    """Yield the names that a call chooses from, each with the names of the call's values."""
    for tree in _trees(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
                values = {str(keyword.arg or "**") for keyword in node.keywords}
                names = (one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant))
                yield from ((str(name), values) for name in names)


@pytest.mark.parametrize(("module", "folder", "functions"), TABLES)
def test_every_text_is_used(module: str, folder: str, functions: set[str]) -> None:
    """No text is left behind, and no name is misspelled."""
    constants = {node.value for tree in _trees(folder) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert _texts(module).keys() - constants == set()
    assert {name for name, _ in _calls(folder, functions)} - _texts(module).keys() == set()


@pytest.mark.parametrize(("module", "folder", "functions"), TABLES)
def test_calls_give_the_values_of_the_text(module: str, folder: str, functions: set[str]) -> None:
    """The names in braces are those of the arguments."""
    texts = _texts(module)
    calls = list(_calls(folder, functions))
    assert len(calls) >= 10
    assert not [(name, values) for name, values in calls if "**" not in values and _fields(texts[name]) != values]


def test_values_are_no_templates() -> None:
    """Status and challenge are those of the table; braces in a value are text."""
    error = refused("client-unknown-basic", given="{app}")

    assert (error.code, error.aadsts, error.status, error.challenge) == ("invalid_client", 700016, 401, True)
    assert str(error) == "no application '{app}' in the tenant"
    assert "application {0.__class__} has no service principal" in str(
        conflict("client-without-principal", client="{0.__class__}")
    )


def test_own_table_is_the_file_of_the_modules_name(tmp_path: Path) -> None:
    """The table is next to the module, whatever the current folder is."""
    (tmp_path / "a.toml").write_text('name = "…"\n', encoding="utf-8")
    assert own_table(str(tmp_path / "a.py")) == {"name": "…"}
