"""The report: each event with both sides and its meaning, and a verdict with the next command.

The members in the report are chosen one by one: people and addresses are never read from a row.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from selftest.judge.codes import CODES
from selftest.tenant.signin_log.event import OURS, SignInEvent, SignInLog
from selftest.tenant.signin_log.meaning import Meaning, meaning_of, name_of
from selftest.tenant.signin_log.pairing import Pair, Pairs
from selftest.tenant.signin_log.selection import UNREAD, counted, shown_code
from selftest.tenant.signin_log.times import span_in_words
from selftest.tenant.verdict import TenantVerdict

_WRAPPER: Final = 1_100_000
_READ_FILE: Final = "signin-log --file FILE"
_READ_GRAPH: Final = "signin-log --tenant TENANT --credential browser"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInReport:
    """The content of the report.

    Attributes:
        shown: Each event that is shown, with its meaning; the newest first.
        events: All selected events.
        notes: What the reader must know about the input, a sentence each.
        values: The known ones of the values that commands need, by the word that stands for them.
    """

    shown: tuple[tuple[Pair, Meaning], ...]
    hidden: int
    events: tuple[SignInEvent, ...]
    pairs: Pairs
    notes: tuple[str, ...]
    verdict: Meaning
    result: TenantVerdict
    values: Mapping[str, str]


def make_report(
    pairs: Pairs,
    *,
    limit: int,
    log: SignInLog,
    timeout_ms: int,
    notes: Sequence[str] = (),
    values: Mapping[str, str] | None = None,
) -> SignInReport:
    """Judge the selected events, the newest first, and return the report."""
    judged = tuple((pair, meaning_of(pair, pairs, timeout_ms=timeout_ms)) for pair in pairs.pairs)
    result, verdict = _verdict(judged, log, _READ_GRAPH if pairs.from_graph else _READ_FILE)
    return SignInReport(
        shown=judged[:limit],
        hidden=max(0, len(judged) - limit),
        events=tuple(pair.event for pair in pairs.pairs),
        pairs=pairs,
        notes=(*log.notes(), *notes),
        verdict=verdict,
        result=result,
        values=values or {},
    )


def _verdict(judged: Sequence[tuple[Pair, Meaning]], log: SignInLog, read_again: str) -> tuple[TenantVerdict, Meaning]:
    """Return the result; it is PASS only where the log says of every event how it ended."""
    failed = [(pair, meaning) for pair, meaning in judged if pair.event.failed]
    unknown = [meaning for pair, meaning in judged if pair.event.unknown]
    count = counted(len(judged), "event")
    if failed:
        (code, most), *_ = Counter(shown_code(pair.event) for pair, _ in failed).most_common(1)
        pair, first = next((pair, meaning) for pair, meaning in failed if shown_code(pair.event) == code)
        named = f"{'' if most == len(failed) else f'{most} with '}{code_text(code)}{other_type(pair.event)}"
        return "FAIL", replace(first, says=f"{len(failed)} of {count} failed: {named}")
    if unknown:
        says = f"{len(unknown)} of {count}: the log does not say how they ended"
        return "INCONCLUSIVE", Meaning(says, unknown[0].way_on)
    if not judged and log.events:
        times = _times(log)
        says = f"the filters leave out all of {counted(len(log.events), 'event')}{times}: a longer export may have more"
        return "INCONCLUSIVE", Meaning(says, read_again)
    if not log.rows:
        return "INCONCLUSIVE", Meaning(
            "the log has no sign-in: one of a longer time may have some", f"{_READ_GRAPH} --since 7d"
        )
    if not judged:
        says = f"no token issuance event among {counted(log.rows, 'sign-in')}"
        return "INCONCLUSIVE", Meaning(says, "explain D47")
    if log.unread:
        says = f"{count}, none failed; {counted(len(log.unread), 'sign-in')} could not be read"
        return "INCONCLUSIVE", Meaning(says, f"{_READ_GRAPH} --since 30d")
    return "PASS", Meaning(f"{count}, none failed", "")


def _times(log: SignInLog) -> str:
    """Return the time that the events of the log are from, in parentheses."""
    times = sorted(event.at for event in log.events if event.at is not None)
    return f" ({span_in_words(times[0], times[-1])})" if times else ""


def code_word(code: int | None) -> str:
    """Return a code for a column."""
    return "ok" if code is None else "unknown" if code == UNREAD else str(code)


def code_text(code: int | None) -> str:
    """Return a code and its name."""
    shown = f"AADSTS{code}" if code is not None and code not in CODES and code >= _WRAPPER else code_word(code)
    return f"{shown} {name_of(code)}".rstrip()


def other_type(event: SignInEvent) -> str:
    """Return the type of an event that is not ours, in parentheses."""
    return "" if event.event_type == OURS else f" ({event.event_type})"
