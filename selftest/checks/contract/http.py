"""C20 to C39: what the HTTP around the reply must and must not do."""

from collections.abc import Callable
from typing import Any, Final

from yarl import URL

from selftest.checks.bench.environment import Bench
from selftest.checks.bench.probe import Answer, Request
from selftest.checks.expectations import failed, passed, skipped, with_good_reply
from selftest.checks.registry import ANYWHERE, Outcome, check
from selftest.contract import DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS

_OURS: Final = "ours: the HTTP contract"
_TIMED_CALLS: Final = 5


def _absent(name: str) -> Callable[[Answer, dict[str, Any]], str | None]:
    def judged(answer: Answer, _: dict[str, Any]) -> str | None:
        value = answer.header(name)
        return None if value is None else f"{name}: {value[:80]}"

    return judged


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
async def forbids_caching(bench: Bench) -> Outcome:
    """Look for the directive among the others."""

    def judged(answer: Answer, _: dict[str, Any]) -> str | None:
        value = answer.header("Cache-Control") or ""
        directives = {directive.strip().lower() for directive in value.split(",")}
        return None if "no-store" in directives else f"Cache-Control: {value or 'absent'}"

    return await with_good_reply(bench, "Cache-Control: no-store", judged)


@check(
    "C21",
    "does not compress the reply",
    source="entra-docs custom-claims-provider-reference.md documents no encoding, and Entra asks for none",
    why="Whether Entra unpacks is not documented; where it does not, the body is no JSON (1003003).",
    fix="Switch compression off for this route, also in what stands in front of it.",
    explain="Sends the good event without Accept-Encoding.\nWanted: no Content-Encoding.",
    bad="Content-Encoding: gzip",
)
async def does_not_compress(bench: Bench) -> Outcome:
    """Look for a declaration, and for gzip's first bytes without one."""

    def judged(answer: Answer, reply: dict[str, Any]) -> str | None:
        undeclared = "gzip without Content-Encoding" if answer.body.startswith(b"\x1f\x8b") else None
        return _absent("Content-Encoding")(answer, reply) or undeclared

    return await with_good_reply(bench, "no Content-Encoding", judged)


@check(
    "C22",
    "answers itself and does not redirect",
    source="entra-docs custom-claims-provider-reference.md: 200 is the only status documented",
    why="Whether Entra follows is not documented; who follows may carry the token to another host.",
    fix="Give Entra the address that answers: https, the right host, no slash more or less.",
    explain="Sends the good event and follows nothing.\nWanted: no 3xx and no Location.",
    bad="HTTP/1.1 307 Temporary Redirect",
)
async def does_not_redirect(bench: Bench) -> Outcome:
    """Read the status before anything else does."""
    expected = "no 3xx and no Location"
    answer = await bench.send(bench.good_request())
    if answer.status is not None and (300 <= answer.status < 400 or answer.header("Location") is not None):
        return failed(answer, expected)
    return passed(answer, expected) if answer.status == 200 else skipped(expected, f"there is no reply: {answer}")


@check(
    "C23",
    "sets no cookie",
    level="should",
    source=_OURS,
    why="Entra keeps none; a cookie here is a session that nobody needs, or an affinity that nobody wants.",
    fix="Switch session affinity (ARRAffinity) and session middleware off.",
    explain="Sends the good event.\nWanted: no Set-Cookie.",
)
async def sets_no_cookie(bench: Bench) -> Outcome:
    """Look for the header."""
    return await with_good_reply(bench, "no Set-Cookie", _absent("Set-Cookie"))


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
async def allows_no_web_page(bench: Bench) -> Outcome:
    """Send it as a page's script would."""
    expected = "no Access-Control-Allow-Origin"
    answer = await bench.send(bench.good_request().with_header("Origin", "https://page.example"))
    if answer.status != 200:
        return skipped(expected, f"there is no reply to read: {answer}")
    complaint = _absent("Access-Control-Allow-Origin")(answer, {})
    return passed(answer, expected) if complaint is None else failed(answer, expected, complaint)


