"""C20 to C39: status, headers, timing and routing of the endpoint."""

from dataclasses import replace
from typing import Final

from yarl import URL

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest, RawResponse
from selftest.checks.contract.refusal_rules import not_stored
from selftest.checks.contract.rule_check import keeps
from selftest.checks.expectations import ResponseRule, failed, judged, must_answer, passed, skipped
from selftest.checks.registry import ANYWHERE, CheckOutcome, check
from selftest.contract import DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS

_TIMED_CALLS: Final = 5


def _absent(name: str) -> ResponseRule:
    def rule(response: RawResponse) -> str | None:
        value = response.header(name)
        return None if value is None else f"{name}: {value[:80]}"

    return rule


def _compressed(response: RawResponse) -> str | None:
    """Report Content-Encoding, and gzip's first bytes without it."""
    undeclared = "gzip without Content-Encoding" if response.body.startswith(b"\x1f\x8b") else None
    return _absent("Content-Encoding")(response) or undeclared


def _untimed(response: RawResponse) -> str | None:
    """Report Server-Timing without a duration."""
    value = response.header("Server-Timing") or "absent"
    return None if "dur=" in value else f"Server-Timing: {value}"


def _of_a_web_page(env: CheckEnvironment) -> RawRequest:
    return env.good_request().with_header("Origin", "https://page.example")


keeps("C20", "Cache-Control: no-store", not_stored)
keeps("C21", "no Content-Encoding", _compressed)
keeps("C23", "no Set-Cookie", _absent("Set-Cookie"))
keeps("C24", "no Access-Control-Allow-Origin", _absent("Access-Control-Allow-Origin"), request=_of_a_web_page)
keeps("C30", "Server-Timing with durations", _untimed)


@check("C22")
async def does_not_redirect(env: CheckEnvironment) -> CheckOutcome:
    """Look at the status and at Location."""
    expected = "no 3xx and no Location"
    response = await env.send(env.good_request())
    if response.status is not None and (300 <= response.status < 400 or response.header("Location") is not None):
        return failed(response, expected)
    return passed(response, expected) if response.status == 200 else skipped(expected, f"there is no reply: {response}")


async def _answers_within(env: CheckEnvironment, limit_ms: int) -> CheckOutcome:
    """Send several calls and judge the slowest."""
    expected = f"each of {_TIMED_CALLS} calls answered 200 within {limit_ms} ms"
    responses = [await env.send(env.good_request()) for _ in range(_TIMED_CALLS)]
    unanswered = next((response for response in responses if response.status != 200), None)
    if unanswered is not None:
        if unanswered.failure == "timeout":
            return failed(unanswered, expected)
        return skipped(expected, f"there is no reply to time: {unanswered}")
    slowest = max(responses, key=lambda response: response.latency_ms)
    report = f"the slowest took {slowest.latency_ms:.1f} ms"
    return judged(slowest, expected, None if slowest.latency_ms <= limit_ms else report, actual=report)


@check("C26", calls=_TIMED_CALLS)
async def answers_within_two_seconds(env: CheckEnvironment) -> CheckOutcome:
    """Compare with the longest timeout that Entra allows."""
    return await _answers_within(env, MAX_TIMEOUT_MS)


@check("C27", calls=_TIMED_CALLS)
async def answers_within_one_second(env: CheckEnvironment) -> CheckOutcome:
    """Compare with Graph's default."""
    return await _answers_within(env, DEFAULT_TIMEOUT_MS)


@check("C28", needs=ANYWHERE)
async def refuses_get(env: CheckEnvironment) -> CheckOutcome:
    """Send GET."""
    return await must_answer(env, RawRequest(url=env.url, method="GET"), statuses={404, 405})


@check("C29")
async def knows_its_path(env: CheckEnvironment) -> CheckOutcome:
    """Send the valid request to another path."""
    other = str(URL(env.url).parent / "nothing-is-here")
    return await must_answer(env, replace(env.good_request(), url=other), statuses={404})


@check("C31", needs=ANYWHERE)
async def hides_timings_from_unauthenticated_callers(env: CheckEnvironment) -> CheckOutcome:
    """Look for Server-Timing in a refusal."""
    response = await env.send(env.request())
    if response.status is None:
        return skipped("no Server-Timing", f"there is no reply to read: {response}")
    return judged(response, "no Server-Timing", _absent("Server-Timing")(response))
