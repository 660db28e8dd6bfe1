"""The meaning of an event in Entra's log together with the endpoint's line, and what to do next.

Each side sees half. Entra knows the code and not the reason; the endpoint knows the reason and not what Entra did with
its reply. A rule here is one combination; the first that matches is reported.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from selftest.contract import DEFAULT_TIMEOUT_MS
from selftest.judge.codes import CODES, code_in_log
from selftest.tenant.signin_log.endpoint_log import EndpointLine
from selftest.tenant.signin_log.event import SignInEvent
from selftest.tenant.signin_log.outcomes import outcome_of
from selftest.tenant.signin_log.pairing import Pair, Pairs
from selftest.tenant.signin_log.selection import shown_code

_OK: Final = 200
_TIMED_OUT: Final = 1003005
_NO_CONNECTION: Final = 1003027
_UNEXPECTED: Final = 1003001
#: A reply within this share of the timeout did not make the call late.
_QUICK: Final = 0.5
#: The sender of this status where the app's log has no line.
_IN_FRONT: Final = {
    401: "App Service Authentication or a function key answered in front of the app",
    403: "App Service Authentication's allow-list, an access restriction or a firewall answered in front of the app",
    404: "the URL has another route or function name than the app",
    405: "the URL is another path of the app, or of another app",
    502: "the host had no worker to give the request to",
    503: "the host was starting, stopped, or without its storage account",
    504: "a gateway in front of the app gave up waiting",
}
_SENTENCES: Final = {
    "time": "The endpoint's refusal of that moment",
    "minute": "The endpoint writes the first refusal of a kind in each minute; that of this minute",
}
#: A blocked event loop explains a late reply when it took this share of the time.
_STALLED: Final = 0.5
_NOT_LOGGED: Final = (
    "the log has no event with the reason: some exports omit the Authentication Events, as the portal's CSV seems "
    "to (use JSON, or read Graph), and some failures have none"
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What happened, in a sentence or two, and the next command, without ``python -m selftest``."""

    says: str
    way_on: str


def meaning_of(pair: Pair, pairs: Pairs, *, timeout_ms: int) -> Meaning:
    """Return the meaning of one event; the extension's timeout is for one attempt."""
    event = pair.event
    if not event.logged:
        return Meaning(f"the sign-in ended with AADSTS{event.result}; {_NOT_LOGGED}", f"explain {event.result}")
    if event.before_call:
        return _before_call(pair)
    if pair.lines:
        return _both(pair, timeout_ms)
    return _entra_alone(event, pairs)


def _before_call(pair: Pair) -> Meaning:
    says = "Entra gave up before it called: the tenant is misconfigured, not the endpoint"
    entry = CODES.get(pair.event.code or 0)
    if entry is not None:
        says = f"Entra gave up before it called. {entry.meaning}"
    if pair.lines:
        says += " The endpoint's line under this correlation id belongs to another event of the same sign-in."
    return Meaning(says, "doctor")


def _entra_alone(event: SignInEvent, pairs: Pairs) -> Meaning:
    code = shown_code(event)
    explained = f"explain {code}"
    entry = CODES.get(code or 0)
    if not pairs.with_log:
        if not event.failed:
            return Meaning("the endpoint was called and Entra accepted its claims", "signin")
        says = entry.meaning if entry is not None else "The code is not documented."
        return Meaning(f"{says} --log FILE adds the endpoint's side.", explained)
    if not event.failed:
        return Meaning(
            "Entra got its reply, and this log has no line for it: the log is from another time, or the extension "
            "calls another endpoint",
            "doctor",
        )
    refused = _most_frequent(pairs.refused)
    if event.http_status == 401 and refused is not None:
        return _refusal(refused, "The log has refusals without a time; the most frequent")
    if event.http_status in _IN_FRONT:
        return Meaning(
            f"Entra got {event.http_status} and the endpoint has no line: {_IN_FRONT[event.http_status]}",
            "check C01 --url https://HOST --deployed",
        )
    if event.code == _TIMED_OUT:
        return Meaning(
            "Entra timed out and the endpoint has no line: the request never reached the app, or the app was "
            "still starting. Check the plan (always-ready instances) and the host's log",
            "check C91 --url https://HOST --deployed",
        )
    return Meaning("Entra has an event and the endpoint has no line: the call never reached the app", explained)


