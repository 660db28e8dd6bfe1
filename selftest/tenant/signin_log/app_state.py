"""What the app's log says about the app at the time of an event that has no line of the endpoint.

The host's last start before the event is used; a start after it says nothing about it. A log that has nothing near the
event says nothing either. Which answer an app without functions gives depends on the Python worker
(docs/troubleshooting.md, "Where the app's log is").
"""

import datetime as dt
from typing import Final

from selftest.tenant.signin_log.event import SignInEvent
from selftest.tenant.signin_log.host_log import AppStart
from selftest.tenant.signin_log.pairing import Pairs
from selftest.tenant.signin_log.times import in_words

#: An app without functions gives one of these answers, or none.
_STATUSES: Final = frozenset({404, 502, 503, 504})
#: The codes that Entra logs for these answers; it logs others for a reply, and where it cannot connect.
_CODES: Final = frozenset({None, 1003002, 1003005})


def start_for(event: SignInEvent, pairs: Pairs) -> AppStart | None:
    """Return the last start before the event, or the last of all where a time is unknown; None without one.

    A start without functions does not count once the endpoint wrote a line: another must have followed.
    """
    starts = () if pairs.log is None else pairs.log.starts
    last = next((start for start in reversed(starts) if _may_be_before(start.at, event.at)), None)
    if last is None or (last.answered is not None and _may_be_before(last.answered, event.at)):
        return None
    return last


def may_lack_functions(event: SignInEvent) -> bool:
    """Whether an app without functions can be the reason for what Entra logged."""
    return event.http_status in _STATUSES or (not event.http_status and event.code in _CODES)


def when(start: AppStart, event: SignInEvent) -> str:
    """Return which start it is, in words."""
    if start.at is None or event.at is None:
        return "at the last start in the log (whether it was before this event is unknown)"
    return f"at the app's last start before this event, {in_words(start.at)},"


def _may_be_before(one: dt.datetime | None, other: dt.datetime | None) -> bool:
    return one is None or other is None or one <= other
