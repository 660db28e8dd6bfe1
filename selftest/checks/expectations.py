"""Functions that send requests and turn the responses into outcomes.

A refusal alone proves nothing: an endpoint that refuses every request would pass every attack. Each attack therefore
has a control, the same request without the fault, and counts only if the control is answered 200.
"""

import asyncio
import json
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest, RawResponse, send_withholding
from selftest.checks.registry import CheckOutcome
from selftest.report.results import NO_CONTROL

#: Returns what is wrong with a response, or None.
type ResponseRule = Callable[[RawResponse], str | None]

OK: Final = frozenset({200})
REFUSAL: Final = "a refusal: a whole response that is not 200"
#: A host that refuses an announced length does not wait for the body.
_AT_ONCE_MS: Final = 1000
#: Statuses of a host or gateway in place of the endpoint, which it sends to any caller; so is every redirect.
_NOT_OF_THE_ENDPOINT: Final = frozenset({*range(300, 400), 404, 405, 410, 501, 502, 503, 504})


def judged(response: RawResponse, expected: str, complaint: str | None, *, actual: str | None = None) -> CheckOutcome:
    """Return a pass without a complaint, and a fail with one.

    Args:
        response: The deciding response.
        expected: What a valid endpoint does.
        complaint: What is wrong with the response, or None.
        actual: What the endpoint did, if nothing is wrong; by default the response's status.
    """
    if complaint is None:
        return CheckOutcome(
            status="pass",
            expected=expected,
            actual=actual or str(response),
            latency_ms=response.latency_ms,
            answer=response.excerpt,
        )
    curl = response.request.curl()
    return CheckOutcome(
        status="fail",
        expected=expected,
        actual=complaint,
        curl=curl,
        latency_ms=response.latency_ms,
        correlation_id=response.request.correlation_id,
        answer=response.excerpt,
    )


def passed(response: RawResponse, expected: str, actual: str | None = None) -> CheckOutcome:
    """Return a pass."""
    return judged(response, expected, None, actual=actual)


def failed(response: RawResponse, expected: str, actual: str | None = None) -> CheckOutcome:
    """Return a fail with a command that repeats the request."""
    return judged(response, expected, actual or str(response))


def skipped(expected: str, reason: str, cause: str | None = None) -> CheckOutcome:
    """Return a skip with its reason and, if it follows from another check's failure, that check's id."""
    return CheckOutcome(status="skip", expected=expected, actual=reason, cause=cause)


def no_refusal(expected: str, response: RawResponse) -> CheckOutcome:
    """Return the skip of a check that reads a refusal, where the request was answered 200 or not at all."""
    answer = "answered 200, which other checks report" if response.status == 200 else f"not answered: {response}"
    return skipped(expected, f"a request that should be refused was {answer}; there is no refusal to read")


def in_words(statuses: Collection[int]) -> str:
    """Return statuses as text: ``400 or 401``."""
    return " or ".join(str(status) for status in sorted(statuses))


async def must_answer(env: CheckEnvironment, *requests: RawRequest, statuses: Collection[int] = OK) -> CheckOutcome:
    """Send requests one after the other until one is not answered with one of ``statuses``."""
    expected = f"HTTP {in_words(statuses)}"
    for request in requests:
        response = await env.send(request)
        if response.status not in statuses:
            return failed(response, expected)
    return passed(response, expected)


async def must_keep(
    env: CheckEnvironment,
    expected: str,
    rule: ResponseRule,
    *,
    request: RawRequest | None = None,
    status: int | None = 200,
    unreadable: ResponseRule = lambda _: None,
) -> CheckOutcome:
    """Send a request and apply a rule to the response; a response of another status is a skip.

    Args:
        env: The environment.
        expected: What a valid endpoint does.
        rule: Returns what is wrong with the response, or None.
        request: The request; by default the valid one.
        status: The status of a response that can be judged; None for any refusal.
        unreadable: Returns why a response of that status cannot be judged, or None.
    """
    response = await env.send(env.good_request() if request is None else request)
    if response.status is None or (response.status == 200 if status is None else response.status != status):
        if status is None:
            return no_refusal(expected, response)
        return skipped(expected, f"the answer should be HTTP {status} and was {response}, so it was not read")
    if (reason := unreadable(response)) is not None:
        return skipped(expected, reason)
    return judged(response, expected, rule(response))


