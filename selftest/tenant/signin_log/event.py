"""One token issuance event as Entra logged it, from a sign-in in any of the formats in which logs are exported.

Source: Microsoft Graph beta ``signIn``, ``appliedAuthenticationEventListener``, ``customExtensionCalloutResult``; Azure
Monitor Logs, table ``SigninLogs``.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from selftest.judge.codes import CODES
from selftest.tenant.signin_log.fields import FieldError, Fields
from selftest.tenant.signin_log.read_text import InputError
from selftest.tenant.signin_log.tables import LogRow
from selftest.tenant.signin_log.times import TimeReader, in_one_order

OURS: Final = "tokenIssuanceStart"
_TYPE: Final = re.compile(r"#?(?:microsoft\.graph\.(?:[A-Za-z]{1,60}\.)?)?([A-Za-z]{1,60})")
#: Of a type that is not a plain word, nothing is shown.
_NO_TYPE: Final = "unnamed"
#: The result of a sign-in whose event failed, instead of the event's code.
_WRAPPERS: Final = frozenset({1100001, 1100000})
_OK: Final = 200
_SHOWN_NAME_CHARACTERS: Final = 40
_IP_ADDRESS: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInEvent:
    """One call of an extension, or one sign-in whose result says that such a call failed.

    Attributes:
        at: The time of the call, else of the sign-in; in UTC.
        correlation_id: The sign-in's; the event that reaches the endpoint has the same.
        app_name: Its name, without parts that look like a mail or an IP address.
        result: The result of the sign-in as a whole; 0 is success.
        code: The event's code; None where the log has none or 0.
        cleared: Whether the log has the event's code and it is 0.
        http_status: Of the last attempt; None or 0 without a reply.
        attempts: How often the endpoint was called; 0: never.
        event_type: Another type than ours: an event that failed the sign-in before the token was issued.
        unread: The members with a value that is no number; each counts as unknown, and not as absent.
        logged: Whether the log has the event itself, and not only the sign-in's result.
    """

    at: dt.datetime | None
    correlation_id: str | None
    app_id: str | None
    app_name: str
    result: int | None
    code: int | None = None
    cleared: bool = False
    http_status: int | None = None
    attempts: int | None = None
    extension_id: str | None = None
    listener_id: str | None = None
    event_type: str = OURS
    logged: bool = True
    unread: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the user got no token because of the event."""
        if not self.logged:
            return True
        return bool(self.code) or self.http_status not in {None, 0, _OK}

    @property
    def unknown(self) -> bool:
        """Whether the log does not say how the event ended: the absence of a code is not success."""
        silent = self.http_status is None and self.attempts != 0 and not self.unread
        replied = self.http_status == _OK or (self.cleared and silent)
        return not self.failed and not replied

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
        rows: The number of rows.
        signins: The number of rows that are sign-ins.
        recorded: The number of sign-ins that have a list of events, which may be empty.
        others: The number of events of other types that did not fail a sign-in, by type.
        unread: Why a sign-in could not be read, one reason a sign-in, with its place.
        assumed: What was assumed about its times, as a sentence; empty where nothing was.
    """

    events: tuple[SignInEvent, ...]
    rows: int
    signins: int = 0
    recorded: int = 0
    others: Counter[str] = field(default_factory=Counter)
    unread: tuple[str, ...] = ()
    assumed: str = ""

    def notes(self) -> Iterator[str]:
        """Yield what of the file was not judged, and why, a sentence each."""
        if self.others:
            listed = ", ".join(f"{name} {count}" for name, count in self.others.most_common())
            yield f"events of other types, which are not judged: {listed}"
        if left := self.rows - self.signins:
            yield f"rows without correlationId and appliedEventListeners, which are not sign-ins: {left}"
        if self.signins and not self.recorded:
            yield "no sign-in has appliedEventListeners: Graph's v1.0 lacks them, a portal's CSV seems to; use beta"
        if self.unread:
            yield f"sign-ins that could not be read: {len(self.unread)}; the first: {self.unread[0]}"
        if members := Counter(name for event in self.events for name in event.unread):
            listed = ", ".join(f"{name} {count}" for name, count in members.items())
            yield f"members that are not whole numbers, which are taken as unknown: {listed}"
        if self.assumed:
            yield self.assumed
        if timeless := sum(event.at is None for event in self.events):
            yield f"events without a time, or with a time whose format or order of day and month is unknown: {timeless}"


def read_events(rows: Iterable[LogRow], path: str) -> SignInLog:
    """Read the events of every row.

    Raises:
        InputError: No row is a sign-in, or none can be read; the message names the place of the first.
    """
    rows = tuple(rows)
    log, assumed = in_one_order(lambda times: _read_rows(rows, path, times))
    return replace(log, assumed=assumed)


def _read_rows(rows: Sequence[LogRow], path: str, times: TimeReader) -> SignInLog:
    events: list[SignInEvent] = []
    others: Counter[str] = Counter()
    unread: list[InputError] = []
    signins = recorded = 0
    for row in rows:
        signins += "correlationId" in row.fields or "appliedEventListeners" in row.fields
        recorded += "appliedEventListeners" in row.fields
        try:
            events += _events_of(row.fields, others, times)
        except FieldError as error:
            unread.append(InputError(path, str(error), place=row.place))
    if rows and not signins:
        raise InputError(
            path,
            "no row has correlationId or appliedEventListeners: it is not a sign-in log, or the columns were left out",
        )
    if unread and len(unread) == signins:
        raise unread[0]
    return SignInLog(
        events=tuple(events),
        rows=len(rows),
        signins=signins,
        recorded=recorded,
        others=others,
        unread=tuple(map(str, unread)),
    )


def shown_name(text: str | None, *, keep: int = _SHOWN_NAME_CHARACTERS) -> str:
    """Return an application's name for output: short, printable, without parts that look like a mail or IP address."""
    # Word by word: a pattern for the text would start again at every letter of a long word.
    words = ("…" if "@" in word[1:-1] else word for word in (text or "").split())
    plain = _IP_ADDRESS.sub("…", " ".join(words))[:keep]
    return "".join(character if character.isprintable() else "?" for character in plain)


