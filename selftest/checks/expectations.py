"""From an answer to an outcome.

A refusal proves nothing by itself: an endpoint that refuses everything would pass every attack. So each attack
comes with its control, the same request without the fault, and counts only when the control was answered 200.
"""

import asyncio
import json
from collections.abc import Callable, Collection
from typing import Any, Final

from selftest.checks.bench.environment import Bench
from selftest.checks.bench.probe import Answer, Request, send_withholding
from selftest.checks.registry import Outcome

#: Returns what is wrong with an answer, or None.
type AnswerRule = Callable[[Answer], str | None]

OK: Final = frozenset({200})
UNAUTHORIZED: Final = frozenset({401})
#: A host that refuses an announced length has nothing to wait for.
_AT_ONCE_MS: Final = 1000
NO_CONTROL: Final = " (without a control: no believed token is at hand)"


def judged(answer: Answer, expected: str, complaint: str | None, *, actual: str | None = None) -> Outcome:
    """Pass without a complaint, and fail with one.

    Args:
        answer: The answer that decided.
        expected: What a good endpoint does.
        complaint: What is wrong with the answer, or None.
        actual: What the endpoint did, where nothing is wrong; by default the answer's status.
    """
    if complaint is None:
        return Outcome(status="pass", expected=expected, actual=actual or str(answer), latency_ms=answer.latency_ms)
    curl = answer.request.curl()
    return Outcome(status="fail", expected=expected, actual=complaint, curl=curl, latency_ms=answer.latency_ms)


def passed(answer: Answer, expected: str, actual: str | None = None) -> Outcome:
    """Report that the endpoint did what was expected."""
    return judged(answer, expected, None, actual=actual)


def failed(answer: Answer, expected: str, actual: str | None = None) -> Outcome:
    """Report what it did instead, with the request that shows it."""
    return judged(answer, expected, actual or str(answer))


def skipped(expected: str, reason: str) -> Outcome:
    """Report that nothing could be found out, and why."""
    return Outcome(status="skip", expected=expected, actual=reason)


def in_words(statuses: Collection[int]) -> str:
    """Name HTTP statuses: ``400 or 401``."""
    return " or ".join(str(status) for status in sorted(statuses))


async def must_answer(bench: Bench, *requests: Request, statuses: Collection[int] = OK) -> Outcome:
    """Send requests in turn, each of which must be answered with one of ``statuses``; the first that is not ends it."""
    expected = f"HTTP {in_words(statuses)}"
    for request in requests:
        answer = await bench.send(request)
        if answer.status not in statuses:
            return failed(answer, expected)
    return passed(answer, expected)


async def must_keep(
    bench: Bench,
    expected: str,
    rule: AnswerRule,
    *,
    request: Request | None = None,
    status: int = 200,
    unreadable: AnswerRule = lambda _: None,
) -> Outcome:
    """Apply a rule to the answer to a request, by default to the good one; an answer of another status is a skip.

    Args:
        bench: Where to send it.
        expected: What a good endpoint does.
        rule: Returns what is wrong with the answer, or None.
        request: What to send.
        status: Of the answer that can be judged.
        unreadable: Returns why such an answer cannot be judged either, or None.
    """
    answer = await bench.send(bench.good_request() if request is None else request)
    if answer.status != status:
        return skipped(expected, f"there is no {status} to read: {answer}")
    if (reason := unreadable(answer)) is not None:
        return skipped(expected, reason)
    return judged(answer, expected, rule(answer))


async def must_refuse(
    bench: Bench,
    attack: Request,
    *,
    control: Request | None,
    statuses: Collection[int] = UNAUTHORIZED,
    also: Callable[[], str | None] = lambda: None,
    host_may_refuse: bool = False,
) -> Outcome:
    """Send the control, then the attack, which must be answered with one of ``statuses``.

    Args:
        bench: Where to send them.
        attack: What must be refused.
        control: The same request without the fault; None where no believed token is at hand.
        statuses: What a refusal is; a 401 must carry ``WWW-Authenticate: Bearer`` (RFC 6750 section 3).
        also: Looks at what else the attack may have caused, and complains.
        host_may_refuse: For a body that is larger than a web host needs to let through: whether the host may refuse
            it by itself, from the announced length alone.
    """
    expected = f"HTTP {in_words(statuses)}"
    if 401 in statuses:
        expected += " with WWW-Authenticate: Bearer"
    if host_may_refuse:
        expected += ", or 413 or an empty 500 at once from the announced length alone"
    if control is not None:
        allowed = await bench.send(control)
        if allowed.status != 200:
            return skipped(expected, f"the good request was refused ({allowed}), so a refusal proves nothing")
    answer = await bench.send(attack)
    note = "" if control is not None else NO_CONTROL
    if answer.status not in statuses:
        if host_may_refuse and is_host_refusal(answer) and await _refused_from_length(bench, attack):
            return passed(answer, expected, f"{answer} from the announced length{note}")
        return failed(answer, expected, f"{answer}{note}")
    if answer.status == 401 and (complaint := challenges(answer)) is not None:
        return failed(answer, expected, f"HTTP 401 with {complaint}{note}")
    return judged(answer, expected, also(), actual=f"{answer}{note}")


def challenges(answer: Answer) -> str | None:
    """Complain where no bearer token is asked for."""
    value = answer.header("WWW-Authenticate") or ""
    return None if value.lower().split(" ")[0] == "bearer" else f"WWW-Authenticate: {value or 'absent'}"


def is_host_refusal(answer: Answer) -> bool:
    """Whether this may be a web host's refusal of a body's size: 413, or Microsoft's empty 500."""
    return answer.status == 413 or (answer.status == 500 and not answer.body)


async def _refused_from_length(bench: Bench, attack: Request) -> bool:
    """Whether the refusal comes while one byte of the body is sent, which an app that fails on the body cannot do."""
    answer = await send_withholding(
        bench.session,
        attack,
        withheld_bytes=len(attack.body) - 1,
        until=asyncio.Event().wait,
        timeout_ms=_AT_ONCE_MS,
        clock=bench.stopwatch,
    )
    return is_host_refusal(answer)


def read_json(answer: Answer) -> dict[str, Any]:
    """Read a body as a JSON object; what is none reads as an empty one."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def claims_of(answer: Answer) -> object:
    """Give the claims of the reply's first action, or None where the way there is broken."""
    action = first_action(answer)
    return action.get("claims") if action is not None else None


def first_action(answer: Answer) -> dict[str, Any] | None:
    """Give the reply's first action, or None where the way there is broken."""
    data = read_json(answer).get("data")
    actions = data.get("actions") if isinstance(data, dict) else None
    first = actions[0] if isinstance(actions, list) and actions else None
    return first if isinstance(first, dict) else None
