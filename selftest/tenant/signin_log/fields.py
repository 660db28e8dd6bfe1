"""Members of a row by any spelling of their names: case, spaces and units in a heading are ignored.

Graph writes ``correlationId``, Log Analytics ``CorrelationId``, the portal's CSV ``Correlation ID``; Log Analytics adds
the time zone to a heading (``TimeGenerated [UTC]``); and an object in one format is JSON text in another.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

from selftest.contract import is_guid
from selftest.judge.reply_json import ReplyJsonError, loads

#: A heading in local time keeps its zone and so is not recognized: no time is better than one that is hours off.
_ZONE: Final = re.compile(r"\s*\[utc\]\s*$", re.IGNORECASE)
_NOT_A_LETTER: Final = re.compile(r"[^a-z0-9]")
_NUMBER: Final = re.compile(r"-?[0-9]{1,10}(?:\.0+)?")
#: The formats of the portals that are not ISO 8601.
_FORMATS: Final = ("%m/%d/%Y, %I:%M:%S.%f %p", "%m/%d/%Y, %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S")


class FieldError(ValueError):
    """A member has an unusable value; the message names the member, not its value."""


class Fields:
    """A JSON object or a table's row, read by any spelling of a member's name.

    Of two members whose names differ in spelling only, the first with a value is used.
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
        """Return the first of these members that has a value, or None."""
        for name in names:
            value = self._members.get(plain_name(name))
            if value is not None and value != "":
                return value
        return None

    def text(self, *names: str) -> str | None:
        """Return a member that is text."""
        value = self.any(*names)
        return value.strip() or None if isinstance(value, str) else None

    def texts(self) -> tuple[str, ...]:
        """Return every member that is text, whatever its name."""
        return tuple(value for value in self._members.values() if isinstance(value, str))

    def guid(self, *names: str) -> str | None:
        """Return a member that is a GUID, in lower case; None for anything else."""
        value = (self.text(*names) or "").lower()
        return value if is_guid(value) else None

    def number(self, *names: str) -> int | None:
        """Return a member that is a whole number, also as text or with a zero fraction.

        Raises:
            FieldError: It has a value that is not a whole number.
        """
        value = self.any(*names)
        if value is None:
            return None
        text = str(value).strip()
        if not _NUMBER.fullmatch(text):
            raise FieldError(f"{names[0]} is not a whole number")
        return int(text.partition(".")[0])

    def time(self, *names: str) -> dt.datetime | None:
        """Return a member that is a time, in UTC; None for an unknown format."""
        text = self.text(*names)
        return None if text is None else parse_time(text)

    def object(self, *names: str) -> "Fields | None":
        """Return a member that is an object, also as JSON text.

        Raises:
            FieldError: It has a value that is not an object.
        """
        value = _parsed(names[0], self.any(*names))
        if value is None:
            return None
        if not isinstance(value, dict):
            raise FieldError(f"{names[0]} is not an object")
        return Fields(value)

    def objects(self, *names: str) -> tuple["Fields", ...]:
        """Return a member that is a list of objects, also as JSON text; empty where it is absent.

        Raises:
            FieldError: It has a value that is not a list of objects.
        """
        value = _parsed(names[0], self.any(*names))
        if value is None:
            return ()
        items = [_parsed(names[0], item) for item in (value if isinstance(value, list) else [value])]
        if not all(isinstance(item, dict) for item in items):
            raise FieldError(f"{names[0]} is not a list of objects")
        return tuple(Fields(item) for item in items if isinstance(item, dict))


def plain_name(name: str) -> str:
    """Return a member's name without case, spaces, punctuation and the time zone after it."""
    return _NOT_A_LETTER.sub("", _ZONE.sub("", name).lower())


def parse_time(text: str) -> dt.datetime | None:
    """Return a time in ISO 8601 or a portal's format; without a zone it is UTC. None for any other text."""
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
    except OverflowError:  # a zone that leaves the calendar
        return None


def _parsed(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return loads(value.encode("utf-8", "surrogatepass"))
    except ReplyJsonError as error:
        raise FieldError(f"{name} is text that is {error}") from error
