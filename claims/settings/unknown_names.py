"""Names of settings that nobody reads.

A misspelled setting is worse than a missing one: the default answers in its place. So a name that is nearly a known one
stops the start. Any other unknown name is a warning: after a rollback, an older version meets newer settings.
"""

import importlib
import pkgutil
import re
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Final

from claims.settings.reader import SettingsReader

#: The separators are those that .NET and Azure accept between the parts of a name.
_OURS: Final = re.compile(r"(?:AuthenticationEvents|Claims)(?:_|:)", re.IGNORECASE)
_SEPARATOR: Final = re.compile(r"_+|:")
_MAX_EDITS: Final = 2
_PROVIDERS: Final = "claims.providers"


def check_names(reader: SettingsReader, known: Collection[str], provider: str) -> None:
    """Report the names that neither the endpoint nor a provider declares.

    The configured provider's module is imported anyway; the others only if there is a name left.
    """
    declared = set(known)
    unknown = [name for name in reader.environ if _OURS.match(name)]
    unread = False
    for more in chain([()], _declared(provider)):
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
            reader.warnings.append(f"{name} is set, and no such setting is known: it is ignored")
        elif reader.environ.get(near) != reader.environ[name] or near.lower() != name.lower():
            # Where names have no case (Windows), the same variable appears under its known name too.
            reader.problem(name, f"is set, and no such setting is known: it must be {near}, or be removed")


def _declared(provider: str) -> Iterator[Collection[str] | None]:
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
