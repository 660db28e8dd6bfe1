"""The registry: complete texts, unique ids, and clear messages for wrong ids."""

import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from selftest import checks
from selftest.base.cannot_run import CannotRun
from selftest.checks import GROUPS, REGISTRY
from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.registry import (
    TEXTS,
    Check,
    CheckOutcome,
    CheckRegistrationError,
    check,
    register,
    require_checks_of,
    select,
)
from selftest.judge.statement import LEVELS, Statement

ROOT = Path(__file__).parents[3]
#: Ids that were given once and must keep their meaning; a removed check's id goes here and is never given again.
RETIRED: frozenset[str] = frozenset({"C11"})


async def _never(env: CheckEnvironment) -> CheckOutcome:
    raise AssertionError(env)


def _check(check_id: str) -> Check:
    return Check(
        id=check_id, title="holds", level="sign-in", source="ours", why="why", fix="fix", explain="explain", run=_never
    )


def test_there_are_enough_checks() -> None:
    """The registry has at least ninety checks."""
    assert len(REGISTRY) >= 90


def test_every_letter_has_a_group() -> None:
    """The groups are contract, token, body, faults, load and instances."""
    assert {check_id[0] for check_id in REGISTRY} == {"C", "T", "B", "F", "L", "I"}


@pytest.mark.parametrize("check", REGISTRY.values(), ids=REGISTRY)
def test_every_text_is_there(check: Check) -> None:
    """Every check has all texts, and they are short."""
    assert re.fullmatch(r"[CTBFLI]\d{2,3}", check.id)
    assert check.level in LEVELS
    for text in (check.title, check.source, check.why, check.fix, check.explain):
        assert text.strip() == text != ""
        assert not re.search(r"\{[a-z]\w*\}", text)
    assert not check.title.endswith(".")
    assert len(check.title) <= 80
    assert len(check.explain.splitlines()) <= 8
    assert check.why.endswith((".", ")"))
    assert check.fix.endswith((".", ")"))


@pytest.mark.parametrize("check", REGISTRY.values(), ids=REGISTRY)
def test_every_file_that_a_text_names_exists(check: Check) -> None:
    """The texts name only files that exist."""
    for name in re.findall(r"\bclaims/[\w/]+\.py", check.fix + check.explain):
        assert (ROOT / name).is_file()


def test_titles_are_unique() -> None:
    """No two checks have the same title."""
    titles = [check.title for check in REGISTRY.values()]
    assert len(set(titles)) == len(titles)


def test_retired_ids_stay_retired() -> None:
    """A number is never reused."""
    assert not RETIRED & set(REGISTRY)


def test_the_order_is_that_of_the_ids() -> None:
    """Iterating over the registry gives letters, then numbers."""
    assert list(REGISTRY) == [check.id for check in sorted(REGISTRY.values(), key=lambda check: check.order)]


def test_a_taken_id_is_refused() -> None:
    """Two checks cannot share an id."""
    registry = {"T01": _check("T01")}
    with pytest.raises(CheckRegistrationError, match=r"T01 .* is registered twice; give one check another id"):
        register(_check("T01"), registry)


def test_an_id_without_texts_is_refused() -> None:
    """A check that nobody described is not registered; the message says where its texts belong."""
    with pytest.raises(CheckRegistrationError, match=r"T999 has no texts; add a table to the TOML file"):
        check("T999")(_never)
    assert "T999" not in REGISTRY


def test_texts_without_a_check_are_refused() -> None:
    """Texts of an id that no check has are an error, which names it."""
    require_checks_of(["T01"], {"T01": _check("T01")})
    with pytest.raises(CheckRegistrationError, match=r"no check has the id of these texts: T02, T03; remove"):
        require_checks_of(["T01", "T02", "T03"], {"T01": _check("T01")})


def test_every_member_of_the_texts_is_used() -> None:
    """A member of a table is a text of a statement, or a placeholder in one: a misspelt name would be ignored."""
    folder = Path(checks.__file__).parent
    sources = [path.read_text() for pattern in ("*/*.toml", "*/*.py") for path in folder.glob(pattern)]
    placeholders = set(re.findall(r"\{([a-z][a-z0-9_]*)\}", "".join(sources)))
    known = {field.name for field in fields(Statement)} | placeholders
    assert {name for members in TEXTS.values() for name in members} <= known


def test_nothing_wanted_is_everything() -> None:
    """Without ids every check is selected."""
    assert [check.id for check in select(())] == list(REGISTRY)


def test_an_id_that_exists_means_that_check_alone() -> None:
    """T10 does not select T100."""
    assert [check.id for check in select(["T10"])] == ["T10"]


def test_a_prefix_selects_what_starts_so_in_any_case() -> None:
    """A letter selects its group, each check once."""
    body = [check.id for check in select(["b", "B01"])]
    assert body == [check_id for check_id in REGISTRY if check_id.startswith("B")]


@pytest.mark.parametrize("word", ["", "X", "T999", "C03x", "T0\x1b"])
def test_an_unknown_id_is_refused_with_a_way_on(word: str) -> None:
    """A word that selects nothing is an error and not an empty run."""
    with pytest.raises(CannotRun, match="check --list"):
        select(["C01", word])


def test_every_group_s_modules_are_imported() -> None:
    """A new module in a group's folder is registered without further changes."""
    folder = Path(checks.__file__).parent
    groups = {path.parent.name for path in folder.glob("*/__init__.py")} - {"bench"}
    assert groups == set(GROUPS)
    modules = {f"selftest.checks.{group}.{path.stem}" for group in groups for path in (folder / group).glob("[!_]*.py")}
    assert len(modules) > 20
    assert modules <= sys.modules.keys()


def test_the_fix_of_a_setting_names_it() -> None:
    """Somebody who runs this project's endpoint looks for a setting, and not for how a library is configured."""
    assert "Claims__ApplicationIdUri" in REGISTRY["T152"].fix