def _events_of(signin: Fields, others: Counter[str], times: TimeReader) -> list[SignInEvent]:
    """Return the events of a sign-in that are ours or made it fail, and count the others."""
    result = _result(signin)
    at = signin.time("createdDateTime", "TimeGenerated", "date (UTC)", "time", "date", read=times.read)
    whole = SignInEvent(
        at=at,
        correlation_id=signin.guid("correlationId"),
        app_id=signin.guid("appId", "applicationId"),
        app_name=shown_name(signin.text("appDisplayName", "application")),
        result=result,
        code=result if result in CODES else None,
        logged=result in CODES,
    )
    events: list[SignInEvent] = []
    for listener in signin.objects("appliedEventListeners"):
        kind = _type_of(listener)
        event = _event(whole, listener, kind, times) if kind == OURS else _other(whole, listener, kind, times)
        if event is None:
            others[kind] += 1
        else:
            events.append(event)
    if (result in _WRAPPERS or result in CODES) and not any(event.failed for event in events):
        return [*(event for event in events if not event.unknown), whole]
    return events


def _other(whole: SignInEvent, listener: Fields, kind: str, times: TimeReader) -> SignInEvent | None:
    """Return an event of another type if it failed and the sign-in did not succeed."""
    try:
        event = _event(whole, listener, kind, times)
    except FieldError:
        return None
    return event if event.failed and whole.result != 0 else None


def _event(whole: SignInEvent, listener: Fields, kind: str, times: TimeReader) -> SignInEvent:
    """Return what a listener's result says, with what the sign-in says of all its events."""
    callout = listener.object("handlerResult", "result") or listener
    code = callout.number("errorCode")
    (http_status, attempts), unread = callout.numbers("httpStatus", "numberOfAttempts")
    return replace(
        whole,
        at=callout.time("calloutDateTime", read=times.read) or whole.at,
        code=code or None,
        cleared=code == 0,
        http_status=http_status,
        attempts=attempts,
        extension_id=callout.guid("customExtensionId"),
        listener_id=listener.guid("executedListenerId"),
        event_type=kind,
        logged=True,
        unread=unread,
    )


def _type_of(listener: Fields) -> str:
    """Return the event's type; an event without one is taken for ours."""
    value = listener.any("eventType")
    found = _TYPE.fullmatch(value) if isinstance(value, str) else None
    name = _NO_TYPE if found is None else found[1]
    return OURS if value is None or name.lower().removeprefix("on") == OURS.lower() else name


def _result(signin: Fields) -> int | None:
    """Return the numeric result of the sign-in; None for a word (Success) instead of a number."""
    status = signin.any("status")
    try:
        if isinstance(status, dict):
            return Fields(status).number("errorCode")
        return signin.number("resultType", "sign-in error code", "signInErrorCode")
    except FieldError:
        return None
