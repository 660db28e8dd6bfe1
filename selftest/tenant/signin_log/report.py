"""The report: each event with both sides, the codes over time, and a verdict with the next command.

The members in the report are chosen one by one: people and addresses are never read from a row, and a line's detail is
shown only where the endpoint itself writes it.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from selftest.base.printable import printable
from selftest.base.program import PROGRAM
from selftest.judge.codes import CODES
from selftest.tenant.signin_log.endpoint_log import EndpointLine
from selftest.tenant.signin_log.event import SignInEvent, shown_name
from selftest.tenant.signin_log.meaning import Meaning, meaning_of, name_of, refusals
from selftest.tenant.signin_log.outcomes import OUTCOMES
from selftest.tenant.signin_log.pairing import Pair, Pairs
from selftest.tenant.signin_log.selection import histogram, shown_code
from selftest.tenant.verdict import TenantVerdict

SCHEMA_VERSION: Final = 1
_WIDTHS: Final = {60: "1 min", 300: "5 min", 900: "15 min", 3600: "1 h", 14_400: "4 h", 86_400: "1 day"}
_MANY: Final = 9
_MAX_DETAIL_CHARACTERS: Final = 200
_MATCHED: Final = {"time": " (matched by time)", "minute": " (the one written in that minute)"}
_WRAPPER: Final = 1_100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInReport:
    """The content of the report.

    Attributes:
        shown: Each event that is shown, with its meaning; the newest first.
        events: All selected events.
        notes: What the reader must know about the input, a sentence each.
    """

    shown: tuple[tuple[Pair, Meaning], ...]
    hidden: int
    events: tuple[SignInEvent, ...]
    pairs: Pairs
    notes: tuple[str, ...]
    verdict: Meaning
    result: TenantVerdict


def make_report(pairs: Pairs, *, limit: int, rows: int, timeout_ms: int, notes: Sequence[str] = ()) -> SignInReport:
    """Judge the selected events, the newest first, and return the report."""
    judged = tuple((pair, meaning_of(pair, pairs, timeout_ms=timeout_ms)) for pair in pairs.pairs)
    events = tuple(pair.event for pair in pairs.pairs)
    failed = [(pair, meaning) for pair, meaning in judged if pair.event.failed]
    result: TenantVerdict
    if not events:
        result = "INCONCLUSIVE"
        verdict = Meaning(f"no token issuance event among {_counted(rows, 'sign-in')}", "doctor")
    elif not failed:
        result, verdict = "PASS", Meaning(f"{_counted(len(events), 'event')}, none failed", "signin")
    else:
        result = "FAIL"
        (code, count), *_ = Counter(shown_code(pair.event) for pair, _ in failed).most_common(1)
        first = next(meaning for pair, meaning in failed if shown_code(pair.event) == code)
        most = "" if count == len(failed) else f"{count} with "
        verdict = Meaning(
            f"{len(failed)} of {_counted(len(events), 'event')} failed: {most}{_code_text(code)}", first.way_on
        )
    return SignInReport(
        shown=judged[:limit],
        hidden=max(0, len(judged) - limit),
        events=events,
        pairs=pairs,
        notes=tuple(notes),
        verdict=verdict,
        result=result,
    )


def as_lines(report: SignInReport) -> Iterator[str]:
    """Yield the report for a terminal; the verdict is the last line."""
    for pair, meaning in report.shown:
        yield from _event_lines(pair, meaning)
        yield ""
    if report.hidden:
        yield from (f"… and {report.hidden} more (--limit)", "")
    yield from _histogram_lines(report.events)
    for note in (*report.notes, *_left_over(report.pairs)):
        yield f"note  {note}"
    yield f"{report.result}  {report.verdict.says}; next: {PROGRAM} {report.verdict.way_on}"


def as_json(report: SignInReport) -> dict[str, Any]:
    """Return the report as one JSON object; every number names its unit."""
    return {
        "schema_version": SCHEMA_VERSION,
        "result": report.result,
        "verdict": report.verdict.says,
        "next": f"{PROGRAM} {report.verdict.way_on}",
        "events": [_event_json(pair, meaning) for pair, meaning in report.shown],
        "not_shown": report.hidden,
        "by_code": _by_code(report.events),
        "notes": [*report.notes, *_left_over(report.pairs)],
    }


def _event_lines(pair: Pair, meaning: Meaning) -> Iterator[str]:
    event = pair.event
    attempts = "" if event.attempts is None else f"  {_counted(event.attempts, 'attempt')}"
    status = f"  HTTP {event.http_status}" if event.http_status else ""
    yield f"{_when(event.at)}  {_code_text(shown_code(event))}{status}{attempts}"
    app = " ".join(filter(None, (event.app_name, event.app_id))) or "unknown"
    yield f"  sign-in   {event.correlation_id or 'without a correlation id'}, app {app}"
    for line in pair.lines:
        yield f"  endpoint  {_line_text(line)}{_MATCHED.get(pair.by or '', '')}"
        if detail := _detail(line):
            yield f"            {detail}"
    yield f"  means     {meaning.says[:1].upper()}{meaning.says[1:]}"
    yield f"  next      {PROGRAM} {meaning.way_on}"


def _line_text(line: EndpointLine) -> str:
    budget = "" if line.budget_ms is None else f" of {line.budget_ms:,.0f}"
    phases = ", ".join(f"{name} {spent_ms:,.1f}" for name, spent_ms in line.phases_ms.items())
    marks = "".join(f", {mark}" for mark, there in (("cold", line.cold), ("joined", line.joined)) if there)
    failure = f" ({line.failure})" if line.failure else ""
    stalled = "" if line.loop_stalled_ms is None else f", loop stalled {line.loop_stalled_ms:,.0f} ms"
    more = f", {line.not_written:,} more not written before it" if line.not_written else ""
    text = f"{line.status} {line.outcome}{failure}, {line.total_ms:,.1f}{budget} ms{marks}{stalled}{more}"
    return f"{text}: {phases or 'no phases'}"


def _detail(line: EndpointLine) -> str:
    outcome = OUTCOMES.get(line.failure or line.outcome)
    if outcome is None or not outcome.detailed:
        return ""
    return shown_name(printable(line.detail), keep=_MAX_DETAIL_CHARACTERS)


def _event_json(pair: Pair, meaning: Meaning) -> dict[str, Any]:
    event = pair.event
    return {
        "at": None if event.at is None else event.at.isoformat(),
        "correlation_id": event.correlation_id,
        "app_id": event.app_id,
        "app_name": event.app_name,
        "failed": event.failed,
        "code": event.code,
        "name": name_of(shown_code(event)) or None,
        "sign_in_result": event.result,
        "http_status": event.http_status,
        "attempts": event.attempts,
        "extension_id": event.extension_id,
        "listener_id": event.listener_id,
        "matched_by": pair.by,
        "endpoint": [
            {
                "at": None if line.at is None else line.at.isoformat(),
                "outcome": line.outcome,
                "failure": line.failure,
                "status": line.status,
                "total_ms": line.total_ms,
                "budget_ms": line.budget_ms,
                "phases_ms": dict(line.phases_ms),
                "cold": line.cold,
                "joined": line.joined,
                "loop_stalled_ms": line.loop_stalled_ms,
                "not_written": line.not_written,
                "detail": _detail(line),
            }
            for line in pair.lines
        ],
        "means": meaning.says,
        "next": f"{PROGRAM} {meaning.way_on}",
    }


def _histogram_lines(events: Sequence[SignInEvent]) -> Iterator[str]:
    counted = histogram(events)
    if counted is None:
        return
    width = _WIDTHS.get(counted.width_s, f"{counted.width_s // 86_400} days")
    yield f"by code, from {_when(counted.start)}, a column is {width}, a digit a count, + more than nine"
    for code, columns in counted.columns.items():
        drawn = "".join("." if not count else str(count) if count <= _MANY else "+" for count in columns)
        yield f"  {'ok' if code is None else code!s:<8} {sum(columns):>5}  {drawn}  {name_of(code)}".rstrip()
    yield ""


def _by_code(events: Sequence[SignInEvent]) -> list[dict[str, Any]]:
    counts = Counter(shown_code(event) for event in events)
    return [{"code": code, "name": name_of(code) or None, "events": count} for code, count in counts.most_common()]


def _left_over(pairs: Pairs) -> Iterator[str]:
    if pairs.refused:
        outcomes = refusals(pairs.refused)
        listed = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common())
        refused = _counted(outcomes.total(), "request")
        yield f"the endpoint refused {refused} that no event was found for, before their bodies were read: {listed}"
    if pairs.strangers:
        lines = _counted(pairs.strangers, "line")
        yield f"{lines} of the endpoint belong to no event of the sign-in log: another time, or another tenant"


def _code_text(code: int | None) -> str:
    if code is None:
        return "ok"
    shown = f"AADSTS{code}" if code not in CODES and code >= _WRAPPER else str(code)
    return f"{shown} {name_of(code)}".rstrip()


def _when(at: dt.datetime | None) -> str:
    return "at an unknown time" if at is None else f"{at:%Y-%m-%d %H:%M:%SZ}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
