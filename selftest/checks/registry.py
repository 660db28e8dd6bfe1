"""The registry of checks, which the command line, the tests, the reports and the page of codes read.

A check is a statement that is true of a valid endpoint, and the function that tests it. An id is a letter for the
subject (T token, B body, C contract, F faults, L load, I instances) and a number; a number is never reused, so groups
have gaps. ``runner`` runs the checks.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal

from selftest.base.cannot_run import CannotRun
from selftest.base.program import PROGRAM
from selftest.checks.bench.environment import CheckEnvironment, CheckNeed
from selftest.checks.bench.variant import AppVariant
from selftest.judge.statement import Statement, Status
from selftest.judge.texts import filled, read_texts

TOKEN: Final[frozenset[CheckNeed]] = frozenset({"token"})
ISSUER: Final[frozenset[CheckNeed]] = frozenset({"token", "issuer"})
APP: Final[frozenset[CheckNeed]] = frozenset({"token", "app"})
LOG: Final[frozenset[CheckNeed]] = frozenset({"token", "log"})
DOWNSTREAM: Final[frozenset[CheckNeed]] = frozenset({"token", "issuer", "app", "downstream"})
#: The app, started with other settings than the usual ones, and a provider of its own.
STARTED: Final[frozenset[CheckNeed]] = frozenset({"token", "issuer", "app", "provider"})
#: Several instances of the app, without and with a cache that they share.
INSTANCES: Final[frozenset[CheckNeed]] = frozenset({"token", "issuer", "downstream", "instances"})
SHARED_CACHE: Final[frozenset[CheckNeed]] = INSTANCES | {"redis-server", "redis-client"}
LOAD: Final[frozenset[CheckNeed]] = frozenset({"load"})
ANYWHERE: Final[frozenset[CheckNeed]] = frozenset()


#: When a check runs: rollovers of the keys come first, because checks with unknown key ids use up what they need, and
#: malformed keys last, because a library may lose every key by them.
type CheckStage = Literal["rollover", "usual", "malformed-keys", "end"]

STAGES: Final[tuple[CheckStage, ...]] = ("rollover", "usual", "malformed-keys", "end")

#: Longer than fifty requests that time out, two at a time.
CHECK_TIMEOUT_S: Final = 60.0


class CheckRegistrationError(ValueError):
    """Raised when an id is taken, a check has no texts, or texts have no check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """The result of one run of a check.

    Attributes:
        expected: What a valid endpoint does.
        actual: What this endpoint did; for a skip, the reason.
        curl: A command that repeats the request, without its token and without names.
        latency_ms: The latency of the deciding request, in milliseconds.
        let_in: Whether an attack was answered 200; None if this was no attack, or if its answer is unknown.
        cause: The id of the check whose failure this skip follows from.
        fix: What to do, if it depends on what the endpoint did.
        correlation_id: That of the deciding request's event; None if it has none.
        answer: Who answered the deciding request, and the start of the body, if that may be shown.
    """

    status: Status
    expected: str
    actual: str
    curl: str | None = None
    latency_ms: float | None = None
    let_in: bool | None = None
    cause: str | None = None
    fix: str | None = None
    correlation_id: str | None = None
    answer: str | None = None


type CheckFunction = Callable[[CheckEnvironment], Awaitable[CheckOutcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Statement):
    """One statement about an endpoint and the function that tests it; the title continues "the endpoint …".

    Attributes:
        needs: What the environment must have to run the check.
        variant: The settings of the app that the check needs; None for the usual ones.
        stage: When it runs.
        timeout_s: How long it may take, in seconds.
    """

    run: CheckFunction = field(repr=False)
    needs: frozenset[CheckNeed] = TOKEN
    variant: AppVariant | None = None
    stage: CheckStage = "usual"
    timeout_s: float = CHECK_TIMEOUT_S


REGISTRY: Final[dict[str, Check]] = {}
#: The members of each id in the TOML files beside the modules of the checks.
TEXTS: Final = read_texts(Path(__file__).parent)
_TEXT_NAMES: Final = [member.name for member in fields(Statement) if member.name != "id"]


def register(check: Check, registry: dict[str, Check] = REGISTRY) -> None:
    """Add a check.

    Raises:
        CheckRegistrationError: The id is taken.
    """
    if check.id in registry:
        raise CheckRegistrationError(f'{check.id} ("{check.title}") is registered twice; give one check another id')
    registry[check.id] = check


def check(
    check_id: str,
    *,
    needs: frozenset[CheckNeed] = TOKEN,
    variant: AppVariant | None = None,
    stage: CheckStage = "usual",
    timeout_s: float = CHECK_TIMEOUT_S,
    **values: object,
) -> Callable[[CheckFunction], CheckFunction]:
    """Register the decorated function as the check of this id, whose texts are in a TOML file of its group.

    Args:
        check_id: The id.
        needs: See `Check`.
        variant: See `Check`.
        stage: See `Check`.
        timeout_s: See `Check`.
        **values: What placeholders in the texts stand for, and texts that the file does not have.

    Raises:
        CheckRegistrationError: The id has no texts or is taken.
    """

    def decorate(run: CheckFunction) -> CheckFunction:
        if check_id not in TEXTS:
            raise CheckRegistrationError(f"{check_id} has no texts; add a table to the TOML file beside its module")
        members: dict[str, Any] = {**values, **TEXTS[check_id]}
        texts: dict[str, Any] = {name: filled(members[name], members) for name in _TEXT_NAMES if name in members}
        register(Check(id=check_id, run=run, needs=needs, variant=variant, stage=stage, timeout_s=timeout_s, **texts))
        return run

    return decorate


def require_checks_of(texts: Collection[str], registry: Collection[str]) -> None:
    """Require that all texts belong to checks.

    Raises:
        CheckRegistrationError: A check is missing.
    """
    unused = [check_id for check_id in texts if check_id not in registry]
    if unused:
        raise CheckRegistrationError(f"no check has the id of these texts: {', '.join(unused)}; remove the texts")


def select(wanted: Sequence[str], registry: dict[str, Check] = REGISTRY) -> tuple[Check, ...]:
    """Return the checks whose ids are, or start with, one of the words; without words, all checks.

    An existing id selects that check alone: ``T10`` does not select ``T100``. The order is that of the ids.

    Raises:
        CannotRun: A word selects nothing; the message names similar ids.
    """
    chosen: dict[str, Check] = {} if wanted else dict(registry)
    for word in wanted:
        key = word.upper()
        found = [key] if key in registry else [name for name in registry if key and name.startswith(key)]
        if not found and key.startswith("D"):
            raise CannotRun(f"{word!r} is a statement of the doctor: {PROGRAM} doctor")
        if not found:
            near = ", ".join(get_close_matches(key, registry)) or "C, T, B, F, L, I"
            raise CannotRun(f"no check has the id {word!r}; similar: {near}; `check --list` lists all")
        chosen |= {name: registry[name] for name in found}
    return tuple(sorted(chosen.values(), key=lambda each: each.order))