async def _answers_within(bench: Bench, limit_ms: int) -> Outcome:
    """Let the slowest of some calls decide."""
    expected = f"each of {_TIMED_CALLS} calls answered 200 within {limit_ms} ms"
    answers = [await bench.send(bench.good_request()) for _ in range(_TIMED_CALLS)]
    unanswered = next((answer for answer in answers if answer.status != 200), None)
    if unanswered is not None:
        if unanswered.failure == "timeout":
            return failed(unanswered, expected)
        return skipped(expected, f"there is no reply to time: {unanswered}")
    slowest = max(answers, key=lambda answer: answer.latency_ms)
    report = f"the slowest took {slowest.latency_ms:.1f} ms"
    return (passed if slowest.latency_ms <= limit_ms else failed)(slowest, expected, report)


@check(
    "C26",
    "answers within 2000 ms",
    source="Microsoft Graph customExtensionClientConfiguration: timeoutInMilliseconds is at most 2000",
    why="Entra logs 1003005 and the sign-in fails; no setting allows more.",
    fix="Bound what the provider waits for, cache downstream tokens, keep the plan warm: docs/timing-budget.md.",
    explain=f"Sends the good event {_TIMED_CALLS} times.\nWanted: each answered within 2000 ms.",
)
async def answers_within_two_seconds(bench: Bench) -> Outcome:
    """Time against the most that Entra can be set to."""
    return await _answers_within(bench, MAX_TIMEOUT_MS)


@check(
    "C27",
    "answers within 1000 ms",
    level="should",
    source="Microsoft Graph customExtensionClientConfiguration: 1000 is the default",
    why="An extension that was created without a timeout waits one second only.",
    fix="Set timeoutInMilliseconds to 2000 on the extension, and be faster.",
    explain=f"Sends the good event {_TIMED_CALLS} times.\nWanted: each answered within 1000 ms.",
)
async def answers_within_one_second(bench: Bench) -> Outcome:
    """Time against Graph's default."""
    return await _answers_within(bench, DEFAULT_TIMEOUT_MS)


@check(
    "C28",
    "answers GET with 404 or 405",
    source=f"{_OURS}; RFC 9110 section 15.5.6",
    why="A route that takes every verb can be called by a link.",
    fix="Name the route's only method, POST.",
    explain="Sends GET to the endpoint's address, without a token.\nWanted: 404 (the Functions host) or 405.",
    needs=ANYWHERE,
)
async def refuses_get(bench: Bench) -> Outcome:
    """Ask as a browser would."""
    answer = await bench.send(Request(url=bench.url, method="GET"))
    return (passed if answer.status in {404, 405} else failed)(answer, "HTTP 404 or 405")


@check(
    "C29",
    "answers an unknown path with 404",
    source=f"{_OURS}; RFC 9110 section 15.5.5",
    why="A route that matches everything answers what it was not made for.",
    fix="Give the route its full name and no wildcard.",
    explain="Sends the good request to a path beside the endpoint's.\nWanted: 404.",
)
async def knows_its_path(bench: Bench) -> Outcome:
    """Send what would be answered at the right address."""
    good = bench.good_request()
    beside = str(URL(bench.url).parent / "nothing-is-here")
    answer = await bench.send(Request(url=beside, headers=good.headers, body=good.body))
    return (passed if answer.status == 404 else failed)(answer, "HTTP 404")


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
async def tells_timings(bench: Bench) -> Outcome:
    """Look for a duration."""

    def judged(answer: Answer, _: dict[str, Any]) -> str | None:
        value = answer.header("Server-Timing") or ""
        return None if "dur=" in value else f"Server-Timing: {value or 'absent'}"

    return await with_good_reply(bench, "Server-Timing with durations", judged)


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
async def keeps_timings_from_strangers(bench: Bench) -> Outcome:
    """Look at a refusal."""
    answer = await bench.send(bench.request())
    if answer.status is None:
        return skipped("no Server-Timing", f"there is no reply to read: {answer}")
    complaint = _absent("Server-Timing")(answer, {})
    return passed(answer, "no Server-Timing") if complaint is None else failed(answer, "no Server-Timing", complaint)
