"""The forms of the report: lines for a terminal, and one JSON object.

A line's detail is shown only where the endpoint itself writes it. The next command runs as it is printed.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from selftest.base.printable import printable
from selftest.base.program import PROGRAM
from selftest.tenant.signin_log.endpoint_log import EndpointLine
from selftest.tenant.signin_log.event import SignInEvent, shown_name
from selftest.tenant.signin_log.meaning import Meaning, explain, name_of, refusals
from selftest.tenant.signin_log.outcomes import OUTCOMES
from selftest.tenant.signin_log.pairing import Pair, Pairs
from selftest.tenant.signin_log.report import SignInReport, code_text, code_word, other_type
from selftest.tenant.signin_log.selection import UNREAD, counted, histogram, shown_code
from selftest.tenant.signin_log.times import in_words

SCHEMA_VERSION: Final = 1
_WIDTHS: Final = {60: "1 min", 300: "5 min", 900: "15 min", 3600: "1 h", 14_400: "4 h", 86_400: "1 day"}
_MANY: Final = 9
_MAX_DETAIL_CHARACTERS: Final = 200
_MATCHED: Final = {"time": " (matched by time)", "minute": " (the one written in that minute)"}
_COLD: Final = "the first request of its process"
_JOINED: Final = "it joined the provider call of an earlier attempt"
#: What a command needs and a log does not have.
_VALUE: Final = re.compile(r"\b(?:FILE|HOST|TENANT)\b")
#: No event, an event without a code, and the wrappers: their explanation leads back to this command.
_NOT_EXPLAINED: Final = frozenset({None, UNREAD, 1100000, 1100001})


def as_lines(report: SignInReport) -> Iterator[str]:
    """Yield the report for a terminal; the verdict is the last line."""
    for pair, meaning in report.shown:
        yield from _event_lines(pair, meaning, report.values)
        yield ""
    if report.hidden:
        yield from (f"… and {report.hidden} more (--limit)", "")
    yield from _histogram_lines(report.events)
    for note in (*report.notes, *_left_over(report.pairs)):
        yield f"note  {note}"
    following = next(iter(_following(report.verdict, _commonest(report), report.values)), None)
    yield f"{report.result}  {report.verdict.says}{f'; next: {following}' if following else ''}"


def as_json(report: SignInReport) -> dict[str, Any]:
    """Return the report as one JSON object; every number names its unit."""
    command, then = _commands(report.verdict, _commonest(report), report.values)
    return {
        "schema_version": SCHEMA_VERSION,
        "result": report.result,
        "verdict": report.verdict.says,
        "next": command,
        "then": then,
        "page": report.verdict.page or None,
        "events": [_event_json(pair, meaning, report.values) for pair, meaning in report.shown],
        "not_shown": report.hidden,
        "by_code": _by_code(report.events),
        "notes": [*report.notes, *_left_over(report.pairs)],
    }


def _commonest(report: SignInReport) -> int | None:
    """Return the code that the verdict names."""
    counts = Counter(shown_code(event) for event in report.events if event.failed)
    return counts.most_common(1)[0][0] if counts else None


def _commands(meaning: Meaning, code: int | None, values: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return the next command, which runs as it is, and the one after it, where that needs a value of the reader's.

    The one before it explains the event's code, unless the code only says that an event failed.
    """
    if not meaning.way_on:
        return None, None
    command = _VALUE.sub(lambda found: values.get(found[0], found[0]), f"{PROGRAM} {meaning.way_on}")
    if set(_VALUE.findall(meaning.way_on)) <= values.keys():
        return command, None
    return None if code in _NOT_EXPLAINED else f"{PROGRAM} {explain(code)}", command


def _following(meaning: Meaning, code: int | None, values: Mapping[str, str]) -> list[str]:
    """Return what to do next, for a terminal: commands in their order, or a page."""
    page = f'read "{meaning.page}" (Microsoft Learn)' if meaning.page else None
    return [step for step in (*_commands(meaning, code, values), page) if step is not None]


