"""One token issuance event as Entra logged it, read from a sign-in in any of the forms in which logs are exported.

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
from selftest.tenant.signin_log.tables import Row

_EVENT_TYPE: Final = "tokenissuancestart"
#: What a sign-in itself ends with when the event failed, in place of the event's code.
_WRAPPERS: Final = frozenset({1100001, 1100000})
_OK: Final = 200
_SHOWN_NAME_CHARACTERS: Final = 40
_PERSONAL: Final = re.compile(
    r"\S+@\S+|\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{0,4}:){3,}[0-9a-f]{0,4}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInEvent:
    """One call of an extension, or one sign-in that says that such a call failed.

    Attributes:
        at: when the call was made, else when the user signed in; in UTC.
        correlation_id: the sign-in's; the event that reaches the endpoint carries the same.
        app_id: the application that the user signed in to.
        app_name: its name, without what looks like a mail or an IP address.
        result: what the sign-in as a whole ended with; 0 is success.
        code: the event's code; None where the log has none, which for a call means success.
        http_status: of the last attempt; None or 0 where none came.
        attempts: how often the endpoint was called; 0: never.
        extension_id: which extension was called.
        listener_id: for which listener.
        told: whether the log has the event itself, and not only the sign-in's result.
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
    told: bool = True

    @property
    def failed(self) -> bool:
        """Say whether the event cost the user the token."""
        if not self.told:
            return True
        return bool(self.code) or self.http_status not in {None, 0, _OK}

    @property
    def before_call(self) -> bool:
        """Say whether Entra gave up before it called."""
        entry = CODES.get(self.code or 0)
        return self.failed and (self.attempts == 0 or (entry is not None and entry.phase == "before the call"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLog:
    """What a file holds of this event.

    Attributes:
        events: in the file's order.
        rows: how many sign-ins there were.
        others: events of other types, which are not judged.
    """

    events: tuple[SignInEvent, ...]
    rows: int
    others: int = 0


def read_events(rows: Iterable[Row], path: str) -> SignInLog:
    """Read the events of every row.

    Args:
        rows: of a sign-in log.
        path: where they come from, for messages.

    Raises:
        InputError: no row is a sign-in, or a member is not what it has to be; the message names the place.
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
            "no row has correlationId or appliedEventListeners: it is no sign-in log, or the columns were left out",
        )
    return SignInLog(events=tuple(events), rows=count, others=others)


def shown_name(text: str | None, *, keep: int = _SHOWN_NAME_CHARACTERS) -> str:
    """Give an application's name for output: short, printable, and without what looks like a mail or an IP address."""
    plain = _PERSONAL.sub("…", " ".join((text or "").split()))[:keep]
    return "".join(character if character.isprintable() else "?" for character in plain)


def _events_of(signin: Fields) -> tuple[list[SignInEvent], int]:
    """Give the events of a sign-in, and how many it has of other types."""
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
        told=callout is not None or code is not None,
    )


def _is_ours(listener: Fields) -> bool:
    return (listener.text("eventType") or _EVENT_TYPE).lower() == _EVENT_TYPE


def _result(signin: Fields) -> int | None:
    """Give the number that the sign-in ended with; a word in its place (Success) says nothing more than the number."""
    status = signin.any("status")
    try:
        if isinstance(status, dict):
            return Fields(status).number("errorCode")
        return signin.number("resultType", "sign-in error code", "signInErrorCode")
    except FieldError:
        return None
