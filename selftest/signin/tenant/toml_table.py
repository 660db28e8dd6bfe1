"""One table of a TOML file, read key by key, with every complaint kept until the file has been read whole.

A wrong key is answered with a stand-in value and a line in ``Complaints``, so that one reading finds all mistakes. Each
line names the file, the table and the key, what was wanted and what is there. Secrets are not repeated in it.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from selftest.base.sample_tenant import guid

_ZERO_GUID: Final = "00000000-0000-0000-0000-000000000000"
_SHOWN_CHARACTERS: Final = 60


@dataclass(kw_only=True)
class Complaints:
    """What is wrong with one file, in the order in which it was found."""

    file: str
    lines: list[str] = field(default_factory=list)

    def add(self, where: str, message: str) -> None:
        """Keep one complaint about a place in the file."""
        self.lines.append(f"{self.file}: {where} {message}" if where else f"{self.file}: {message}")


class TomlTable:
    """A table that remembers which of its keys were asked for.

    Args:
        name: Its name in the file, such as ``apps.portal``; empty for the file itself.
        values: What is in it.
        complaints: Where mistakes go.
    """

    def __init__(self, name: str, values: Mapping[str, Any], complaints: Complaints) -> None:
        self.name = name
        self.values = values
        self.complaints = complaints
        self._asked: set[str] = set()

    def complain(self, key: str, message: str) -> None:
        """Say what is wrong with the value of a key."""
        self.complaints.add(f"[{self.name}] {key}:" if self.name else f"{key}:", message)

    def text(self, key: str, default: str | None = None, *, secret: bool = False) -> str:
        """Give a string that is not empty; without a default the key is required."""
        value = self._value(key, str, "a string", default, secret=secret)
        if value is not None and not value.strip():
            self.complain(key, "expected some text, it is empty")
        return value or default or ""

    def optional_text(self, key: str, *, secret: bool = False) -> str | None:
        """Give a string, or None where the key is absent."""
        self._asked.add(key)
        return self.text(key, secret=secret) if key in self.values else None

    def guid(self, key: str, default: str | None = None) -> str:
        """Give a GUID in Entra's form; without a default the key is required."""
        given = self._value(key, str, "a GUID", default)
        if given is None:
            return _ZERO_GUID
        try:
            return guid(given)
        except ValueError as error:
            self.complain(key, str(error))
            return _ZERO_GUID

    def flag(self, key: str, *, default: bool) -> bool:
        """Give true or false."""
        value = self._value(key, bool, "true or false", default)
        return default if value is None else value

    def number(self, key: str, default: int, *, low: int, high: int) -> int:
        """Give a whole number in a range."""
        value = self._value(key, int, f"a whole number from {low} to {high}", default)
        if value is None:
            return default
        if not low <= value <= high:
            self.complain(key, f"expected a whole number from {low} to {high}, got {value}")
            return default
        return value

    def choice(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        """Give one of a few words."""
        value = self._value(key, str, "a string", default)
        if value is not None and value not in choices:
            self.complain(key, f"expected {' or '.join(map(repr, choices))}, got {_shown(value)}")
            return default
        return value or default

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of strings; an absent key is an empty one."""
        value: list[Any] | None = self._value(key, list, "a list of strings", [])
        if value is None:
            return ()
        if not all(isinstance(member, str) and member for member in value):
            self.complain(key, f"expected a list of strings, got {_shown(value)}")
            return ()
        return tuple(value)

    def optional_texts(self, key: str) -> tuple[str, ...] | None:
        """Give a list of strings, or None where the key is absent."""
        self._asked.add(key)
        return self.texts(key) if key in self.values else None

    def table(self, key: str) -> "TomlTable":
        """Give a table inside this one; an absent one is empty."""
        value: dict[str, Any] | None = self._value(key, dict, "a table", {})
        name = f"{self.name}.{key}" if self.name else key
        return TomlTable(name, value or {}, self.complaints)

    def tables(self, key: str) -> dict[str, "TomlTable"]:
        """Give the tables inside a table, by name: ``[apps.portal]`` and its sisters."""
        outer = self.table(key)
        found = {}
        for name, value in outer.values.items():
            if isinstance(value, dict):
                found[name] = TomlTable(f"{outer.name}.{name}", value, self.complaints)
            else:
                outer.complain(name, f"expected a table [{outer.name}.{name}], got {_shown(value)}")
        return found

    def read(self, key: str) -> object:
        """Give a value of any type; None where it is absent."""
        self._asked.add(key)
        return self.values.get(key)

    def reference[Found](self, key: str, name: str, known: Mapping[str, Found], what: str) -> Found | None:
        """Find what a name refers to, or complain with the names that there are."""
        if name in known:
            return known[name]
        self.complain(key, f"there is no {what} {_shown(name)}{_did_you_mean(name, known)}")
        return None

    def done(self) -> None:
        """Complain about every key that nobody asked for."""
        for key in self.values:
            if key not in self._asked:
                self.complain(key, f"there is no such key here{_did_you_mean(key, self._asked)}")

    def _value[Wanted](
        self, key: str, kind: Callable[..., Wanted], what: str, default: Wanted | None, *, secret: bool = False
    ) -> Wanted | None:
        self._asked.add(key)
        if key not in self.values:
            if default is None:
                self.complain(key, f"expected {what}, the key is missing")
            return default
        value: Wanted = self.values[key]
        if type(value) is not kind:
            self.complain(key, f"expected {what}, got {'a value of another type' if secret else _shown(value)}")
            return default
        return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _did_you_mean(name: str, known: Mapping[str, object] | set[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(sorted(known))}" if known else "; there are none"
