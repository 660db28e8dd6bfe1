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

_OURS: Final = "ours: the HTTP contract"
_TIMED_CALLS: Final = 5


def _absent(name: str) -> ResponseRule:
    def rule(response: RawResponse) -> str | None:
        value = response.header(name)
        return None if value is None else f"{name}: {value[:80]}"

    return rule


@check(
    "C20",
    "forbids caching of the reply",
    level="convention",
    source="RFC 9111 section 5.2.2.5",
    why="The reply is about one user; a proxy that stores it could return it for another.",
    fix="Send Cache-Control: no-store with every answer.",
    explain="Sends the valid event.\nExpected: Cache-Control: no-store.",
    good="Cache-Control: no-store",
)
async def forbids_caching(env: CheckEnvironment) -> CheckOutcome:
    """Look for the directive in Cache-Control."""
    return await must_keep(env, "Cache-Control: no-store", not_stored)


@check(
    "C21",
    "does not compress the reply",
    level="hardening",
    source="entra-docs custom-claims-provider-reference.md documents no encoding, and Entra requests none",
    why="Whether Entra decompresses is not documented; if not, the body is not JSON (1003003).",
    fix="Disable compression for this route, also in front ends and proxies.",
    explain="Sends the valid event without Accept-Encoding.\nExpected: no Content-Encoding.",
    bad="Content-Encoding: gzip",
)
async def does_not_compress(env: CheckEnvironment) -> CheckOutcome:
    """Look for Content-Encoding, and for gzip's first bytes without it."""

    def compressed(response: RawResponse) -> str | None:
        undeclared = "gzip without Content-Encoding" if response.body.startswith(b"\x1f\x8b") else None
        return _absent("Content-Encoding")(response) or undeclared

    return await must_keep(env, "no Content-Encoding", compressed)


@check(
    "C22",
    "does not redirect",
    level="sign-in",
    source="entra-docs custom-claims-provider-reference.md: 200 is the only status documented",
    why="Whether Entra follows redirects is not documented; a followed redirect could send the token to another host.",
    fix="Configure the final URL in Entra: https, the right host, the exact path.",
    explain="Sends the valid event and follows no redirect.\nExpected: no 3xx and no Location.",
    bad="HTTP/1.1 307 Temporary Redirect",
)
async def does_not_redirect(env: CheckEnvironment) -> CheckOutcome:
    """Look at the status and at Location."""
    expected = "no 3xx and no Location"
    response = await env.send(env.good_request())
    if response.status is not None and (300 <= response.status < 400 or response.header("Location") is not None):
        return failed(response, expected)
    return passed(response, expected) if response.status == 200 else skipped(expected, f"there is no reply: {response}")


@check(
    "C23",
    "sets no cookie",
    level="convention",
    source=_OURS,
    why="Entra does not store cookies; a cookie indicates a session or an affinity that is not needed.",
    fix="Disable session affinity (ARRAffinity) and session middleware.",
    explain="Sends the valid event.\nExpected: no Set-Cookie.",
)
async def sets_no_cookie(env: CheckEnvironment) -> CheckOutcome:
    """Look for Set-Cookie."""
    return await must_keep(env, "no Set-Cookie", _absent("Set-Cookie"))


@check(
    "C24",
    "does not allow web pages to read it (CORS)",
    level="hardening",
    source="Fetch standard, CORS protocol",
    why="Entra calls from a server; access from a web page is useful only to attackers.",
    fix="Remove CORS from the app and from the platform's settings.",
    explain="Sends the valid event with an Origin header.\nExpected: no Access-Control-Allow-Origin.",
    bad="Access-Control-Allow-Origin: *",
)
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


