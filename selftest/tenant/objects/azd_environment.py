"""The Azure Developer CLI's environment: what it knows is read from its file, what it should know is told to it.

A hook of azd finds the values in its environment already. This is for a person who runs the program beside azd.

Source: Azure/azure-dev ``cli/azd/pkg/environment`` (``.azure/<name>/.env``, one ``NAME="value"`` a line).
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

from selftest.tenant.objects.errors import UsageError

API_APP_ID: Final = "ENTRA_API_APP_ID"
_MAX_BYTES: Final = 256 * 1024
_TIMEOUT_S: Final = 60


def read_environment(name: str, directory: Path) -> dict[str, str]:
    """Read the values of an environment; nothing where azd does not know it.

    Args:
        name: checked: it becomes part of a path.
        directory: of the project.

    Raises:
        UsageError: the file is not what azd writes.
    """
    file = directory / ".azure" / name / ".env"
    try:
        text = file.read_bytes()[:_MAX_BYTES].decode()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read ({type(error).__name__})") from error
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        member, equals, value = line.strip().partition("=")
        if not member or member.startswith("#"):
            continue
        if not equals:
            raise UsageError(f'{file}, line {number}: expected NAME="value"')
        values[member.strip()] = _unquoted(value.strip())
    return values


def hint(name: str, app_id: str) -> str:
    """Give the command that tells azd the app's id, for a person to run."""
    return f"azd env set {API_APP_ID} {app_id} -e {name}"


def tell(name: str, app_id: str) -> None:
    """Tell azd the app's id, for Bicep to put into the endpoint's settings.

    Raises:
        UsageError: azd is not there or refuses.
    """
    program = shutil.which("azd")
    if program is None:
        raise UsageError(f"azd is not installed here; where it is, run: {hint(name, app_id)}")
    command = [program, "env", "set", API_APP_ID, app_id, "-e", name]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603 - checked values
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"azd could not be run ({type(error).__name__}); run: {hint(name, app_id)}") from error
    if done.returncode:
        raise UsageError(f"azd ended with {done.returncode}; run it yourself to see why: {hint(name, app_id)}")


def _unquoted(value: str) -> str:
    if value[:1] == value[-1:] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value[1:-1]
    return value
