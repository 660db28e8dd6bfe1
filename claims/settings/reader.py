"""The reader of settings, for the endpoint and for its providers.

It remembers every problem, so that one message at the start names them all. Problems hold no secret: a URL that may
contain one is not shown.

A misspelled setting is worse than a missing one: the default answers in its place. So a name that is nearly a known one
stops the start. Any other unknown name is a warning: after a rollback, an older version meets newer settings.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import chain
from typing import Final

from claims.contract import is_guid
from claims.errors import SettingsError
from claims.settings.claim_names import ClaimNames
from claims.settings.credential import runs_in_azure
from claims.wire.urls import parse_service_url

#: The separators are those that .NET and Azure accept between the parts of a name.
_OURS: Final = re.compile(r"(?:AuthenticationEvents|Claims)(?:_|:)", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"_+|:")
_MAX_EDITS: Final = 2
_PROVIDERS: Final = "claims.providers"


class SettingsReader:
    """Reads one setting at a time and remembers the problems; `require_good` raises them.

    Args:
        environ: The app's settings.
        declared: The names that may be read. A name that is declared is known: docs/settings.md has it, and a
            misspelling of it stops the start.

    Attributes:
        environ: The app's settings.
        in_azure: Whether the app runs there, where plain http is refused even on loopback.
        problems: One sentence each, starting with the setting's name.
        warnings: What is legal and should not stay, one sentence each.
    """

    def __init__(self, environ: Mapping[str, str], declared: Collection[str]) -> None:
        self.environ = environ
        self.in_azure = runs_in_azure(environ)
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self._declared = declared

    def problem(self, name: str, sentence: str) -> None:
        """Remember what is wrong with a setting; the sentence continues after its name and holds no secret."""
        self.problems.append(f"{name} {sentence}")

    def require_good(self) -> None:
        """Stop the start if anything is wrong.

        Raises:
            SettingsError: Naming every setting at fault.
        """
        if self.problems:
            raise SettingsError(tuple(self.problems))

    def text(self, name: str, default: str = "") -> str:
        """Return a setting, or the default where it is missing or blank.

        Raises:
            SettingsError: The name is not declared, which is a mistake in the module that reads it.
        """
        if name not in self._declared:
            raise SettingsError((f"{name} is read, but the SETTINGS of the module that reads it do not declare it",))
        return self.environ.get(name, "").strip() or default

    def required(self, name: str) -> str:
        """Return a setting that must be there."""
        value = self.text(name)
        if not value:
            self.problem(name, "is required and is not set")
        return value

    def items(self, name: str) -> tuple[str, ...]:
        """Return the items of a comma-separated list."""
        return tuple(item for part in self.text(name).split(",") if (item := part.strip()))

    def guid(self, name: str, *, required: bool = False) -> str:
        """Return a GUID in lower case; empty where it is missing."""
        return self._guid(name, self.required(name) if required else self.text(name))

    def guids(self, name: str) -> frozenset[str]:
        """Return a comma-separated list of GUIDs in lower case."""
        return frozenset(self._guid(name, item) for item in self.items(name))

    def integer(self, name: str, default: int, low: int, high: int, unit: str = "") -> int:
        """Return a whole number from ``low`` to ``high``, neither of them negative."""
        text = self.text(name, str(default))
        value = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(high)) else -1
        if not low <= value <= high:
            self.problem(name, f"must be {low} to {high}{unit and f' {unit}'}, got '{text}'")
        return value

    def choice[Choice: str](self, name: str, default: Choice, *others: Choice) -> Choice:
        """Return one of several words in lower case, which the setting may write in any case."""
        text = self.text(name, default).lower()
        for word in (default, *others):
            if text == word:
                return word
        self.problem(name, f"must be {', '.join((default, *others[:-1]))} or {others[-1]}, got '{text}'")
        return default

    def url(self, name: str, default: str = "") -> str:
        """Return the URL of a service as `check_url` does; required when there is no default."""
        value = self.text(name, default) if default else self.required(name)
        return self.check_url(name, value) if value else ""

    def check_url(
        self, name: str, text: str, parse: Callable[..., object] = parse_service_url, *, secret: bool = False
    ) -> str:
        """Return a URL with scheme and host in lower case, without a default port or a slash at the end.

        Args:
            name: The setting that contains it.
            text: Https, or http on a loopback host outside Azure: a bearer token is sent there.
            parse: Takes ``text`` and ``in_azure``, and raises ``ValueError``.
            secret: Whether the setting contains a secret too, so that none of it may be shown.
        """
        try:
            return str(parse(text, in_azure=self.in_azure)).rstrip("/")
        except ValueError as error:
            # User names and queries can be secrets.
            hidden = secret or any(mark in text for mark in "@?#")
            self.problem(name, str(error) if hidden else f"{error}, got '{text}'")
            return ""

    def claim_names(self, name: str) -> ClaimNames:
        """Return which members become claims."""
        try:
            return ClaimNames.parse(self.text(name))
        except ValueError as error:
            self.problem(name, str(error))
            return ClaimNames()

    def check_names(self, provider: str) -> None:
        """Report the names that neither this reader nor a provider declares.

        The configured provider's module is imported anyway; the others only if there is a name left.
        """
        declared = set(self._declared)
        unknown = [name for name in self.environ if _OURS.match(name)]
        unread = False
        for more in chain([()], _declared_by_providers(provider)):
            unread |= more is None
            declared.update(more or ())
            unknown = [name for name in unknown if name not in declared]
            if not unknown:
                return
        for name in unknown:
            edits, near = min((_edits(name, one), one) for one in declared)
            if edits > _MAX_EDITS and unread:
                continue  # it may be a name of the module that could not be imported
            if edits > _MAX_EDITS:
                self.warnings.append(f"{name} is set, and no such setting is known: it is ignored")
            elif self.environ.get(near) != self.environ[name] or near.lower() != name.lower():
                # Where names have no case (Windows), the same variable appears under its known name too.
                self.problem(name, f"is set, and no such setting is known: it must be {near}, or be removed")

    def _guid(self, name: str, value: str) -> str:
        if value and not is_guid(value):
            self.problem(name, f"must be a GUID, got '{value}'")
        return value.lower()


def _declared_by_providers(provider: str) -> Iterator[Collection[str] | None]:
    """Return what each provider module declares, the configured one first; None for one that cannot be imported."""
    others = (module.name for module in pkgutil.iter_modules(importlib.import_module(_PROVIDERS).__path__))
    for name in dict.fromkeys(chain([provider], others)):
        try:
            declared = importlib.import_module(f"{_PROVIDERS}.{name}").SETTINGS
            yield [setting for setting in declared if isinstance(setting, str)]
        except (Exception, SystemExit):  # noqa: BLE001 (it reports itself when it is the configured one)
            yield None


def _edits(name: str, known: str) -> int:
    """Return Levenshtein's distance between two names, ignoring case; 0 where only the separators differ."""
    name, known = name.lower(), known.lower()
    if _SEPARATOR.sub("__", name) == known:
        return 0
    if abs(len(name) - len(known)) > _MAX_EDITS:
        return _MAX_EDITS + 1
    row = list(range(len(known) + 1))
    for deleted, letter in enumerate(name, 1):
        above, row = row, [deleted]
        for column, other in enumerate(known):
            row.append(min(above[column] + (letter != other), above[column + 1] + 1, row[column] + 1))
    return row[-1]
