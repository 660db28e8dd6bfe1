"""What an event in Entra's log and the endpoint's line mean together, and what to do next.

Each side sees half. Entra knows the code and not why; the endpoint knows why and not what became of its answer. A rule
here is one combination; the first that fits is told.
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
#: An answer that took less than this share of the timeout was not what made the call late.
_QUICK: Final = 0.5
#: Who answers with this status where the app's own log has no line.
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
#: A stall of the loop explains a late answer when it took this share of the time.
_STALLED: Final = 0.5
_NOT_TOLD: Final = (
    "the log has no event that says why: some exports leave the Authentication Events out, as the portal's CSV seems "
    "to (take JSON, or read Graph), and some failures leave none"
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What happened, in a sentence or two, and a command that leads on, without ``python -m selftest``."""

    says: str
    way_on: str


def meaning_of(pair: Pair, pairs: Pairs, *, timeout_ms: int) -> Meaning:
    """Say what one event means.

    Args:
        pair: the event and its lines.
        pairs: all of them, for what no line of its own tells.
        timeout_ms: what the extension is set to, for one attempt.
    """
    event = pair.event
    if not event.told:
        return Meaning(f"the sign-in ended with AADSTS{event.result}; {_NOT_TOLD}", f"explain {event.result}")
    if event.before_call:
        return _before_call(pair)
    if pair.lines:
        return _both(pair, timeout_ms)
    return _entra_alone(event, pairs)


def _before_call(pair: Pair) -> Meaning:
    says = "Entra gave up before it called: something in the tenant is set up wrong, nothing in the endpoint"
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
            return Meaning("the endpoint was called and its claims were taken", "signin")
        says = entry.meaning if entry is not None else "A code that the documentation does not have."
        return Meaning(f"{says} With --log FILE the endpoint's side stands here, too.", explained)
    if not event.failed:
        return Meaning(
            "Entra got its answer, and this log has no line for it: the log is of another time, or the extension "
            "calls another endpoint",
            "doctor",
        )
    refused = _commonest(pairs.refused)
    if event.http_status == 401 and refused is not None:
        return _refusal(refused, "The log has refusals without a time; the commonest")
    if event.http_status in _IN_FRONT:
        return Meaning(
            f"Entra got {event.http_status} and the endpoint has no line: {_IN_FRONT[event.http_status]}",
            "check C01 --url https://HOST --deployed",
        )
    if event.code == _TIMED_OUT:
        return Meaning(
            "Entra waited in vain and the endpoint has no line: the request never reached the app, or the app was "
            "still starting. Look at the plan (instances that are always ready) and at the host's log",
            "check C91 --url https://HOST --deployed",
        )
    return Meaning("Entra has an event and the endpoint has no line: the call never reached the app", explained)


def _both(pair: Pair, timeout_ms: int) -> Meaning:
    """Say what it means that the endpoint has a line; the last one is the answer that counted."""
    event, line = pair.event, pair.lines[-1]
    if line.status != _OK:
        return _not_answered(event, line, pair)
    if not event.failed:
        return _good(line)
    if event.code == _TIMED_OUT or (event.code is None and not event.http_status):
        return _late(line, timeout_ms)
    if event.http_status not in {None, 0, _OK}:
        return Meaning(
            f"the endpoint answered 200 and Entra got {event.http_status}: something in front of the app turned the "
            "answer into another",
            "check C01 C22 --url https://HOST --deployed",
        )
    if event.code in {_NO_CONNECTION, _UNEXPECTED}:
        return Meaning(
            "the endpoint answered 200 and the answer did not arrive whole: the connection broke on its way back",
            f"explain {event.code}",
        )
    entry = CODES.get(event.code or 0)
    reason = entry.meaning if entry is not None else "Entra could not use the answer."
    return Meaning(
        f"the endpoint sent what it takes for good, and Entra did not. {reason} Another version may be deployed, or "
        "something on the way changes the body",
        "check C --url https://HOST --deployed",
    )


def _not_answered(event: SignInEvent, line: EndpointLine, pair: Pair) -> Meaning:
    sentence = _SENTENCES.get(pair.by or "", "The endpoint answered")
    told = _refusal(line, sentence)
    if not event.failed:
        return Meaning(f"{told.says}; another attempt or token of this sign-in was answered well", told.way_on)
    if event.code == _TIMED_OUT and line.status in {401, 403}:
        return Meaning(
            f"{told.says}. Entra calls it a timeout: the documentation says that this code can mean a refused token",
            told.way_on,
        )
    if event.http_status not in {None, 0, line.status}:
        return Meaning(
            f"{told.says}; Entra got {event.http_status}: something in front of the app changed the status", told.way_on
        )
    return told


def _refusal(line: EndpointLine, sentence: str) -> Meaning:
    outcome = outcome_of(line.outcome)
    return Meaning(f"{sentence}: {line.status}, {line.outcome}: {outcome.says}", outcome.way_on)


def _good(line: EndpointLine) -> Meaning:
    if line.failure is None:
        return Meaning("both sides agree: the claims were sent and taken", "signin")
    failed = outcome_of(line.failure)
    return Meaning(f"a token was minted, but {outcome_of(line.outcome).says}: {failed.says}", failed.way_on)


def _late(line: EndpointLine, timeout_ms: int) -> Meaning:
    """Say who took the time: the endpoint answered 200, and Entra did not wait for it."""
    took = f"the endpoint answered 200 after {line.total_ms:,.0f} ms"
    if line.loop_stalled_ms is not None and line.loop_stalled_ms >= line.total_ms * _STALLED:
        return Meaning(
            f"{took}, {line.loop_stalled_ms:,.0f} ms of them with its event loop blocked: its provider, or a library "
            "of it, works or waits without await",
            "check F",
        )
    if line.total_ms >= timeout_ms:
        return Meaning(
            f"{took}, Entra waits {timeout_ms:,} ms: lower Claims__BudgetMs so that an answer leaves in time",
            "explain 1003005",
        )
    rest_ms = timeout_ms - line.total_ms
    if line.total_ms < timeout_ms * _QUICK:
        start = "it was the first request of a new worker: " if line.cold else ""
        return Meaning(
            f"{took} of {timeout_ms:,}: the other {rest_ms:,.0f} ms went by before or after it ({start}the plan, the "
            f"host, the network); or the extension's timeout is not set and is {DEFAULT_TIMEOUT_MS:,} ms",
            "doctor",
        )
    slowest = f", most of it {line.slowest}" if line.slowest else ""
    return Meaning(
        f"{took}{slowest}; the network or the plan took the other {rest_ms:,.0f} ms. Lower Claims__BudgetMs to leave "
        "them more, or make the provider quicker; and see that the extension's timeout is 2000 ms",
        "doctor",
    )


def refusals(lines: Iterable[EndpointLine]) -> Counter[str]:
    """Count refused requests by outcome, also those that were not written."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts[line.outcome] += 1 + line.not_written
    return counts


def _commonest(lines: tuple[EndpointLine, ...]) -> EndpointLine | None:
    """Give a line of the commonest outcome."""
    if not lines:
        return None
    (outcome, _), *_ = refusals(lines).most_common(1)
    return next(line for line in lines if line.outcome == outcome)


def name_of(number: int | None) -> str:
    """Name a code of the log, also one of the AADSTS codes; empty where the table has none."""
    entry = None if number is None else code_in_log(number)
    return "" if entry is None else entry.name
