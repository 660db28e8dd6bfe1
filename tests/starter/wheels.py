"""Wheels of the tool: one built from this checkout, and one of a later version made from it."""

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from selftest import __version__
from selftest.starter.tool_wheel import packed
from tests.starter.commands import succeed

ROOT: Final = Path(__file__).parents[2]
LATER: Final = "9.0.0"


def built(directory: Path) -> Path:
    """Build the wheel of this checkout, as `make wheel` does."""
    words = ("wheel", "-q", "--disable-pip-version-check", "--no-deps", "--wheel-dir", directory, ROOT)
    succeed((sys.executable, "-m", "pip", *words), directory)
    (wheel,) = directory.glob("entra_selftest-*.whl")
    return wheel


def later(wheel: Path, directory: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Make the wheel of a later version.

    Args:
        wheel: Of this version.
        directory: Where the new one goes.
        change: Changes the files, which have their paths in a copy.
    """
    starter = "selftest/starter/repository/"
    with zipfile.ZipFile(wheel) as archive:
        contents = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/RECORD")}
    delivered = {path.removeprefix(starter): contents.pop(path) for path in list(contents) if path.startswith(starter)}
    change(delivered)
    contents |= {f"{starter}{path}": content for path, content in delivered.items()}
    contents = {
        path.replace(f"-{__version__}.dist-info", f"-{LATER}.dist-info"): text for path, text in contents.items()
    }
    for path in ("selftest/__init__.py", f"entra_selftest-{LATER}.dist-info/METADATA"):
        contents[path] = contents[path].replace(__version__.encode(), LATER.encode())
    target = directory / wheel.name.replace(__version__, LATER)
    target.write_bytes(packed(contents))
    return target