@check(
    "C26",
    "answers within 2000 ms",
    level="sign-in",
    source="Microsoft Graph customExtensionClientConfiguration: timeoutInMilliseconds is at most 2000",
    why="Entra logs 1003005 and the sign-in fails; the limit cannot be raised.",
    fix="Limit the time of the provider, cache downstream tokens, and keep the plan warm: docs/timing-budget.md.",
    explain=f"Sends the valid event {_TIMED_CALLS} times.\nExpected: each answered within 2000 ms.",
)
async def answers_within_two_seconds(env: CheckEnvironment) -> CheckOutcome:
    """Compare with the longest timeout that Entra allows."""
    return await _answers_within(env, MAX_TIMEOUT_MS)


@check(
    "C27",
    "answers within 1000 ms",
    level="hardening",
    source="Microsoft Graph customExtensionClientConfiguration: 1000 is the default",
    why="An extension that was created without a timeout waits for one second only.",
    fix="Set timeoutInMilliseconds to 2000 on the extension, and reduce the endpoint's latency.",
    explain=f"Sends the valid event {_TIMED_CALLS} times.\nExpected: each answered within 1000 ms.",
)
async def answers_within_one_second(env: CheckEnvironment) -> CheckOutcome:
    """Compare with Graph's default."""
    return await _answers_within(env, DEFAULT_TIMEOUT_MS)


@check(
    "C28",
    "answers GET with 404 or 405",
    level="convention",
    source=f"{_OURS}; RFC 9110 section 15.5.6",
    why="A route that accepts every method can be called by a link.",
    fix="Restrict the route to POST.",
    explain="Sends GET to the endpoint's address, without a token.\nExpected: 404 (the Functions host) or 405.",
    needs=ANYWHERE,
)
async def refuses_get(env: CheckEnvironment) -> CheckOutcome:
    """Send GET."""
    return await must_answer(env, RawRequest(url=env.url, method="GET"), statuses={404, 405})


@check(
    "C29",
    "answers an unknown path with 404",
    level="convention",
    source=f"{_OURS}; RFC 9110 section 15.5.5",
    why="A route that matches every path answers requests that are not meant for it.",
    fix="Give the route its full path without a wildcard.",
    explain="Sends the valid request to another path next to the endpoint's.\nExpected: 404.",
)
async def knows_its_path(env: CheckEnvironment) -> CheckOutcome:
    """Send the valid request to another path."""
    other = str(URL(env.url).parent / "nothing-is-here")
    return await must_answer(env, replace(env.good_request(), url=other), statuses={404})


@check(
    "C30",
    "reports its timings to an authenticated caller",
    level="convention",
    source="W3C Server Timing; " + _OURS,
    why="Without them, a slow endpoint cannot be distinguished from a slow network.",
    fix="Send Server-Timing with the phases. See claims/request_log.py.",
    explain="Sends the valid event.\nExpected: a Server-Timing header with at least one duration.",
    good="Server-Timing: token;dur=0.21, provider;dur=35.10",
)
async def reports_timings(env: CheckEnvironment) -> CheckOutcome:
    """Look for a duration in Server-Timing."""

    def untimed(response: RawResponse) -> str | None:
        value = response.header("Server-Timing") or "absent"
        return None if "dur=" in value else f"Server-Timing: {value}"

    return await must_keep(env, "Server-Timing with durations", untimed)


@check(
    "C31",
    "does not report its timings to an unauthenticated caller",
    level="convention",
    source="W3C Server Timing, privacy and security; " + _OURS,
    why="Timings of a refusal reveal how far a forged token got.",
    fix="Add Server-Timing only after the caller is authenticated. See claims/endpoint.py.",
    explain="Sends the event without a token.\nExpected: no Server-Timing.",
    needs=ANYWHERE,
)
async def hides_timings_from_unauthenticated_callers(env: CheckEnvironment) -> CheckOutcome:
    """Look for Server-Timing in a refusal."""
    response = await env.send(env.request())
    if response.status is None:
        return skipped("no Server-Timing", f"there is no reply to read: {response}")
    return judged(response, "no Server-Timing", _absent("Server-Timing")(response))
