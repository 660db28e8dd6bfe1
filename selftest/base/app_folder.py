"""A function app in a folder, and the Python that runs it: the app's, which has what the app imports and not ours."""

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from selftest.base.cannot_run import CannotRun
from selftest.base.program import PROGRAM
from selftest.base.setting_names import PROVIDER

#: Where ``python -m venv .venv`` puts the interpreter.
_VENV_PYTHON: Final = Path(".venv", *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
#: The provider where no setting names one.
DEFAULT_PROVIDER: Final = "sample"
#: Settings that an Azure host, or a developer's shell, may have set for an app: a result must not depend on them.
_FOREIGN_SETTINGS: Final = (
    "AuthenticationEvents__",
    "Claims__",
    "APPLICATIONINSIGHTS_",
    "AZURE_",
    "FUNCTIONS_",
    "IDENTITY_",
    "MSI_",
    "WEBSITE_",
)


@dataclass(frozen=True, slots=True)
class AppFolder:
    """A folder and the interpreter that runs what is in it.

    Attributes:
        directory: Absolute.
        python: Not resolved: where a link to an interpreter lies decides which packages it finds.
    """

    directory: Path
    python: Path

    @classmethod
    def at(cls, directory: Path, python: Path | None = None) -> Self:
        """Return the folder with the interpreter of its ``.venv``, or with this process's where it has none."""
        absolute = directory.resolve()
        own = absolute / _VENV_PYTHON
        return cls(absolute, (python or (own if own.exists() else Path(sys.executable))).absolute())

    def provider(self, settings: Mapping[str, str]) -> str | None:
        """Return the name of the provider that answers with these settings; None if the app has no such module."""
        name = settings.get(PROVIDER, DEFAULT_PROVIDER)
        module = self.directory / "claims" / "providers" / name
        return name if module.is_dir() or module.with_suffix(".py").is_file() else None

    def require_app(self) -> None:
        """Check that there is a function app to run, and an interpreter to run it.

        Raises:
            CannotRun: A file is missing.
        """
        if not (self.directory / "function_app.py").is_file():
            raise CannotRun(
                f"there is no function_app.py in {self.directory}: name the folder of an app with --app DIR, "
                f"or an endpoint that runs with --url URL, as in `{PROGRAM} check --url URL` (`{PROGRAM} entra` prints "
                f"what it has to trust, `{PROGRAM} --help` every command)"
            )
        if not self.python.is_file():
            raise CannotRun(f"there is no interpreter {self.python}: name the app's Python with --app-python FILE")


def add_app_arguments(parser: argparse._ActionsContainer, *, flag: str = "--app") -> None:
    """Add the flags that name the folder of an app and its Python."""
    parser.add_argument(
        *dict.fromkeys((flag, "--app-dir")),
        type=Path,
        default=Path(),
        dest="app_dir",
        metavar="DIR",
        help="the folder of function_app.py (default: the current one)",
    )
    parser.add_argument(
        "--app-python",
        type=Path,
        metavar="FILE",
        help="the Python that has what the app imports (default: DIR/.venv, or else the one that runs this)",
    )


def app_environment() -> dict[str, str]:
    """Return the environment of this process without what belongs to another app."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN_SETTINGS)}
