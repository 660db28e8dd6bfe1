"""One token issuance event as Entra logged it, from a sign-in in any of the formats in which logs are exported.

Source: Microsoft Graph beta ``signIn``, ``appliedAuthenticationEventListener``, ``customExtensionCalloutResult``; Azure
Monitor Logs, table ``SigninLogs``.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from selftest.judge.codes import CODES
from selftest.tenant.signin_log.fields import FieldError, Fields
from selftest.tenant.signin_log.read_text import InputError
from selftest.tenant.signin_log.tables import LogRow

_EVENT_TYPE: Final = "tokenissuancestart"
#: The result of a sign-in whose event failed, instead of the event's code.
_WRAPPERS: Final = frozenset({1100001, 1100000})
_OK: Final = 200
_SHOWN_NAME_CHARACTERS: Final = 40
_PERSONAL: Final = re.compile(
    r"\S+@\S+|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{0,4}:){3,}[0-9a-f]{0,4}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInEvent:
    """One call of an extension, or one sign-in whose result says that such a call failed.

    Attributes:
        at: The time of the call, else of the sign-in; in UTC.
        correlation_id: The sign-in's; the event that reaches the endpoint has the same.
        app_name: Its name, without parts that look like a mail or an IP address.
        result: The result of the sign-in as a whole; 0 is success.
        code: The event's code; None where the log has none, which means success for a call.
        http_status: Of the last attempt; None or 0 without a reply.
        attempts: How often the endpoint was called; 0: never.
        logged: Whether the log has the event itself, and not only the sign-in's result.
    """

    at: dt.datetime | None
    correlation_id: str | None
    app_id: str | None
    app_name: str
    result: int | None
    code: int | None = None
    http_status: int | None = None
    attempts: int | None = None
    extension_id: str | None = None
    listener_id: str | None = None
    logged: bool = True

    @property
    def failed(self) -> bool:
        """Whether the user got no token because of the event."""
        if not self.logged:
            return True
        return bool(self.code) or self.http_status not in {None, 0, _OK}

    @property
    def before_call(self) -> bool:
        """Whether Entra gave up before it called."""
        entry = CODES.get(self.code or 0)
        return self.failed and (self.attempts == 0 or (entry is not None and entry.phase == "before the call"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLog:
    """The events of a file.

    Attributes:
        events: In the file's order.
        rows: The number of sign-ins.
        others: The number of events of other types, which are not judged.
    """

    events: tuple[SignInEvent, ...]
    rows: int
    others: int = 0


def read_events(rows: Iterable[LogRow], path: str) -> SignInLog:
    """Read the events of every row.

    Raises:
        InputError: No row is a sign-in, or a member is unusable; the message names the place.
    """
    events: list[SignInEvent] = []
    count = others = signins = 0
    for row in rows:
        count += 1
        signins += "correlationId" in row.fields or "appliedEventListeners" in row.fields
        try:
            found, left = _events_of(row.fields)
        except FieldError as error:
            raise InputError(path, str(error), place=row.place) from error
        events += found
        others += left
    if count and not signins:
        raise InputError(
            path,
            "no row has correlationId or appliedEventListeners: it is not a sign-in log, or the columns were left out",
        )
    return SignInLog(events=tuple(events), rows=count, others=others)


def shown_name(text: str | None, *, keep: int = _SHOWN_NAME_CHARACTERS) -> str:
    """Return an application's name for output: short, printable, without parts that look like a mail or IP address."""
    plain = _PERSONAL.sub("…", " ".join((text or "").split()))[:keep]
    return "".join(character if character.isprintable() else "?" for character in plain)


def _events_of(signin: Fields) -> tuple[list[SignInEvent], int]:
    """Return the events of a sign-in, and the number of events of other types."""
    result = _result(signin)
    applied = signin.objects("appliedEventListeners")
    ours = [listener for listener in applied if _is_ours(listener)]
    if ours:
        events = [_event(signin, result, listener) for listener in ours]
        if result in _WRAPPERS and not any(event.failed for event in events):
            events.append(_event(signin, result, None))
        return events, len(applied) - len(ours)
    if result in _WRAPPERS or result in CODES:
        code = result if result in CODES else None
        return [_event(signin, result, None, code=code)], len(applied)
    return [], len(applied)


def _event(signin: Fields, result: int | None, listener: Fields | None, *, code: int | None = None) -> SignInEvent:
    callout = None if listener is None else (listener.object("handlerResult", "result") or listener)
    at = None if callout is None else callout.time("calloutDateTime")
    return SignInEvent(
        at=at or signin.time("createdDateTime", "TimeGenerated", "date (UTC)", "time", "date"),
        correlation_id=signin.guid("correlationId"),
        app_id=signin.guid("appId", "applicationId"),
        app_name=shown_name(signin.text("appDisplayName", "application")),
        result=result,
        code=code if callout is None else (callout.number("errorCode") or None),
        http_status=None if callout is None else callout.number("httpStatus"),
        attempts=None if callout is None else callout.number("numberOfAttempts"),
        extension_id=None if callout is None else callout.guid("customExtensionId"),
        listener_id=None if listener is None else listener.guid("executedListenerId"),
        logged=callout is not None or code is not None,
    )


def _is_ours(listener: Fields) -> bool:
    return (listener.text("eventType") or _EVENT_TYPE).lower() == _EVENT_TYPE


def _result(signin: Fields) -> int | None:
    """Return the numeric result of the sign-in; None for a word (Success) instead of a number."""
    status = signin.any("status")
    try:
        if isinstance(status, dict):
            return Fields(status).number("errorCode")
        return signin.number("resultType", "sign-in error code", "signInErrorCode")
    except FieldError:
        return None