def _both(pair: Pair, timeout_ms: int) -> Meaning:
    """Return the meaning of an event with lines; the last line is the reply that Entra used."""
    event, line = pair.event, pair.lines[-1]
    if line.status != _OK:
        return _not_answered(event, line, pair)
    if not event.failed:
        return _good(line)
    if event.code == _TIMED_OUT or (event.code is None and not event.http_status):
        return _late(line, timeout_ms)
    if event.http_status not in {None, 0, _OK}:
        return Meaning(
            f"the endpoint answered 200 and Entra got {event.http_status}: something in front of the app replaced the "
            "reply",
            "check C01 C22 --url https://HOST --deployed",
        )
    if event.code in {_NO_CONNECTION, _UNEXPECTED}:
        return Meaning(
            "the endpoint answered 200 and the reply did not arrive complete: the connection broke",
            f"explain {event.code}",
        )
    entry = CODES.get(event.code or 0)
    reason = entry.meaning if entry is not None else "Entra could not use the reply."
    return Meaning(
        f"the endpoint considers its reply valid, and Entra does not. {reason} Another version may be deployed, or "
        "something in between changes the body",
        "check C --url https://HOST --deployed",
    )


def _not_answered(event: SignInEvent, line: EndpointLine, pair: Pair) -> Meaning:
    sentence = _SENTENCES.get(pair.by or "", "The endpoint answered")
    refusal = _refusal(line, sentence)
    if not event.failed:
        return Meaning(f"{refusal.says}; another attempt or token of this sign-in succeeded", refusal.way_on)
    if event.code == _TIMED_OUT and line.status in {401, 403}:
        return Meaning(
            f"{refusal.says}. Entra calls it a timeout: the documentation says that this code can mean a refused token",
            refusal.way_on,
        )
    if event.http_status not in {None, 0, line.status}:
        return Meaning(
            f"{refusal.says}; Entra got {event.http_status}: something in front of the app changed the status",
            refusal.way_on,
        )
    return refusal


def _refusal(line: EndpointLine, sentence: str) -> Meaning:
    outcome = outcome_of(line.outcome)
    return Meaning(f"{sentence}: {line.status}, {line.outcome}: {outcome.says}", outcome.way_on)


def _good(line: EndpointLine) -> Meaning:
    if line.failure is None:
        return Meaning("both sides agree: the claims were sent and accepted", "signin")
    failed = outcome_of(line.failure)
    return Meaning(f"a token was minted, but {outcome_of(line.outcome).says}: {failed.says}", failed.way_on)


def _late(line: EndpointLine, timeout_ms: int) -> Meaning:
    """Return what took the time: the endpoint answered 200, and Entra did not wait for it."""
    took = f"the endpoint answered 200 after {line.total_ms:,.0f} ms"
    if line.loop_stalled_ms is not None and line.loop_stalled_ms >= line.total_ms * _STALLED:
        return Meaning(
            f"{took}, {line.loop_stalled_ms:,.0f} ms of them with its event loop blocked: its provider, or a "
            "library that it uses, blocks instead of using await",
            "check F",
        )
    if line.total_ms >= timeout_ms:
        return Meaning(
            f"{took}, Entra waits {timeout_ms:,} ms: lower Claims__BudgetMs so that the endpoint answers in time",
            "explain 1003005",
        )
    rest_ms = timeout_ms - line.total_ms
    if line.total_ms < timeout_ms * _QUICK:
        start = "it was the first request of a new worker: " if line.cold else ""
        return Meaning(
            f"{took} of {timeout_ms:,}: the other {rest_ms:,.0f} ms passed before or after it ({start}the plan, the "
            f"host, the network); or the extension's timeout is not set and is {DEFAULT_TIMEOUT_MS:,} ms",
            "doctor",
        )
    slowest = f", most of it {line.slowest}" if line.slowest else ""
    return Meaning(
        f"{took}{slowest}; the network or the plan took the other {rest_ms:,.0f} ms. Lower Claims__BudgetMs to leave "
        "them more, or make the provider faster; and check that the extension's timeout is 2000 ms",
        "doctor",
    )


def refusals(lines: Iterable[EndpointLine]) -> Counter[str]:
    """Count refused requests by outcome, including those without a line."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts[line.outcome] += 1 + line.not_written
    return counts


def _most_frequent(lines: tuple[EndpointLine, ...]) -> EndpointLine | None:
    """Return a line of the most frequent outcome."""
    if not lines:
        return None
    (outcome, _), *_ = refusals(lines).most_common(1)
    return next(line for line in lines if line.outcome == outcome)


def name_of(number: int | None) -> str:
    """Return the name of a code of the log, or of an AADSTS code; empty where the table has none."""
    entry = None if number is None else code_in_log(number)
    return "" if entry is None else entry.name
