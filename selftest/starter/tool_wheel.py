"""The wheel of the installed tool, packed again from what is installed: a copy takes the version with it that made it.

An installation keeps no wheel, but its ``RECORD`` lists every file with its hash, so the same content can be packed
from any installation (pip, pipx, uv). A file that was changed after the installation is refused.

Source: Python packaging, "Recording installed projects" and "Binary distribution format".
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from selftest import __version__
from selftest.base.base64url import encode_base64url
from selftest.base.cannot_run import CannotRun

DISTRIBUTION: Final = "entra-selftest"
#: Written by installers, not part of the wheel.
_INSTALLERS: Final = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"})
#: The earliest time that a zip can hold: the same installation gives the same bytes.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_FROM_CHECKOUT: Final = "in a checkout use `make new DIR=…`, which builds the wheel and names it with --wheel"


def tool_wheel(path: Path | None) -> tuple[str, bytes]:
    """Return the name and the content of a wheel: the one that is named, or that of the installed tool.

    Raises:
        CannotRun: There is none.
    """
    return wheel_from_installation() if path is None else wheel_from_file(path)


def wheel_from_file(path: Path) -> tuple[str, bytes]:
    """Return the name and the content of a wheel of the tool.

    Raises:
        CannotRun: It cannot be read or is not one.
    """
    expected = f"{DISTRIBUTION.replace('-', '_')}-{__version__}-py3-none-any.whl"
    if path.name != expected:
        raise CannotRun(f"--wheel must name {expected}, the version of this tool, got {path.name}")
    try:
        with zipfile.ZipFile(path) as wheel:
            contents = {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/RECORD")}
        return path.name, packed(contents)  # the same bytes as from an installation: an update finds no difference
    except OSError as error:
        raise CannotRun(f"{path} cannot be read: {error.strerror}") from error
    except (zipfile.BadZipFile, StopIteration) as error:
        raise CannotRun(f"{path} is not a wheel of this tool") from error


def wheel_from_installation(name: str = DISTRIBUTION) -> tuple[str, bytes]:
    """Return the name and the content of the installed tool's wheel.

    Raises:
        CannotRun: The tool is not installed from a wheel, or its files were changed.
    """
    try:
        installed = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        raise CannotRun(f"the tool is not installed: {_FROM_CHECKOUT}") from error
    files = [file for file in installed.files or [] if _is_of_wheel(file)]
    if not any(str(file) == "selftest/__init__.py" for file in files):
        raise CannotRun(f"the tool is installed without its files: {_FROM_CHECKOUT}")
    contents = {file.as_posix(): _verified(file) for file in files}
    information = next(path.partition("/")[0] for path in contents if path.endswith(".dist-info/METADATA"))
    tag = next(
        line.removeprefix("Tag: ")
        for line in contents[f"{information}/WHEEL"].decode().splitlines()
        if line.startswith("Tag: ")
    )
    return f"{information.removesuffix('.dist-info')}-{tag}.whl", packed(contents)


def packed(contents: Mapping[str, bytes]) -> bytes:
    """Return a wheel with these files, and the ``RECORD`` of them.

    Args:
        contents: By path; ``*.dist-info/METADATA`` is among them and ``RECORD`` is not.
    """
    information = next(path.partition("/")[0] for path in contents if path.endswith(".dist-info/METADATA"))
    lines = [f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in sorted(contents.items())]
    record = "".join([*lines, f"{information}/RECORD,,\n"])
    return _zip({**contents, f"{information}/RECORD": record.encode()})


def _is_of_wheel(file: metadata.PackagePath) -> bool:
    return not (".." in file.parts or "__pycache__" in file.parts or file.name in _INSTALLERS)


def _verified(file: metadata.PackagePath) -> bytes:
    content = file.read_binary()
    if file.hash is not None and file.hash.mode == "sha256" and file.hash.value != _digest(content):
        raise CannotRun(f"{file} was changed after the installation: install the tool again, or name its --wheel")
    return content


def _digest(content: bytes) -> str:
    return encode_base64url(hashlib.sha256(content).digest())


def _zip(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        # Files of `.dist-info` last, as PEP 427 recommends; the rest in one order, whoever lists them.
        for path, content in sorted(contents.items(), key=lambda file: (".dist-info/" in file[0], file[0])):
            entry = zipfile.ZipInfo(path, date_time=_EPOCH)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()
