"""The app's files on disk: whether they changed since the app was started, and its providers.

Contents are compared, not times: saving an unchanged file does not restart the app.
"""

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Folders that are not part of the running app.
_NOT_THE_APP: Final = frozenset({"tests", "node_modules", "__pycache__", "benchmarks", "docs", "selftest", "infra"})
_MAX_SHOWN_CHARACTERS: Final = 12_000
_PROVIDERS: Final = Path("claims") / "providers"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A digest of each of an app's files, by its path in the app's directory."""

    digests: Mapping[str, str]

    def changed_since(self, before: "Fingerprint") -> tuple[str, ...]:
        """Return the files that were added, changed or removed."""
        names = {*self.digests, *before.digests}
        return tuple(sorted(name for name in names if self.digests.get(name) != before.digests.get(name)))


def fingerprint(app_dir: Path) -> Fingerprint:
    """Return the digests of an app's files. Takes some milliseconds: call it in a thread."""
    return Fingerprint({name: digest for path, name in _sources(app_dir) if (digest := _digest(path)) is not None})


def forget_compiled(app_dir: Path, names: tuple[str, ...]) -> None:
    """Delete Python's compiled versions of these files.

    Python uses a compiled file as long as the source's size and modification time in seconds are the same, so that it
    would miss a quick edit that keeps the length.
    """
    for name in names:
        if name.endswith(".py"):
            Path(importlib.util.cache_from_source(str(app_dir / name))).unlink(missing_ok=True)


def providers(app_dir: Path) -> tuple[str, ...]:
    """Return the names of the modules in ``claims/providers/``."""
    return tuple(sorted(path.stem for path in (app_dir / _PROVIDERS).glob("[a-z]*.py")))


def provider_file(provider: str) -> Path:
    """Return the path of a provider in the app's directory."""
    return _PROVIDERS / f"{provider}.py"


def provider_source(app_dir: Path, provider: str) -> str:
    """Return a provider's source, or the reason why it cannot be read."""
    try:
        text = (app_dir / provider_file(provider)).read_text("utf-8", "backslashreplace")
    except OSError as error:
        return f"({error.strerror})"
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}\n..."


def _sources(app_dir: Path) -> Iterator[tuple[Path, str]]:
    for directory, folders, files in app_dir.walk():
        folders[:] = [name for name in folders if name not in _NOT_THE_APP and not name.startswith(".")]
        for name in files:
            if name.endswith(".py") or name == "host.json":
                path = directory / name
                yield path, path.relative_to(app_dir).as_posix()


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None  # deleted between the listing and the reading
