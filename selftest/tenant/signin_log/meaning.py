"""The meaning of an event in Entra's log together with the endpoint's line, and what to do next.

Each side sees half. Entra knows the code and not the reason; the endpoint knows the reason and not what Entra did with
its reply. A rule here is one combination; the first that matches is reported. The texts are in ``meaning.toml``.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from selftest.contract import DEFAULT_TIMEOUT_MS
from selftest.judge.codes import CODES, code_in_log
from selftest.judge.texts import own_table
from selftest.tenant.signin_log.app_state import may_lack_functions, start_for, when
from selftest.tenant.signin_log.endpoint_log import EndpointLine
from selftest.tenant.signin_log.event import OURS, SignInEvent
from selftest.tenant.signin_log.host_log import AppStart
from selftest.tenant.signin_log.outcomes import outcome_of
from selftest.tenant.signin_log.pairing import Pair, Pairs
from selftest.tenant.signin_log.selection import counted, shown_code
from selftest.tenant.signin_log.times import span_in_words

_OK: Final = 200
_NOT_FOUND: Final = 404
_BAD_STATUS: Final = 1003002
_TIMED_OUT: Final = 1003005
_NO_CONNECTION: Final = 1003027
_UNEXPECTED: Final = 1003001
#: A reply within this share of the timeout did not make the call late.
_QUICK: Final = 0.5
_SENTENCES: Final = {
    "time": "The endpoint's refusal of that moment",
    "minute": "The endpoint writes the first refusal of a kind in each minute; that of this minute",
}
#: A blocked event loop explains a late reply when it took this share of the time.
_STALLED: Final = 0.5
_TEXTS: Final = own_table(__file__)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What happened, in a sentence or two, and the next command, without ``python -m selftest``.

    A word in capital letters in the command stands for a value that the log does not have. The command is empty where
    there is nothing to do, or where a page of Microsoft's leads on and no command of the tool does.
    """

    says: str
    way_on: str
    page: str = ""


def _meaning(name: str, /, **values: object) -> Meaning:
    """Return the meaning with this name in ``meaning.toml``, with these values in its texts."""
    found = _TEXTS[name]
    return Meaning(**{part: found[part].format(**values) for part in ("says", "way_on", "page") if part in found})


def meaning_of(pair: Pair, pairs: Pairs, *, timeout_ms: int) -> Meaning:
    """Return the meaning of one event; the extension's timeout is for one attempt."""
    event = pair.event
    again = f" --correlation-id {event.correlation_id}" if event.correlation_id else ""
    if not event.logged:
        if pairs.from_graph:
            return _meaning("not-in-graph", result=event.result)
        return _meaning("not-logged", result=event.result, again=again)
    if event.event_type != OURS:
        code = shown_code(event)
        pages = _TEXTS["pages"]
        page = pages.get(event.event_type[:1].lower() + event.event_type[1:], pages["other"])
        return _meaning("other-event", kind=event.event_type, code=f"{code} {name_of(code)}".rstrip(), of_event=page)
    if event.before_call:
        return _before_call(pair)
    if event.unknown:
        line = pair.lines[-1] if pair.lines else None
        answered = "" if line is None else f"; the endpoint answered HTTP {line.status}, outcome {line.outcome}"
        if pairs.from_graph:
            return _meaning("unknown-in-graph", answered=answered)
        return _meaning("unknown", answered=answered, again=again)
    if pair.lines:
        return _both(pair, timeout_ms)
    return _entra_alone(event, pairs)


def _before_call(pair: Pair) -> Meaning:
    entry = CODES.get(pair.event.code or 0)
    alone = _meaning("before-call-unknown") if entry is None else _meaning("before-call", reason=entry.meaning)
    return _meaning("before-call-with-lines", before=alone.says) if pair.lines else alone


def _entra_alone(event: SignInEvent, pairs: Pairs) -> Meaning:
    """Return the meaning of an event without a line of the endpoint."""
    code = shown_code(event)
    if span := pairs.log_without(event.at):
        values = {"reason": _reason(code), "explain": explain(code)} if event.failed else _TEXTS["no-failure"]
        return _meaning("outside-log", span=span_in_words(*span), **values)
    if not event.failed:
        return _meaning("replied-elsewhere" if pairs.log else "accepted")
    if start := start_for(event, pairs):
        if not start.functions and may_lack_functions(event):
            return _no_function(event, start)
        if start.functions and event.http_status == _NOT_FOUND:
            return _meaning("other-route", when=when(start, event), functions=counted(start.functions, "function"))
    if event.http_status == _NOT_FOUND:
        reason = "" if code == _BAD_STATUS else f"{_reason(code)} "
        log = "no-log" if pairs.log is None else "no-start"
        return _meaning("answered-404", reason=reason, log=_TEXTS["start-in-log"][log])
    if pairs.log is None:
        return _meaning("without-log", reason=_reason(code), explain=explain(code))
    return _without_line(event, code, pairs)


