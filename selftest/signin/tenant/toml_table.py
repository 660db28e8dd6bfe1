"""One table of a TOML file, read key by key; every error is collected until the whole file has been read.

A wrong key is replaced by a placeholder value and adds a line to ``Complaints``, so that one reading finds all errors.
Each line names the file, the table and the key, the expected and the actual value, without secrets. That is why there
are no models here: msgspec stops at the first error.
"""

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from selftest.base.sample_tenant import guid

_ZERO_GUID: Final = "00000000-0000-0000-0000-000000000000"
_SHOWN_CHARACTERS: Final = 60


@dataclass(kw_only=True)
class Complaints:
    """The errors of one file, in the order in which they were found."""

    file: str
    lines: list[str] = field(default_factory=list)

    def add(self, where: str, message: str) -> None:
        """Add an error at a place in the file."""
        self.lines.append(f"{self.file}: {where} {message}" if where else f"{self.file}: {message}")


@dataclass(frozen=True, slots=True)
class TomlTable:
    """A table that remembers which of its keys were read.

    Attributes:
        name: Its name in the file, such as ``apps.portal``; empty for the file itself.
    """

    name: str
    values: Mapping[str, Any]
    complaints: Complaints
    _known: set[str] = field(default_factory=set, init=False)

    def complain(self, key: str, message: str) -> None:
        """Add an error about the value of a key."""
        self.complaints.add(f"[{self.name}] {key}:" if self.name else f"{key}:", message)

    def text(self, key: str, default: str | None = None, *, secret: bool = False) -> str:
        """Return a non-empty string; without a default the key is required."""
        value = self._value(key, str, "a string", default, secret=secret)
        if value is not None and not value.strip():
            self.complain(key, "expected some text, it is empty")
        return value or default or ""

    def optional_text(self, key: str, *, secret: bool = False) -> str | None:
        """Return a string, or None where the key is absent."""
        return None if self.read(key) is None else self.text(key, secret=secret)

    def guid(self, key: str, default: str | None = None) -> str:
        """Return a GUID in Entra's form; without a default the key is required."""
        given = self._value(key, str, "a GUID", default)
        try:
            return _ZERO_GUID if given is None else guid(given)
        except ValueError as error:
            self.complain(key, str(error))
            return _ZERO_GUID

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._value(key, bool, "true or false", default)
        return default if value is None else value

    def number(self, key: str, default: int, *, low: int, high: int) -> int:
        """Return a whole number in a range."""
        wanted = f"a whole number from {low} to {high}"
        value = self._value(key, int, wanted, default)
        if value is not None and not low <= value <= high:
            self.complain(key, f"expected {wanted}, got {value}")
            return default
        return default if value is None else value

    def choice(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        """Return one of a few words."""
        value = self._value(key, str, "a string", default)
        if value is not None and value not in choices:
            self.complain(key, f"expected {' or '.join(map(repr, choices))}, got {_shown(value)}")
            return default
        return value or default

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings; an absent key is an empty list."""
        value: list[Any] = self._value(key, list, "a list of strings", []) or []
        if all(isinstance(member, str) and member for member in value):
            return tuple(value)
        self.complain(key, f"expected a list of strings, got {_shown(value)}")
        return ()

    def optional_texts(self, key: str) -> tuple[str, ...] | None:
        """Return a list of strings, or None where the key is absent."""
        return None if self.read(key) is None else self.texts(key)

    def table(self, key: str) -> "TomlTable":
        """Return a table inside this one; an absent table is empty."""
        value: dict[str, Any] | None = self._value(key, dict, "a table", {})
        return TomlTable(f"{self.name}.{key}" if self.name else key, value or {}, self.complaints)

    def tables(self, key: str) -> dict[str, "TomlTable"]:
        """Return the tables inside a table, by name, such as ``[apps.portal]``."""
        outer = self.table(key)
        found = {}
        for name, value in outer.values.items():
            if isinstance(value, dict):
                found[name] = TomlTable(f"{outer.name}.{name}", value, self.complaints)
            else:
                outer.complain(name, f"expected a table [{outer.name}.{name}], got {_shown(value)}")
        return found

    def read(self, key: str) -> object:
        """Return a value of any type; None where it is absent, because TOML has no null."""
        self._known.add(key)
        return self.values.get(key)

    def reference[Found](self, key: str, name: str, known: Mapping[str, Found], what: str) -> Found | None:
        """Return the object that a name refers to, or add an error with the nearest name."""
        if name in known:
            return known[name]
        self.complain(key, f"there is no {what} {_shown(name)}{_did_you_mean(name, known)}")
        return None

    def done(self) -> None:
        """Add an error for every key that was not read."""
        for key in self.values:
            if key not in self._known:
                self.complain(key, f"there is no such key here{_did_you_mean(key, self._known)}")

    def _value[Wanted](
        self, key: str, kind: Callable[..., Wanted], what: str, default: Wanted | None, *, secret: bool = False
    ) -> Wanted | None:
        self._known.add(key)
        value: Wanted | None = self.values.get(key)
        if value is None:
            if default is None:
                self.complain(key, f"expected {what}, the key is missing")
            return default
        if type(value) is not kind:
            self.complain(key, f"expected {what}, got {'a value of another type' if secret else _shown(value)}")
            return default
        return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _did_you_mean(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; there are {', '.join(sorted(known))}" if known else "; there are none"
