"""The command line that serves an app in the app's own interpreter."""

from importlib.util import find_spec
from pathlib import Path

from selftest.base.app_folder import AppFolder
from selftest.base.cannot_run import CannotRun

_PROGRAM = Path(__file__).with_name("serve_app.py")


def serve_command(app: AppFolder, *, port: int = 0, preload: Path | None = None) -> list[str]:
    """Return the words of the command; port 0 takes any free one; see `AppProcess` for the other argument.

    The program is run as a file, with ``-P``, so that nothing of the tool's environment is on the app's path.

    Raises:
        CannotRun: The package that reads HTTP is not installed here.
    """
    h11 = find_spec("h11")
    if h11 is None or h11.origin is None:
        raise CannotRun("the package 'h11' is missing in the tool's environment: install entra-selftest again")
    return [
        *(str(app.python), "-P", str(_PROGRAM)),
        *("--port", str(port), "--app", str(app.directory), "--h11", str(Path(h11.origin).parent)),
        *(() if preload is None else ("--preload", str(preload))),
    ]
