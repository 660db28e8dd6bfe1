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

type Judged = Callable[[Answer], str | None]

UNAUTHORIZED: Final = frozenset({401})
#: A host that refuses an announced length has nothing to wait for.
_AT_ONCE_MS: Final = 1000
NO_CONTROL: Final = " (without a control: no believed token is at hand)"


def passed(answer: Answer, expected: str, actual: str | None = None) -> Outcome:
    """Report that the endpoint did what was expected."""
    return Outcome(status="pass", expected=expected, actual=actual or str(answer), latency_ms=answer.latency_ms)


def failed(answer: Answer, expected: str, actual: str | None = None) -> Outcome:
    """Report what it did instead, with the request that shows it."""
    return Outcome(
        status="fail",
        expected=expected,
        actual=actual or str(answer),
        curl=answer.request.curl(),
        latency_ms=answer.latency_ms,
    )


def skipped(expected: str, reason: str) -> Outcome:
    """Report that nothing could be found out, and why."""
    return Outcome(status="skip", expected=expected, actual=reason)


async def must_accept(bench: Bench, request: Request, judged: Judged | None = None) -> Outcome:
    """Send a request that is good: 200, and then no complaint from ``judged``."""
    expected = "HTTP 200" if judged is None else "HTTP 200 and a reply that keeps the rule"
    answer = await bench.send(request)
    if answer.status != 200:
        return failed(answer, expected)
    complaint = None if judged is None else judged(answer)
    return passed(answer, expected) if complaint is None else failed(answer, expected, complaint)


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
    expected = "HTTP " + " or ".join(str(status) for status in sorted(statuses))
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
    challenge = answer.header("WWW-Authenticate") or ""
    if answer.status == 401 and challenge.lower().split(" ")[0] != "bearer":
        return failed(answer, expected, f"HTTP 401 with WWW-Authenticate: {challenge or 'absent'}{note}")
    complaint = also()
    if complaint is not None:
        return failed(answer, expected, complaint)
    return passed(answer, expected, f"{answer}{note}")


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


async def with_good_reply(
    bench: Bench,
    expected: str,
    judged: Callable[[Answer, dict[str, Any]], str | None],
    *,
    readable: Callable[[dict[str, Any]], bool] | None = None,
) -> Outcome:
    """Send the good request and let ``judged`` read the 200 reply; a reply that cannot be read is a visible skip."""
    answer = await bench.send(bench.good_request())
    if answer.status != 200:
        return skipped(expected, f"there is no reply to read: {answer}")
    reply = read_json(answer)
    if readable is not None and not readable(reply):
        return skipped(expected, "the reply has no claims object to read; C06 fails")
    complaint = judged(answer, reply)
    return passed(answer, expected, "it does") if complaint is None else failed(answer, expected, complaint)


def read_json(answer: Answer) -> dict[str, Any]:
    """Read a body as a JSON object; what is none reads as an empty one."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def claims_of(reply: dict[str, Any]) -> object:
    """Give the claims of the reply's first action, or None where the way there is broken."""
    action = first_action(reply)
    return action.get("claims") if action is not None else None


def first_action(reply: dict[str, Any]) -> dict[str, Any] | None:
    """Give the reply's first action, or None where the way there is broken."""
    data = reply.get("data")
    actions = data.get("actions") if isinstance(data, dict) else None
    first = actions[0] if isinstance(actions, list) and actions else None
    return first if isinstance(first, dict) else None