def _event_lines(pair: Pair, meaning: Meaning, values: Mapping[str, str]) -> Iterator[str]:
    event = pair.event
    attempts = "" if event.attempts is None else f"  {counted(event.attempts, 'attempt')}"
    status = f"  HTTP {event.http_status}" if event.http_status else ""
    yield f"{in_words(event.at)}  {code_text(shown_code(event))}{other_type(event)}{status}{attempts}"
    app = " ".join(filter(None, (event.app_name, event.app_id))) or "unknown"
    yield f"  sign-in   {event.correlation_id or 'without a correlation id'}, app {app}"
    for line in pair.lines:
        yield f"  endpoint  {_line_text(line)}{_MATCHED.get(pair.by or '', '')}"
        if detail := _detail(line):
            yield f"            {detail}"
    yield f"  means     {meaning.says[:1].upper()}{meaning.says[1:]}"
    for label, step in zip(("next", "then"), _following(meaning, shown_code(event), values), strict=False):
        yield f"  {label}      {step}"


def _line_text(line: EndpointLine) -> str:
    budget = "" if line.budget_ms is None else f" of its budget of {line.budget_ms:,.0f} ms"
    phases = ", ".join(f"{name} {spent_ms:,.1f}" for name, spent_ms in line.phases_ms.items())
    marks = "".join(f", {mark}" for mark, there in ((_COLD, line.cold), (_JOINED, line.joined)) if there)
    failure = f" ({line.failure})" if line.failure else ""
    stalled = "" if line.loop_stalled_ms is None else f", event loop blocked for {line.loop_stalled_ms:,.0f} ms"
    more = f", {counted(line.not_written, 'refusal')} before it without a line" if line.not_written else ""
    text = f"HTTP {line.status}, outcome {line.outcome}{failure}, {line.total_ms:,.1f} ms{budget}{marks}{stalled}{more}"
    return f"{text}; {f'phases in ms: {phases}' if phases else 'no phases'}"


def _detail(line: EndpointLine) -> str:
    outcome = OUTCOMES.get(line.failure or line.outcome)
    if outcome is None or not outcome.detailed:
        return ""
    return shown_name(printable(line.detail), keep=_MAX_DETAIL_CHARACTERS)


def _event_json(pair: Pair, meaning: Meaning, values: Mapping[str, str]) -> dict[str, Any]:
    event = pair.event
    command, then = _commands(meaning, shown_code(event), values)
    return {
        "at": None if event.at is None else event.at.isoformat(),
        "correlation_id": event.correlation_id,
        "app_id": event.app_id,
        "app_name": event.app_name,
        "event_type": event.event_type,
        "failed": event.failed,
        "unknown": event.unknown,
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
        "next": command,
        "then": then,
        "page": meaning.page or None,
    }


def _histogram_lines(events: Sequence[SignInEvent]) -> Iterator[str]:
    counted = histogram(events)
    if counted is None:
        return
    width = _WIDTHS.get(counted.width_s, f"{counted.width_s // 86_400} days")
    yield f"by code, from {in_words(counted.start)}, one column per {width}; digit = count, + = more than 9"
    for code, columns in counted.columns.items():
        drawn = "".join("." if not count else str(count) if count <= _MANY else "+" for count in columns)
        yield f"  {code_word(code):<8} {sum(columns):>5}  {drawn}  {name_of(code)}".rstrip()
    yield ""


def _by_code(events: Sequence[SignInEvent]) -> list[dict[str, Any]]:
    counts = Counter(shown_code(event) for event in events)
    return [
        {"code": code, "name": name_of(code) or None, "events": count}
        if code != UNREAD
        else {"code": None, "name": "unknown", "events": count}
        for code, count in counts.most_common()
    ]


def _left_over(pairs: Pairs) -> Iterator[str]:
    if pairs.log is not None and pairs.log.assumed:
        yield f"the app's log: {pairs.log.assumed}"
    if pairs.log is not None and pairs.log.starts:
        start = pairs.log.starts[-1]
        error = f"; the log has {start.error}" if start.error else ""
        last = f"the last start, {in_words(start.at)}," if start.at else "the last start"
        yield f"the host's log: at {last} it loaded {counted(start.functions, 'function')}{error}"
    if pairs.refused:
        outcomes = refusals(pairs.refused)
        listed = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common())
        refused = counted(outcomes.total(), "request")
        yield f"the endpoint refused {refused} that no event was found for, before their bodies were read: {listed}"
    if pairs.strangers:
        lines = counted(pairs.strangers, "line")
        yield f"{lines} of the endpoint belong to no event of the sign-in log: another time, or another tenant"
