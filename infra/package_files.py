"""The app's own files in the package: those that are listed, and no secret among them.

A list of what goes out, because a list of what stays behind misses the file that nobody thought of. Listed are the
endpoint and what ``pyproject.toml`` names beside it::

    [tool.entra-selftest.package]
    include = ["contoso/", "data/countries.json"]
"""

import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any, Final

LISTED: Final = ("claims", "function_app.py", "host.json", "requirements.txt")
#: Names of files that hold keys, passwords or settings of this machine, in lower case.
SECRET_NAMES: Final = (
    *("*.pem", "*.key", "*.pfx", "*.p12", "*.jks", "*.ppk", "*.kdbx", "*.publishsettings"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".env", ".env.*", "*.env", ".netrc", ".pypirc", ".npmrc"),
    *("local.settings*.json",),
)
_PRIVATE_KEY: Final = b"PRIVATE KEY-----"
#: Left out of folders: what Python compiled, and files that ``entra-selftest update`` puts beside edited ones.
_LEFT_OUT: Final = ("__pycache__", "*.pyc", "*.new", ".*")
INCLUDE: Final = "[tool.entra-selftest.package] include in pyproject.toml"


class PackageError(Exception):
    """Raised when no package can be made; the message says why and what to do."""


def app_files(root: Path) -> list[Path]:
    """Return the app's own files, relative to ``root``: the endpoint's, and those that ``pyproject.toml`` names.

    Raises:
        PackageError: A listed file is missing, is or lies behind a link, or may hold a secret and is not named itself.
    """
    named = _named(root)
    files: set[Path] = set()
    for entry in map(Path, (*LISTED, *named)):
        if not (root / entry).exists():
            raise PackageError(f"{entry} is missing: create it, or remove it from {INCLUDE}")
        files.update(_below(root, entry) if (root / entry).is_dir() else [entry])
    if links := [str(path) for path in sorted(files) if (root / path).resolve() != root.resolve() / path]:
        raise PackageError(f"these files are links, which are not packaged: {', '.join(links)}; put the files there")
    secrets = sorted(str(path) for path in files if path.as_posix() not in named and _is_secret(root / path))
    if secrets:
        raise PackageError(
            f"these files may hold a secret and are not packaged: {', '.join(secrets)}; move them out of the app, or"
            f" name each file in {INCLUDE}"
        )
    return sorted(files)


def _named(root: Path) -> frozenset[str]:
    """Return what ``pyproject.toml`` names, without a slash at the end."""
    path = root / "pyproject.toml"
    try:
        project: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        names = project.get("tool", {}).get("entra-selftest", {}).get("package", {}).get("include", [])
        parts = [PurePosixPath(name).parts for name in names if isinstance(names, list)]
    except (AttributeError, TypeError, ValueError) as error:
        raise PackageError(f"{INCLUDE} cannot be read: expected a list of files and folders ({error})") from error
    if not isinstance(names, list) or any(not each or each[0] == "/" or ".." in each for each in parts):
        raise PackageError(f"{INCLUDE} should be a list of files and folders below this one, it is {names!r}")
    return frozenset(str(PurePosixPath(*each)) for each in parts)


def _below(root: Path, folder: Path) -> Iterator[Path]:
    """Yield the files in a folder; hidden ones only if they may hold a secret, so that they are refused by name."""
    for directory, subdirectories, files in (root / folder).walk():
        here = directory.relative_to(root)
        subdirectories[:] = [name for name in subdirectories if not _matches(name, _LEFT_OUT)]
        yield from (here / name for name in files if _matches(name, SECRET_NAMES) or not _matches(name, _LEFT_OUT))


def _is_secret(path: Path) -> bool:
    return _matches(path.name, SECRET_NAMES) or _PRIVATE_KEY in path.read_bytes()


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name.lower(), pattern) for pattern in patterns)
