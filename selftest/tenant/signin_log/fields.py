"""Members of a row, whatever its writer called them: case, spaces and units in a heading do not matter.

Graph writes ``correlationId``, Log Analytics ``CorrelationId``, the portal's CSV ``Correlation ID``; Log Analytics puts
the time zone behind a heading (``TimeGenerated [UTC]``); and what is an object in one is JSON as text in another.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

from selftest.judge.reply_json import ReplyJsonError, loads

#: A heading in local time keeps its zone, and so is no time that we know: better none than one that is hours off.
_ZONE: Final = re.compile(r"\s*\[utc\]\s*$", re.IGNORECASE)
_NOT_A_LETTER: Final = re.compile(r"[^a-z0-9]")
_GUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,10}(?:\.0+)?")
#: How the portals write times where they do not write ISO 8601.
_FORMATS: Final = ("%m/%d/%Y, %I:%M:%S.%f %p", "%m/%d/%Y, %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S")


class FieldError(ValueError):
    """Raised when a member is there and cannot be what it should be; the message names the member, not its value."""


class Fields:
    """A JSON object or a table's row, read by any spelling of a member's name.

    Where two members have one name but for its spelling, the first one that says something counts.
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members: dict[str, Any] = {}
        for name, value in members.items():
            key = plain_name(name)
            if self._members.get(key) in (None, ""):
                self._members[key] = value

    def __contains__(self, name: str) -> bool:
        return plain_name(name) in self._members

    def any(self, *names: str) -> Any:
        """Give the first of these members that says something, or None."""
        for name in names:
            value = self._members.get(plain_name(name))
            if value is not None and value != "":
                return value
        return None

    def text(self, *names: str) -> str | None:
        """Give a member that is text."""
        value = self.any(*names)
        return value.strip() or None if isinstance(value, str) else None

    def texts(self) -> tuple[str, ...]:
        """Give every member that is text, whatever its name."""
        return tuple(value for value in self._members.values() if isinstance(value, str))

    def guid(self, *names: str) -> str | None:
        """Give a member that is a GUID, in lower case; None where it is anything else."""
        value = (self.text(*names) or "").lower()
        return value if _GUID.fullmatch(value) else None

    def number(self, *names: str) -> int | None:
        """Give a member that is a whole number, also written as text or with a zero fraction.

        Raises:
            FieldError: it is there and is none.
        """
        value = self.any(*names)
        if value is None:
            return None
        text = str(value).strip()
        if not _NUMBER.fullmatch(text):
            raise FieldError(f"{names[0]} is no whole number")
        return int(text.partition(".")[0])

    def time(self, *names: str) -> dt.datetime | None:
        """Give a member that is a time, in UTC; None where it is none that we know."""
        text = self.text(*names)
        return None if text is None else parse_time(text)

    def object(self, *names: str) -> "Fields | None":
        """Give a member that is an object, also where it is JSON as text.

        Raises:
            FieldError: it is there and is none.
        """
        value = _parsed(names[0], self.any(*names))
        if value is None:
            return None
        if not isinstance(value, dict):
            raise FieldError(f"{names[0]} is no object")
        return Fields(value)

    def objects(self, *names: str) -> tuple["Fields", ...]:
        """Give a member that is a list of objects, also where it is JSON as text; nothing where it is absent.

        Raises:
            FieldError: it is there and is none.
        """
        value = _parsed(names[0], self.any(*names))
        if value is None:
            return ()
        items = [_parsed(names[0], item) for item in (value if isinstance(value, list) else [value])]
        if not all(isinstance(item, dict) for item in items):
            raise FieldError(f"{names[0]} is no list of objects")
        return tuple(Fields(item) for item in items if isinstance(item, dict))


def plain_name(name: str) -> str:
    """Give a member's name without case, spaces, punctuation and the time zone behind it."""
    return _NOT_A_LETTER.sub("", _ZONE.sub("", name).lower())


def parse_time(text: str) -> dt.datetime | None:
    """Read a time in ISO 8601 or as the portals write it; without a zone it is UTC. None where it is neither."""
    found: dt.datetime | None = None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        for written in _FORMATS:
            try:
                found = dt.datetime.strptime(text, written).replace(tzinfo=dt.UTC)
                break
            except ValueError:
                continue
    if found is None:
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except OverflowError:  # a zone that leads out of the calendar
        return None


def _parsed(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return loads(value.encode("utf-8", "surrogatepass"))
    except ReplyJsonError as error:
        raise FieldError(f"{name} is text that is {error}") from error
