"""C20 to C39: status, headers, timing and routing of the endpoint."""

from dataclasses import replace
from typing import Final

from yarl import URL

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest, RawResponse
from selftest.checks.contract.refusal_rules import not_stored
from selftest.checks.expectations import ResponseRule, failed, judged, must_answer, must_keep, passed, skipped
from selftest.checks.registry import ANYWHERE, CheckOutcome, check
from selftest.contract import DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS

_TIMED_CALLS: Final = 5


def _absent(name: str) -> ResponseRule:
    def rule(response: RawResponse) -> str | None:
        value = response.header(name)
        return None if value is None else f"{name}: {value[:80]}"

    return rule


@check("C20")
async def forbids_caching(env: CheckEnvironment) -> CheckOutcome:
    """Look for the directive in Cache-Control."""
    return await must_keep(env, "Cache-Control: no-store", not_stored)


@check("C21")
async def does_not_compress(env: CheckEnvironment) -> CheckOutcome:
    """Look for Content-Encoding, and for gzip's first bytes without it."""

    def compressed(response: RawResponse) -> str | None:
        undeclared = "gzip without Content-Encoding" if response.body.startswith(b"\x1f\x8b") else None
        return _absent("Content-Encoding")(response) or undeclared

    return await must_keep(env, "no Content-Encoding", compressed)


@check("C22")
async def does_not_redirect(env: CheckEnvironment) -> CheckOutcome:
    """Look at the status and at Location."""
    expected = "no 3xx and no Location"
    response = await env.send(env.good_request())
    if response.status is not None and (300 <= response.status < 400 or response.header("Location") is not None):
        return failed(response, expected)
    return passed(response, expected) if response.status == 200 else skipped(expected, f"there is no reply: {response}")


@check("C23")
async def sets_no_cookie(env: CheckEnvironment) -> CheckOutcome:
    """Look for Set-Cookie."""
    return await must_keep(env, "no Set-Cookie", _absent("Set-Cookie"))


@check("C24")
async def allows_no_web_page(env: CheckEnvironment) -> CheckOutcome:
    """Send the Origin of a web page."""
    header = "Access-Control-Allow-Origin"
    request = env.good_request().with_header("Origin", "https://page.example")
    return await must_keep(env, f"no {header}", _absent(header), request=request)


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


@check("C30")
async def reports_timings(env: CheckEnvironment) -> CheckOutcome:
    """Look for a duration in Server-Timing."""

    def untimed(response: RawResponse) -> str | None:
        value = response.header("Server-Timing") or "absent"
        return None if "dur=" in value else f"Server-Timing: {value}"

    return await must_keep(env, "Server-Timing with durations", untimed)


@check("C31", needs=ANYWHERE)
async def hides_timings_from_unauthenticated_callers(env: CheckEnvironment) -> CheckOutcome:
    """Look for Server-Timing in a refusal."""
    response = await env.send(env.request())
    if response.status is None:
        return skipped("no Server-Timing", f"there is no reply to read: {response}")
    return judged(response, "no Server-Timing", _absent("Server-Timing")(response))
