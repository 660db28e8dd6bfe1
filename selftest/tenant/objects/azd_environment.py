"""The Azure Developer CLI's environment: reads its values from its file, and sets the app's id through azd.

In a hook of azd the values are in the process's environment already. This is for a person who runs the command outside
of azd.

Source: Azure/azure-dev ``cli/azd/pkg/environment`` (``.azure/<name>/.env``, one ``NAME="value"`` a line).
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from selftest.base.bounded_file import read_text
from selftest.base.cannot_run import CannotRun
from selftest.base.env_lines import env_lines

API_APP_ID: Final = "ENTRA_API_APP_ID"
_MAX_BYTES: Final = 256 * 1024
_TIMEOUT_S: Final = 60


def read_environment(name: str, directory: Path) -> dict[str, str]:
    """Return the values of an environment; none where azd does not know it.

    The name is checked by the caller, because it becomes part of a path.

    Raises:
        FileError: The file is not what azd writes.
    """
    file = directory / ".azure" / name / ".env"
    return env_lines(read_text(file, _MAX_BYTES), file) if file.is_file() and file.stat().st_size else {}


def hint(name: str, app_id: str) -> str:
    """Return the command that sets the app's id in azd, for a person to run."""
    return f"azd env set {API_APP_ID} {app_id} -e {name}"


def set_app_id(name: str, app_id: str) -> None:
    """Set the app's id in azd, for Bicep to write it into the endpoint's settings.

    Raises:
        CannotRun: azd is not installed, or fails.
    """
    program = shutil.which("azd")
    if program is None:
        raise CannotRun(f"azd is not installed here; where it is, run: {hint(name, app_id)}")
    command = [program, "env", "set", API_APP_ID, app_id, "-e", name]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603 - checked values
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotRun(f"azd could not be run ({type(error).__name__}); run: {hint(name, app_id)}") from error
    if done.returncode:
        raise CannotRun(f"azd exited with {done.returncode}; run it yourself to see why: {hint(name, app_id)}")
