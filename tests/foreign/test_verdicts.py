"""The verdict on each endpoint: a correct one passes, and each mistake is the first finding."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.foreign.front import HABITS, front
from tests.foreign.programs import CORRECT, PROGRAMS, Program, versions
from tests.foreign.running import authority_at, free_port, running
from tests.foreign.table import PAGE, recorded, with_table
from tests.foreign.verdict import GROUPS, USUAL, Verdict, check, log_of, signs_in

#: A run of every check leaves sockets to the end of its process, which here is that of the tests.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed (<socket|transport):ResourceWarning")

#: What the first finding says, and its level, for each mistake that a usual run finds.
_FIRST: Final[Mapping[str, tuple[str, str]]] = {
    "no-validation": ("security", "anybody gets claims"),
    "signature-only": ("security", "only the signature is checked"),
    "no-caller-check": ("security", "any application of the tenant gets claims"),
    "any-tenant": ("security", "tokens of any tenant get claims"),
    "expired-accepted": ("security", "expired tokens get claims"),
    "slow": ("sign-in", "answers a valid event with 200"),
    "wrong-reply": ("sign-in", "sends exactly one action"),
    "token-in-log": ("security", "logs no token"),
}
#: What else is named for a mistake: the code that Entra would log.
_SAYS: Final = {"slow": "1003005", "wrong-reply": "1003003|1003010"}
_BODY_FIRST: Final = "B80 validates the token before a body that is not JSON"
#: One sends 401 for every refusal, the other 403, too.
_BEHIND_FRONTS: Final = ("aiohttp_joserfc", "node_express")
#: The libraries that ask for keys again after half a minute, or after five.
_PAUSE: Final = ("node_jose", "aspnet")
_ALWAYS: Final = ("all-at-once", CORRECT, _BEHIND_FRONTS[0])


def _needs(program: Program, version: str) -> None:
    if (reason := program.why_not(version)) is not None:
        pytest.skip(reason)


async def _verdict(program: Program, version: str, folder: Path, *more: str) -> Verdict:
    port = free_port()
    async with running(program, version, authority=authority_at(port, program), folder=folder) as endpoint:
        words = log_of(endpoint) if version == "token-in-log" else ()
        return await check(endpoint.url, port, folder, *words, *_scheme(program), *more, groups=_groups(version))


def _groups(version: str) -> Sequence[str]:
    """A correct endpoint meets every check; a mistake meets those of the usual ones, and every check at night."""
    return GROUPS if version == CORRECT or os.environ.get("FOREIGN") == "all" else USUAL


def _scheme(program: Program) -> tuple[str, ...]:
    return ("--https",) if program.https else ()


@pytest.mark.parametrize(("program", "version"), versions(), ids=lambda value: getattr(value, "id", value))
async def test_verdict_names_the_mistake(program: Program, version: str, tmp_path: Path) -> None:
    """A correct endpoint passes without a finding that counts; a mistake fails, and is named first."""
    _needs(program, version)
    verdict = await _verdict(program, version, tmp_path)
    first = verdict.counting
    if version in _FIRST:
        level, sentence = _FIRST[version]
        assert (verdict.exit_code, verdict.level) == (1, level), verdict.report
        assert sentence in str(first), verdict.report
        assert re.search(_SAYS.get(version, ""), verdict.report), verdict.report
    else:
        assert (verdict.exit_code, first) == (0, None), verdict.report
    if version == "body-before-token":
        strict = await _verdict(program, version, tmp_path, "--strict")
        assert strict.exit_code == 1, strict.report
        first = _BODY_FIRST
    assert (_BODY_FIRST.split(" ")[0] in verdict.failed) == (version == "body-before-token"), verdict.report
    assert recorded(program, version, first) == first


@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize(
    ("program", "version"),
    [(program, version) for program, version in versions() if version in {CORRECT, "no-caller-check"}],
    ids=lambda value: getattr(value, "id", value),
)
async def test_verdict_stays_behind_a_front(program: Program, version: str, habit: str, tmp_path: Path) -> None:
    """Statuses, headers, paths and framing of a front change no verdict."""
    _needs(program, version)
    if program.id not in _BEHIND_FRONTS:
        pytest.skip("the fronts are in front of two endpoints")
    if (habit, version, program.id) != _ALWAYS and os.environ.get("FOREIGN") != "all":
        pytest.skip("FOREIGN=all runs it (make nightly)")
    port = free_port()
    async with (
        running(program, version, authority=authority_at(port, program), folder=tmp_path) as endpoint,
        front(endpoint.url, HABITS[habit]) as url,
    ):
        verdict = await check(url, port, tmp_path, groups=_groups(version))
    assert recorded(program, version, verdict.counting) == verdict.counting, verdict.report


@pytest.mark.parametrize("version", ["none", "no-caller-check"])
@pytest.mark.parametrize(
    "program", [program for program in PROGRAMS if program.id in _PAUSE], ids=lambda program: program.id
)
async def test_second_run_has_the_same_verdict(program: Program, version: str, tmp_path: Path) -> None:
    """A library that does not ask for keys again for a while takes the tokens of the next run, too."""
    if version not in {*program.correct, *program.mistakes}:
        version = program.correct[0]
    _needs(program, version)
    port = free_port()
    async with running(program, version, authority=authority_at(port, program), folder=tmp_path) as endpoint:
        minted = [await signs_in(endpoint.url, port) for _ in range(2)]
        first, second = [await check(endpoint.url, port, tmp_path) for _ in range(2)]
    assert minted == [True, True]
    assert (first.exit_code, first.counting) == (second.exit_code, second.counting)
    # What the library does not do again so soon is not checked the second time, and passes neither time for that.
    assert not first.failed & second.passed
    assert not first.passed & second.failed


def test_the_page_has_the_table_of_these_verdicts() -> None:
    """docs/any-language.md shows what was found; `make docs` writes it."""
    page = PAGE.read_text()
    assert page == with_table(page)
