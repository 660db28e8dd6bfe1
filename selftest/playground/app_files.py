"""The app's files as they are on the disk: whether they changed since the app was started, and its providers.

Content is compared, not times: a file that is saved unchanged starts nothing anew.
"""

import hashlib
import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Nothing below these belongs to the app as it runs.
_NOT_THE_APP: Final = frozenset({"tests", "node_modules", "__pycache__", "benchmarks", "docs", "selftest", "infra"})
_MAX_SHOWN_CHARACTERS: Final = 12_000
_PROVIDERS: Final = Path("claims") / "providers"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The files of an app at one moment: a digest of each, by its path in the app's directory."""

    digests: Mapping[str, str]

    def changed_since(self, before: "Fingerprint") -> tuple[str, ...]:
        """Name the files that were added, changed or taken away."""
        names = {*self.digests, *before.digests}
        return tuple(sorted(name for name in names if self.digests.get(name) != before.digests.get(name)))


def fingerprint(app_dir: Path) -> Fingerprint:
    """Read an app's files. Takes some milliseconds: call it in a thread."""
    return Fingerprint({name: digest for path, name in _sources(app_dir) if (digest := _digest(path)) is not None})


def forget_compiled(app_dir: Path, names: tuple[str, ...]) -> None:
    """Throw away what Python has compiled of these files.

    It believes a compiled file as long as the source's size and second of change are the same, so that a quick edit of
    the same length would not be seen.
    """
    for name in names:
        if name.endswith(".py"):
            Path(importlib.util.cache_from_source(str(app_dir / name))).unlink(missing_ok=True)


def providers(app_dir: Path) -> tuple[str, ...]:
    """Name the modules in ``claims/providers/``."""
    return tuple(sorted(path.stem for path in (app_dir / _PROVIDERS).glob("[a-z]*.py")))


def provider_file(provider: str) -> Path:
    """Give the path of a provider in the app's directory."""
    return _PROVIDERS / f"{provider}.py"


def provider_source(app_dir: Path, provider: str) -> str:
    """Read a provider's text, or say why it cannot be read."""
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
        return None  # gone between the listing and the reading
