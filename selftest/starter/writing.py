"""Writing a copy: each file whole or not at all, and the manifest last.

An update that is interrupted can be repeated: a file that has the new content already is left as it is.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.base.program import MANIFEST
from selftest.starter.comparison import NEW_SUFFIX, FileAction, FileChange
from selftest.starter.manifest import Manifest

#: What a folder may contain and still take a copy: `git init` comes first for many.
_MAY_BE_THERE: Final = frozenset({".git"})


def write_new(directory: Path, files: Mapping[str, bytes], manifest: Manifest) -> None:
    """Write a copy into a folder that is empty or does not exist; what was written is removed when it fails.

    Raises:
        CannotRun: The folder contains something, or cannot be written.
    """
    try:
        existed = directory.exists()
        if existed and {path.name for path in directory.iterdir()} - _MAY_BE_THERE:
            raise CannotRun(f"{directory} is not empty: choose a new folder, or `entra-selftest update` for a copy")
        try:
            for path, content in files.items():
                _write(directory, path, content)
            _write(directory, MANIFEST, manifest.as_text().encode())
        except BaseException:
            _remove_written(directory, existed=existed)
            raise
    except OSError as error:
        raise CannotRun(f"{directory} cannot be written: {error.strerror}") from error


def apply(directory: Path, changes: Iterable[FileChange], manifest: Manifest) -> None:
    """Carry out the changes, then write the manifest.

    Raises:
        CannotRun: A file cannot be written; those before it are updated, and the manifest is the old one.
    """
    try:
        for change in changes:
            match change:
                case FileChange(path, FileAction.ADD | FileAction.REPLACE, bytes(content)):
                    _write(directory, path, content)
                case FileChange(path, FileAction.CONFLICT, bytes(content)):
                    _write(directory, path + NEW_SUFFIX, content)
                case FileChange(path, FileAction.REMOVE, _):
                    (directory / path).unlink(missing_ok=True)
        _write(directory, MANIFEST, manifest.as_text().encode())
    except OSError as error:
        raise CannotRun(f"{directory} cannot be updated: {error}; run the command again when that is solved") from error


def read_file(directory: Path, path: str) -> bytes | None:
    """Return a file of a copy, or None where there is none.

    Raises:
        CannotRun: A link leads out of the copy, or it cannot be read.
    """
    file = directory / path
    try:
        _require_inside(directory, file)
        return file.read_bytes() if file.is_file() else None
    except OSError as error:
        raise CannotRun(f"{file} cannot be read: {error.strerror}") from error


def _write(directory: Path, path: str, content: bytes) -> None:
    file = directory / path
    file.parent.mkdir(parents=True, exist_ok=True)
    _require_inside(directory, file)
    handle, partial = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        if file.exists():
            shutil.copymode(file, partial)
        else:
            _set_usual_mode(partial)
        Path(partial).replace(file)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _set_usual_mode(file: str) -> None:
    """Set the mode that a new file has: `tempfile` lets nobody else read it."""
    mask = os.umask(0)
    os.umask(mask)
    Path(file).chmod(0o666 & ~mask)


def _require_inside(directory: Path, file: Path) -> None:
    if not file.resolve().is_relative_to(directory.resolve()):
        raise CannotRun(f"{file} is a link that leads out of {directory}: nothing is read or written there")


def _remove_written(directory: Path, *, existed: bool) -> None:
    for path in directory.iterdir() if directory.exists() else ():
        if path.name not in _MAY_BE_THERE:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if not existed:
        shutil.rmtree(directory, ignore_errors=True)
