"""Members of a row by any spelling of their names: case, spaces and units in a heading are ignored.

Graph writes ``correlationId``, Log Analytics ``CorrelationId``, the portal's CSV ``Correlation ID``; Log Analytics adds
the time zone to a heading (``TimeGenerated [UTC]``); and an object in one format is JSON text in another. The Graph
PowerShell SDK puts members that it has no property for one level down, under ``AdditionalProperties``.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from selftest.contract import is_guid
from selftest.judge.reply_json import ReplyJsonError, loads
from selftest.tenant.signin_log.times import parse_time

_NOT_A_LETTER: Final = re.compile(r"[^a-z0-9]")
_NUMBER: Final = re.compile(r"-?[0-9]{1,10}(?:\.0+)?")
_MORE: Final = "additionalproperties"


class FieldError(ValueError):
    """A member has an unusable value; the message names the member, not its value."""


class Fields:
    """A JSON object or a table's row, read by any spelling of a member's name.

    Of two members whose names differ in spelling only, the first with a value is used.
    """

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members: dict[str, Any] = {}
        for key, value in (*_named(members), *_additional(members)):
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
        text = str(value).strip() if isinstance(value, str | int | float) else ""
        if not _NUMBER.fullmatch(text):
            raise FieldError(f"{names[0]} is not a whole number")
        return int(text.partition(".")[0])

    def numbers(self, *names: str) -> tuple[list[int | None], tuple[str, ...]]:
        """Return members that are whole numbers, and the names of those with another value, which are None."""
        values: list[int | None] = []
        unread = []
        for name in names:
            try:
                values.append(self.number(name))
            except FieldError:
                values.append(None)
                unread.append(name)
        return values, tuple(unread)

    def time(self, *names: str, read: Callable[[str], dt.datetime | None] = parse_time) -> dt.datetime | None:
        """Return a member that is a time, in UTC; None for an unknown format.

        Args:
            *names: The first with a value counts.
            read: Reads the text; one for all times of a file knows more than one for each.
        """
        value = self.any(*names)
        # PowerShell 5.1 may write a time as an object.
        text = Fields(value).text("value") if isinstance(value, dict) else self.text(*names)
        return None if text is None else read(text)

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
    """Return a member's name without case, spaces, punctuation and the time zone after it.

    A heading in local time keeps its zone and so is not recognized: no time is better than one that is hours off.
    """
    return _NOT_A_LETTER.sub("", name.lower().strip().removesuffix("[utc]"))


def _named(members: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((plain_name(name), value) for name, value in members.items())


def _additional(members: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        if isinstance(value, dict) and plain_name(name) == _MORE:
            yield from _named(value)


def _parsed(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return loads(value.encode("utf-8", "surrogatepass"))
    except ReplyJsonError as error:
        raise FieldError(
            f"{name} is text that is {error}; from PowerShell export it with ConvertTo-Json -Depth 10"
        ) from error
