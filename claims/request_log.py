"""The log of requests: one JSON line for each, bounded in length, and never at the cost of an answer.

The line is the whole message text, because the Functions worker drops everything else that a log record carries. It
never holds a token, a claim's value, a name or a mail address, and everything that others chose has been reduced
before. What an owner must know travels in such a line, because Azure drops records that are written while no request
runs: warnings about the settings in the first one, whatever it answers, failures of background work, and once a process
the names of members of Entra's event that this endpoint does not know.

Of refusals of unauthenticated callers, per code, the first of each minute is written; the next one that is written
says how many were not. Otherwise a stranger would choose what the log costs and what it hides.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from claims.errors import Unavailable, printable
from claims.measurements import Measurements, Timings
from claims.reply import Reply

#: The share of the budget above which a phase turns the line into a warning. A downstream that needs most of it leaves
#: nothing for a slow day; the rest should take next to nothing.
_SHARES: Final[Mapping[str, float]] = {
    "token": 0.1,
    "keys": 0.5,
    "body": 0.05,
    "downstream_token": 0.4,
    "provider": 0.8,
    "reply": 0.05,
}
_LEAST_SHARE: Final = min(_SHARES.values())
#: Of every other phase: ``downstream_call``, and what a provider named itself.
_OTHER_SHARE: Final = 0.7
#: Between two lines of one code about unauthenticated callers, in seconds.
REFUSALS_S: Final = 60.0
_MAX_WARNINGS: Final = 3
_MAX_WARNING_CHARACTERS: Final = 150
_MAX_REASON_CHARACTERS: Final = 300
_MAX_UNKNOWN_CHARACTERS: Final = 200
#: Slow phases that are named.
_MAX_SLOW: Final = 4
_OK: Final = 200

_log = logging.getLogger("claims.request")
#: The place of the call, the process and the thread.
_SAME: Final = vars(logging.LogRecord(_log.name, logging.INFO, __file__, 0, "", (), None))
_BOOLEANS: Final = {True: "true", False: "false"}
_encode: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """What is known of one request so far.

    Attributes:
        measured: Its phases and caches.
        cold: Whether it is the first of the process.
        authenticated: Whether the caller is authenticated; unauthenticated callers get no timings.
        correlation_id: Entra's, once the body is read.
        unknown_members: The paths of members of the event that are not known.
        joined: Whether another delivery of the same event had started the work.
        failure: Why the provider's claims are not sent, where others are sent instead.
        reply: What is sent.
    """

    measured: Measurements
    cold: bool
    authenticated: bool = False
    correlation_id: str | None = None
    unknown_members: Sequence[str] = ()
    joined: bool = False
    failure: Unavailable | None = None
    reply: Reply | None = None


class RequestLog:
    """Writes the lines.

    Args:
        clock: Monotonic seconds.
        stalled_ms: Returns for how long the event loop held up a request that began at a time of the clock.
        warnings: About the settings; the first line carries them.
    """

    def __init__(
        self, *, clock: Callable[[], float], stalled_ms: Callable[[float], float], warnings: Sequence[str] = ()
    ) -> None:
        self._clock = clock
        self._stalled_ms = stalled_ms
        self._warnings = [printable(warning)[:_MAX_WARNING_CHARACTERS] for warning in warnings[:_MAX_WARNINGS]]
        if len(warnings) > _MAX_WARNINGS:
            self._warnings[-1] = f"and {len(warnings) - _MAX_WARNINGS + 1} more: correct these first"
        self._token_failure = ""
        self._told_unknown = False
        self._refusals: dict[str, tuple[float, int]] = {}
        self._lost = 0

    def write(self, record: RequestRecord, timings: Timings, *, status: int, outcome: str, detail: str = "") -> None:
        """Log the line of a request whose answer is ready. Never raises: a line that cannot be written is counted."""
        try:
            not_written = 0 if record.authenticated else self._count_refusal(outcome)
            if not_written is not None:
                self._write(record, timings, (status, outcome, detail), not_written)
        except Exception:  # noqa: BLE001 (a handler may raise anything, and no log line is worth a sign-in)
            self._lost += 1

    def write_health(self, status: int, reason: str) -> None:
        """Log an answer of the health address, where it is 503, once a minute, or the process's first line.

        Args:
            status: The answer's.
            reason: Why it is not 200, with the last failures of background work.
        """
        if status == _OK and not self._warnings:
            return
        outcome = "ok" if status == _OK else "keys_not_loaded"
        try:
            not_written = self._count_refusal(f"health {outcome}")
            if not_written is not None:
                failing = {"downstream_token": self._token_failure} if self._token_failure else {}
                shown = printable(reason)[:_MAX_REASON_CHARACTERS]
                self._emit(
                    logging.WARNING,
                    f'{{"event":"health","outcome":"{outcome}","status":{status}',
                    _that_say_something(detail=shown, not_written=not_written, failing=failing),
                )
        except Exception:  # noqa: BLE001 (see `write`)
            self._lost += 1

    def _write(self, record: RequestRecord, timings: Timings, result: tuple[int, str, str], not_written: int) -> None:
        status, outcome, detail = result
        measured, failure, reply = record.measured, record.failure, record.reply
        total_ms, budget_ms = timings.total_ms, measured.budget_ms
        slow = [] if total_ms <= budget_ms * _LEAST_SHARE else _slow(timings.phases_ms(), budget_ms)
        self._remember(failure.code if failure else outcome, failure.detail if failure else detail)
        unknown = () if self._told_unknown else record.unknown_members
        odd = slow or failure or status != _OK or measured.failing or self._warnings or unknown
        # What every line has needs no encoder: the id is a GUID, and names and codes have token characters only.
        begin = (
            f'{{"event":"onTokenIssuanceStart","correlationId":{_quoted(record.correlation_id)},"outcome":"{outcome}",'
            f'"status":{status},"total_ms":{total_ms:.3f},"budget_ms":{budget_ms},"phases":{{{timings.phases_json}}},'
            f'"cache_hits":{{{_booleans(measured.cache_hits)}}},'
            f'"cold":{_BOOLEANS[record.cold]},"joined":{_BOOLEANS[record.joined]}'
        )
        more: dict[str, Any] = {}
        if failure is not None:
            more |= {"failure": failure.code, "detail": failure.detail}
        if reply is not None:
            begin += f',"claims_bytes":{reply.claims_bytes}'
            if reply.dropped:
                more["dropped_claims"] = reply.dropped
        if stalled_ms := int(self._stalled_ms(measured.start_s)):
            more["loop_stalled_ms"] = stalled_ms
        if odd:
            more |= _that_say_something(
                detail=detail,
                not_written=not_written,
                unknown_members=_names(unknown),
                slow=slow[:_MAX_SLOW],
                failing={name: printable(reason)[:_MAX_REASON_CHARACTERS] for name, reason in measured.failing.items()},
            )
        if self._emit(logging.WARNING if odd else logging.INFO, begin, more):
            self._told_unknown |= bool(unknown)

    def _emit(self, level: int, begin: str, more: dict[str, Any]) -> bool:
        """Write a line that begins with this text, with what waited for one; return False where the level is off."""
        if not _log.isEnabledFor(level):
            return False
        if self._lost or self._warnings:
            more |= _that_say_something(lines_lost=self._lost, settings_warnings=self._warnings)
        line = f"{begin},{_encode(more)[1:]}" if more else f"{begin}}}"
        _log.handle(_record(level, line))
        self._warnings, self._lost = [], 0
        return True

    def _remember(self, code: str, detail: str) -> None:
        """Keep the last reason why there was no downstream token, until claims are sent again."""
        if code.startswith("downstream_token"):
            self._token_failure = f"{code}: {detail}"[:_MAX_REASON_CHARACTERS]
        elif code == "claims":
            self._token_failure = ""

    def _count_refusal(self, code: str) -> int | None:
        """Return how many refusals with this code were not written since the last one, or None for not now."""
        now_s = self._clock()
        written_s, not_written = self._refusals.get(code, (float("-inf"), 0))
        if now_s - written_s < REFUSALS_S:
            self._refusals[code] = (written_s, not_written + 1)
            return None
        self._refusals[code] = (now_s, 0)
        return not_written


def _record(level: int, line: str) -> logging.LogRecord:
    """Return a record of a line as `logging` makes it, without finding out again what is the same in all of them."""
    created_s = time.time()
    fields = _SAME.copy()
    fields.update(
        levelno=level,
        levelname=logging.getLevelName(level),
        msg=line,
        created=created_s,
        msecs=created_s % 1 * 1000,
        relativeCreated=(created_s - _SAME["created"]) * 1000 + _SAME["relativeCreated"],
    )
    record = logging.LogRecord.__new__(logging.LogRecord)
    record.__dict__ = fields
    return record


def _that_say_something(**members: object) -> dict[str, object]:
    """Return the members of a line that are not empty."""
    return {name: value for name, value in members.items() if value}


def _quoted(text: str | None) -> str:
    return "null" if text is None else f'"{text}"'


def _slow(phases_ms: Mapping[str, float], budget_ms: int) -> list[str]:
    return [name for name, spent_ms in phases_ms.items() if spent_ms > budget_ms * _SHARES.get(name, _OTHER_SHARE)]


def _booleans(values: Mapping[str, bool]) -> str:
    return ",".join([f'"{name}":{_BOOLEANS[value]}' for name, value in values.items()])


def _names(paths: Sequence[str]) -> str:
    """Return what others chose as one short text; a backslash would become two in JSON."""
    text = ", ".join([printable(path).replace("\\", "?") for path in paths])
    return text if len(text) <= _MAX_UNKNOWN_CHARACTERS else f"{text[: _MAX_UNKNOWN_CHARACTERS - 3]}..."