def _no_function(event: SignInEvent, start: AppStart) -> Meaning:
    values = {"when": when(start, event), "answer": _TEXTS["answers"].get(str(event.http_status or "none"), "")}
    if start.error:
        return _meaning("not-started", error=start.error, **values)
    return _meaning("no-function", **values)


def _without_line(event: SignInEvent, code: int | None, pairs: Pairs) -> Meaning:
    """Return the meaning of an event of which a log of that time has no line."""
    refused = _most_frequent(pairs.refused)
    if event.http_status == 401 and refused is not None:
        return _refusal(refused, "The log has refusals that cannot be matched by time; the most frequent")
    sender = _TEXTS["in-front"].get(str(event.http_status))
    if sender is not None:
        return _meaning("answered-in-front", status=event.http_status, sender=sender)
    if event.code == _TIMED_OUT:
        return _meaning("timed-out-without-line")
    return _meaning("never-reached", explain=explain(code))


def _both(pair: Pair, timeout_ms: int) -> Meaning:
    """Return the meaning of an event with lines; the last line is the reply that Entra used."""
    event, line = pair.event, pair.lines[-1]
    if line.status != _OK:
        return _not_answered(event, line, pair)
    if not event.failed:
        return _good(line)
    if event.code == _TIMED_OUT:
        return _late(line, timeout_ms)
    if event.http_status not in {None, 0, _OK}:
        return _meaning("reply-replaced", status=event.http_status)
    if event.code in {_NO_CONNECTION, _UNEXPECTED}:
        return _meaning("reply-broken", explain=explain(event.code))
    entry = CODES.get(event.code or 0)
    return _meaning("reply-unusable", reason="Entra could not use the reply." if entry is None else entry.meaning)


def _not_answered(event: SignInEvent, line: EndpointLine, pair: Pair) -> Meaning:
    refusal = _refusal(line, _SENTENCES.get(pair.by or "", "The endpoint answered"))
    values = {"refused": refusal.says, "way_on": refusal.way_on}
    if not event.failed:
        return _meaning("refused-then-succeeded", **values)
    if event.code == _TIMED_OUT and line.status in {401, 403}:
        return _meaning("refused-as-timeout", **values)
    if event.http_status not in {None, 0, line.status}:
        return _meaning("refused-status-changed", status=event.http_status, **values)
    return refusal


def _refusal(line: EndpointLine, sentence: str) -> Meaning:
    found = outcome_of(line.outcome)
    values = {"status": line.status, "outcome": line.outcome, "reason": found.says, "way_on": found.way_on}
    return _meaning("refused", sentence=sentence, **values)


def _good(line: EndpointLine) -> Meaning:
    if line.failure is None:
        return _meaning("agreed")
    failed = outcome_of(line.failure)
    outcome = outcome_of(line.outcome).says
    return _meaning("minted-after-failure", outcome=outcome, reason=failed.says, way_on=failed.way_on)


def _late(line: EndpointLine, timeout_ms: int) -> Meaning:
    """Return what took the time: the endpoint answered 200, and Entra did not wait for it."""
    values = {"took": line.total_ms, "timeout": timeout_ms, "rest": timeout_ms - line.total_ms}
    if line.loop_stalled_ms is not None and line.loop_stalled_ms >= line.total_ms * _STALLED:
        return _meaning("late-blocked", stalled=line.loop_stalled_ms, **values)
    if line.total_ms >= timeout_ms:
        return _meaning("late-alone", **values)
    if line.total_ms < timeout_ms * _QUICK:
        start = "it was the first request of a new worker: " if line.cold else ""
        return _meaning("late-elsewhere", start=start, default=DEFAULT_TIMEOUT_MS, **values)
    return _meaning("late-together", slowest=f", most of it {line.slowest}" if line.slowest else "", **values)


def refusals(lines: Iterable[EndpointLine]) -> Counter[str]:
    """Count refused requests by outcome, including those without a line."""
    counts: Counter[str] = Counter()
    for line in lines:
        counts[line.outcome] += 1 + line.not_written
    return counts


def _reason(code: int | None) -> str:
    """Return what a code means, as a sentence."""
    entry = CODES.get(code or 0)
    return "The code is not documented." if entry is None else entry.meaning


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


def explain(number: int | None) -> str:
    """Return the command that explains a code; one that lists the codes where the table does not have it."""
    return f"explain {number}" if name_of(number) else "explain --list"
