"""What the app's log says about a sign-in that got its token, and the app's developer should know, as warnings.

The line of a good request says more than the reply: which claims had no value, and that the event loop was blocked.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from selftest.base.printable import printable
from selftest.judge.app_line import LOOP_BLOCKED, SHOWN_STALL_MS, AppLine
from selftest.judge.warnings import ReplyWarning, shown
from selftest.play.app_log import LogSource, records_of, request_lines

#: Kinds of `ReplyWarning`.
NO_VALUE: Final = "no-value"
BLOCKED_LOOP: Final = "blocked-loop"
#: The app names three claims, and how many more there are.
_MOST_NAMES: Final = 4


async def app_warnings(log: LogSource, correlation_id: str, *, before: int) -> tuple[ReplyWarning, ...]:
    """Return what the log warns of; nothing if it has no line of this project's app about the request.

    Args:
        log: The app's log.
        correlation_id: That of the event.
        before: How many lines the log had before the request.
    """
    lines = await request_lines(log, correlation_id, before=before)
    names = [name for record in records_of(log(), correlation_id) for name in _names(record.get("dropped_claims"))]
    return (*_no_value(list(dict.fromkeys(names))), *_blocked(lines))


def _names(value: object) -> Sequence[str]:
    return [printable(str(name)) for name in value[:_MOST_NAMES]] if isinstance(value, list) else []


def _no_value(names: Sequence[str]) -> Iterator[ReplyWarning]:
    if names:
        message = (
            "not sent, because the provider returned None for it, or its name is blank: "
            f"{', '.join(map(shown, names))}. If every user lacks it, the name is wrong: in a setting like "
            "Claims__ProfileApi__Claims, one that matches no member of the data source is None, too"
        )
        yield ReplyWarning(kind=NO_VALUE, claim=None, message=message)


def _blocked(lines: Sequence[AppLine]) -> Iterator[ReplyWarning]:
    """Yield a warning if the request's own line reports a stall; a note of the host has the place."""
    stalled_ms = max((line.loop_stalled_ms for line in lines), default=0.0)
    if stalled_ms >= SHOWN_STALL_MS:
        places = list(dict.fromkeys(line.detail for line in lines if line.outcome == LOOP_BLOCKED))
        where = f" {', '.join(places)}" if places else ""
        doubt = "" if places else ". A busy machine causes that, too; if it comes again"
        message = (
            f"the event loop was blocked{where} for {stalled_ms:,.0f} ms, and no other sign-in was answered{doubt}: "
            "use an async client and await it, or `await asyncio.to_thread(...)`"
        )
        yield ReplyWarning(kind=BLOCKED_LOOP, claim=None, message=message)
