"""The one registry of checks: the command line, the tests, the reports and the code page all read it.

A check is a true statement about a good endpoint, and the function that finds out whether it holds. Ids are a letter
for the subject (T token, B body, C contract, F faults, L load) and a number; a number is never used twice, so groups
leave gaps. What runs a check is in ``runner``; this module only knows what there is.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final, NotRequired, TypedDict, Unpack

from selftest.base.cannot_run import CannotRun
from selftest.base.program import PROGRAM
from selftest.checks.bench.environment import CheckEnvironment, CheckNeed
from selftest.checks.bench.variant import AppVariant
from selftest.judge.statement import Level, Statement, Status

TOKEN: Final[frozenset[CheckNeed]] = frozenset({"token"})
ISSUER: Final[frozenset[CheckNeed]] = frozenset({"token", "issuer"})
APP: Final[frozenset[CheckNeed]] = frozenset({"token", "app"})
FRESH: Final[frozenset[CheckNeed]] = frozenset({"token", "issuer", "fresh"})
DOWNSTREAM: Final[frozenset[CheckNeed]] = frozenset({"token", "issuer", "app", "downstream"})
LOAD: Final[frozenset[CheckNeed]] = frozenset({"load"})
ANYWHERE: Final[frozenset[CheckNeed]] = frozenset()


class DuplicateCheckError(ValueError):
    """Raised when two checks claim one id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What one run of a check found.

    Attributes:
        expected: What a good endpoint does, in words.
        actual: What this one did; for a skip, why nothing could be found out.
        curl: A command that repeats the request, without its token and without names.
        latency_ms: The time of the request that decided, in milliseconds.
    """

    status: Status
    expected: str
    actual: str
    curl: str | None = None
    latency_ms: float | None = None


type CheckFunction = Callable[[CheckEnvironment], Awaitable[CheckOutcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Statement):
    """One statement about an endpoint and how to test it; its title reads on from "the endpoint …".

    Attributes:
        needs: What the bench must have for it.
        variant: The settings of the app that it is about; None: the usual ones.
    """

    level: Level = "must"
    run: CheckFunction = field(repr=False)
    needs: frozenset[CheckNeed] = TOKEN
    variant: AppVariant | None = None


class CheckTexts(TypedDict):
    """What a check says about itself, besides its title; see `Statement`."""

    source: str
    why: str
    fix: str
    level: NotRequired[Level]
    bad: NotRequired[str]
    good: NotRequired[str]


class CheckFields(CheckTexts):
    """The fields of a check that is a function of its own."""

    explain: str
    needs: NotRequired[frozenset[CheckNeed]]
    variant: NotRequired[AppVariant | None]


REGISTRY: Final[dict[str, Check]] = {}


def register(check: Check, registry: dict[str, Check] = REGISTRY) -> None:
    """Add a check.

    Raises:
        DuplicateCheckError: The id is taken; the message names both checks.
    """
    taken = registry.get(check.id)
    if taken is not None:
        raise DuplicateCheckError(f'{check.id} is "{taken.title}"; "{check.title}" needs an id of its own')
    registry[check.id] = check


def check(
    id: str,  # noqa: A002 - it is the name of the field
    title: str,
    **fields: Unpack[CheckFields],
) -> Callable[[CheckFunction], CheckFunction]:
    """Register the decorated function as the check of this id."""

    def decorate(run: CheckFunction) -> CheckFunction:
        register(Check(id=id, title=title, run=run, **fields))
        return run

    return decorate


def select(wanted: Sequence[str], registry: dict[str, Check] = REGISTRY) -> tuple[Check, ...]:
    """Choose checks by id or by the start of an id; nothing wanted is everything.

    An id that exists means that check alone: ``T10`` is not ``T100``. The order is that of the ids.

    Raises:
        CannotRun: One of the words selects nothing.
    """
    chosen: dict[str, Check] = {} if wanted else dict(registry)
    for word in wanted:
        key = word.upper()
        found = [key] if key in registry else [name for name in registry if key and name.startswith(key)]
        if not found and key.startswith("D"):
            raise CannotRun(f"{word!r} is a statement of the doctor's: {PROGRAM} doctor")
        if not found:
            near = ", ".join(get_close_matches(key, registry)) or "C, T, B, F, L"
            raise CannotRun(f"no check is called {word!r}; near: {near}; `check --list` shows all")
        chosen |= {name: registry[name] for name in found}
    return tuple(sorted(chosen.values(), key=lambda each: each.order))