async def must_refuse(
    env: CheckEnvironment,
    attack: RawRequest,
    *,
    control: RawRequest | None,
    also: Callable[[], str | None] = lambda: None,
) -> CheckOutcome:
    """Send the control and then the attack, which must be refused.

    To Entra every status but 200 is the same refusal; statuses and headers are judged by checks of their own. A
    response that did not come, or not whole, is no refusal: what the endpoint would have answered is unknown. Without a
    control, a status that says that no endpoint answers is no refusal.

    Args:
        env: The environment.
        attack: The request that must be refused.
        control: The same request without the fault; None if there is no valid token.
        also: Returns what else the attack caused that is wrong, or None.
    """
    if (lost := await _lost_control(env, control)) is not None:
        return lost
    response = await env.send(attack)
    note = "" if control is not None else f" {NO_CONTROL}"
    if response.status is None:
        return skipped(REFUSAL, f"{response}, which is not a refusal")
    complaint = also()
    if control is None and complaint is None and response.status in _NOT_OF_THE_ENDPOINT:
        lost = skipped(REFUSAL, f"{response}{note}: any caller may get it, so it does not show a refusal")
        return replace(lost, answer=response.excerpt)
    if response.status == 200:
        return replace(failed(response, REFUSAL, f"{response}{note}"), let_in=True)
    return replace(judged(response, REFUSAL, complaint, actual=f"{response}{note}"), let_in=False)


async def _lost_control(env: CheckEnvironment, control: RawRequest | None) -> CheckOutcome | None:
    """Return the skip that follows from a refused valid request; None if it is answered, or if there is none."""
    allowed = None if control is None else await env.send(control)
    if allowed is None or allowed.status == 200:
        return None
    return skipped(REFUSAL, f"the valid request was refused ({allowed}), so a refusal proves nothing", "C01")


async def must_refuse_alike(
    env: CheckEnvironment, attack: RawRequest, *, host_may_refuse: bool = False
) -> CheckOutcome:
    """Send a bad token with a valid event and then the attack, which must get the same status.

    An endpoint that validates the token first does not see what else is wrong.

    Args:
        env: The environment.
        attack: A request with a bad token and another fault.
        host_may_refuse: Whether the web host may refuse the body itself, from the announced length alone.
    """
    authorization = next((value for name, value in attack.headers if name == "Authorization"), None)
    token = None if authorization is None else authorization.removeprefix("Bearer ")
    if (lost := await _lost_control(env, env.control())) is not None:
        return lost
    usual = await env.send(env.request(token))
    if usual.status in {None, 200}:
        return skipped("the status of a bad token", f"a bad token with a valid event got {usual}")
    expected = f"{usual}, as for the same token with a valid event"
    if host_may_refuse:
        expected += ", or 413 or an empty 500 at once from the announced length alone"
    response = await env.send(attack)
    if response.status == usual.status:
        return passed(response, expected)
    if host_may_refuse and is_host_refusal(response) and await _refused_from_length(env, attack):
        return passed(response, expected, f"{response} from the announced length")
    return failed(response, expected)


def challenges(response: RawResponse) -> str | None:
    """Report a missing challenge for a bearer token."""
    value = response.header("WWW-Authenticate") or ""
    return None if value.lower().split(" ")[0] == "bearer" else f"WWW-Authenticate: {value or 'absent'}"


def is_host_refusal(response: RawResponse) -> bool:
    """Whether this may be a web host's refusal of a body's size: 413, or Microsoft's empty 500."""
    return response.status == 413 or (response.status == 500 and not response.body)


async def _refused_from_length(env: CheckEnvironment, attack: RawRequest) -> bool:
    """Whether the refusal comes after one byte of the body, before an app could have read it."""
    response = await send_withholding(
        env.session,
        attack,
        withheld_bytes=len(attack.body) - 1,
        until=asyncio.Event().wait,
        timeout_ms=_AT_ONCE_MS,
        clock=env.stopwatch,
    )
    return is_host_refusal(response)


def read_json(response: RawResponse) -> dict[str, Any]:
    """Return the body as a JSON object; an empty one if it is not an object."""
    try:
        value = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def claims_of(response: RawResponse) -> object:
    """Return the claims of the reply's first action, or None if there are none."""
    action = first_action(response)
    return action.get("claims") if action is not None else None


def data_of(response: RawResponse) -> dict[str, Any]:
    """Return the reply's data; an empty object if there is none."""
    data = read_json(response).get("data")
    return data if isinstance(data, dict) else {}


def first_action(response: RawResponse) -> dict[str, Any] | None:
    """Return the reply's first action, or None if there is none."""
    actions = data_of(response).get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    return first if isinstance(first, dict) else None
