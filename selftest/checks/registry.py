"""The one registry of checks: the command line, the tests, the reports and the code page all read it.

A check is a true statement about a good endpoint, and the function that finds out whether it holds. Ids are a letter
for the subject (T token, B body, C contract, F faults, L load) and a number; a number is never used twice, so groups
leave gaps. What runs a check is in ``runner``; this module only knows what there is.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.base.program import PROGRAM
from selftest.checks.bench.environment import Bench, Need
from selftest.checks.bench.variant import Variant
from selftest.judge.statement import Level, Statement, Status

__all__ = [
    "ANYWHERE",
    "APP",
    "DOWNSTREAM",
    "FRESH",
    "ISSUER",
    "REGISTRY",
    "TOKEN",
    "Check",
    "DuplicateCheckError",
    "Level",
    "Outcome",
    "Run",
    "Status",
    "UnknownCheckError",
    "check",
    "register",
    "select",
]

TOKEN: Final[frozenset[Need]] = frozenset({"token"})
ISSUER: Final[frozenset[Need]] = frozenset({"token", "issuer"})
APP: Final[frozenset[Need]] = frozenset({"token", "app"})
FRESH: Final[frozenset[Need]] = frozenset({"token", "issuer", "fresh"})
DOWNSTREAM: Final[frozenset[Need]] = frozenset({"token", "issuer", "app", "downstream"})
LOAD: Final[frozenset[Need]] = frozenset({"load"})
ANYWHERE: Final[frozenset[Need]] = frozenset()


class UnknownCheckError(CannotRun):
    """Raised when an id or prefix selects nothing; the message names what is near."""


class DuplicateCheckError(ValueError):
    """Raised when two checks claim one id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
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


type Run = Callable[[Bench], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Statement):
    """One statement about an endpoint and how to test it; its title reads on from "the endpoint …".

    Attributes:
        needs: What the bench must have for it.
        variant: The settings of the app that it is about; None: the usual ones.
    """

    run: Run = field(repr=False)
    needs: frozenset[Need] = TOKEN
    variant: Variant | None = None


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
    id: str,  # noqa: A002 - it is the name of the field, and named at every call
    title: str,
    *,
    source: str,
    why: str,
    fix: str,
    explain: str,
    level: Level = "must",
    bad: str | None = None,
    good: str | None = None,
    needs: frozenset[Need] = TOKEN,
    variant: Variant | None = None,
) -> Callable[[Run], Run]:
    """Register the decorated function as the check of this id."""

    def decorate(run: Run) -> Run:
        register(
            Check(
                id=id,
                title=title,
                level=level,
                source=source,
                why=why,
                fix=fix,
                explain=explain,
                bad=bad,
                good=good,
                needs=needs,
                variant=variant,
                run=run,
            )
        )
        return run

    return decorate


def select(wanted: Sequence[str], registry: dict[str, Check] = REGISTRY) -> tuple[Check, ...]:
    """Choose checks by id or by the start of an id; nothing wanted is everything.

    An id that exists means that check alone: ``T10`` is not ``T100``. The order is that of the ids.

    Raises:
        UnknownCheckError: One of the words selects nothing.
    """
    chosen: dict[str, Check] = {} if wanted else dict(registry)
    for word in wanted:
        key = word.upper()
        found = [key] if key in registry else [name for name in registry if key and name.startswith(key)]
        if not found and key.startswith("D"):
            raise UnknownCheckError(f"{word!r} is a statement of the doctor's: {PROGRAM} doctor")
        if not found:
            near = ", ".join(get_close_matches(key, registry)) or "C, T, B, F, L"
            raise UnknownCheckError(f"no check is called {word!r}; near: {near}; `check --list` shows all")
        chosen |= {name: registry[name] for name in found}
    return tuple(sorted(chosen.values(), key=lambda each: each.order))
