"""The checkout that the tests are part of."""

import shutil
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]


def copied_app(directory: Path, **providers: str) -> Path:
    """Copy the app of this checkout into a folder, with further providers by their names, and return the folder."""
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, directory)
    shutil.copytree(ROOT / "claims", directory / "claims", ignore=shutil.ignore_patterns("__pycache__"))
    for name, code in providers.items():
        (directory / "claims" / "providers" / f"{name}.py").write_text(code)
    return directory
