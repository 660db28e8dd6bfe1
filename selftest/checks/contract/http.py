"""C20 to C39: what the HTTP around the reply must and must not do."""

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
    "forbids caches to keep the reply",
    level="should",
    source="RFC 9111 section 5.2.2.5",
    why="The reply is about one person; a proxy that keeps it may give it to the next.",
    fix="Send Cache-Control: no-store with every answer.",
    explain="Sends the good event.\nWanted: Cache-Control: no-store.",
    good="Cache-Control: no-store",
)
async def forbids_caching(env: CheckEnvironment) -> CheckOutcome:
    """Look for the directive among the others."""
    return await must_keep(env, "Cache-Control: no-store", not_stored)


@check(
    "C21",
    "does not compress the reply",
    source="entra-docs custom-claims-provider-reference.md documents no encoding, and Entra asks for none",
    why="Whether Entra unpacks is not documented; where it does not, the body is no JSON (1003003).",
    fix="Switch compression off for this route, also in what stands in front of it.",
    explain="Sends the good event without Accept-Encoding.\nWanted: no Content-Encoding.",
    bad="Content-Encoding: gzip",
)
async def does_not_compress(env: CheckEnvironment) -> CheckOutcome:
    """Look for a declaration, and for gzip's first bytes without one."""

    def compressed(response: RawResponse) -> str | None:
        undeclared = "gzip without Content-Encoding" if response.body.startswith(b"\x1f\x8b") else None
        return _absent("Content-Encoding")(response) or undeclared

    return await must_keep(env, "no Content-Encoding", compressed)


@check(
    "C22",
    "answers itself and does not redirect",
    source="entra-docs custom-claims-provider-reference.md: 200 is the only status documented",
    why="Whether Entra follows is not documented; who follows may carry the token to another host.",
    fix="Give Entra the address that answers: https, the right host, no slash more or less.",
    explain="Sends the good event and follows nothing.\nWanted: no 3xx and no Location.",
    bad="HTTP/1.1 307 Temporary Redirect",
)
async def does_not_redirect(env: CheckEnvironment) -> CheckOutcome:
    """Read the status before anything else does."""
    expected = "no 3xx and no Location"
    response = await env.send(env.good_request())
    if response.status is not None and (300 <= response.status < 400 or response.header("Location") is not None):
        return failed(response, expected)
    return passed(response, expected) if response.status == 200 else skipped(expected, f"there is no reply: {response}")


@check(
    "C23",
    "sets no cookie",
    level="should",
    source=_OURS,
    why="Entra keeps none; a cookie here is a session that nobody needs, or an affinity that nobody wants.",
    fix="Switch session affinity (ARRAffinity) and session middleware off.",
    explain="Sends the good event.\nWanted: no Set-Cookie.",
)
async def sets_no_cookie(env: CheckEnvironment) -> CheckOutcome:
    """Look for the header."""
    return await must_keep(env, "no Set-Cookie", _absent("Set-Cookie"))


@check(
    "C24",
    "lets no web page read it (CORS)",
    level="should",
    source="Fetch standard, CORS protocol",
    why="Entra calls from a server; a page that may read the answer is of use to attackers only.",
    fix="Remove CORS from the app and from the platform's settings.",
    explain="Sends the good event with an Origin header.\nWanted: no Access-Control-Allow-Origin.",
    bad="Access-Control-Allow-Origin: *",
)
async def allows_no_web_page(env: CheckEnvironment) -> CheckOutcome:
    """Send it as a page's script would."""
    header = "Access-Control-Allow-Origin"
    request = env.good_request().with_header("Origin", "https://page.example")
    return await must_keep(env, f"no {header}", _absent(header), request=request)


async def _answers_within(env: CheckEnvironment, limit_ms: int) -> CheckOutcome:
    """Let the slowest of some calls decide."""
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
    source="Microsoft Graph customExtensionClientConfiguration: timeoutInMilliseconds is at most 2000",
    why="Entra logs 1003005 and the sign-in fails; no setting allows more.",
    fix="Bound what the provider waits for, cache downstream tokens, keep the plan warm: docs/timing-budget.md.",
    explain=f"Sends the good event {_TIMED_CALLS} times.\nWanted: each answered within 2000 ms.",
)
async def answers_within_two_seconds(env: CheckEnvironment) -> CheckOutcome:
    """Time against the most that Entra can be set to."""
    return await _answers_within(env, MAX_TIMEOUT_MS)


@check(
    "C27",
    "answers within 1000 ms",
    level="should",
    source="Microsoft Graph customExtensionClientConfiguration: 1000 is the default",
    why="An extension that was created without a timeout waits one second only.",
    fix="Set timeoutInMilliseconds to 2000 on the extension, and be faster.",
    explain=f"Sends the good event {_TIMED_CALLS} times.\nWanted: each answered within 1000 ms.",
)
async def answers_within_one_second(env: CheckEnvironment) -> CheckOutcome:
    """Time against Graph's default."""
    return await _answers_within(env, DEFAULT_TIMEOUT_MS)


@check(
    "C28",
    "answers GET with 404 or 405",
    source=f"{_OURS}; RFC 9110 section 15.5.6",
    why="A route that takes every verb can be called by a link.",
    fix="Name the route's only method, POST.",
    explain="Sends GET to the endpoint's address, without a token.\nWanted: 404 (the Functions host) or 405.",
    needs=ANYWHERE,
)
async def refuses_get(env: CheckEnvironment) -> CheckOutcome:
    """Ask as a browser would."""
    return await must_answer(env, RawRequest(url=env.url, method="GET"), statuses={404, 405})


@check(
    "C29",
    "answers an unknown path with 404",
    source=f"{_OURS}; RFC 9110 section 15.5.5",
    why="A route that matches everything answers what it was not made for.",
    fix="Give the route its full name and no wildcard.",
    explain="Sends the good request to a path beside the endpoint's.\nWanted: 404.",
)
async def knows_its_path(env: CheckEnvironment) -> CheckOutcome:
    """Send what would be answered at the right address."""
    beside = str(URL(env.url).parent / "nothing-is-here")
    return await must_answer(env, replace(env.good_request(), url=beside), statuses={404})


@check(
    "C30",
    "tells an authenticated caller its timings",
    level="should",
    source="W3C Server Timing; " + _OURS,
    why="Without them a slow answer cannot be told from a slow network.",
    fix="Send Server-Timing with the phases. claims/request_log.py shows it.",
    explain="Sends the good event.\nWanted: a Server-Timing header with at least one duration.",
    good="Server-Timing: token;dur=0.21, provider;dur=35.10",
)
async def tells_timings(env: CheckEnvironment) -> CheckOutcome:
    """Look for a duration."""

    def untimed(response: RawResponse) -> str | None:
        value = response.header("Server-Timing") or "absent"
        return None if "dur=" in value else f"Server-Timing: {value}"

    return await must_keep(env, "Server-Timing with durations", untimed)


@check(
    "C31",
    "tells nobody else its timings",
    level="should",
    source="W3C Server Timing, privacy and security; " + _OURS,
    why="Timings of a refusal tell an attacker how far a forged token came.",
    fix="Add Server-Timing only after the caller is authenticated. claims/endpoint.py shows it.",
    explain="Sends the event without a token.\nWanted: no Server-Timing.",
    needs=ANYWHERE,
)
async def keeps_timings_from_strangers(env: CheckEnvironment) -> CheckOutcome:
    """Look at a refusal."""
    response = await env.send(env.request())
    if response.status is None:
        return skipped("no Server-Timing", f"there is no reply to read: {response}")
    return judged(response, "no Server-Timing", _absent("Server-Timing")(response))
