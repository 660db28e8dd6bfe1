"""What the tool was called as, for the commands that its texts name."""

import shutil
import sys
from pathlib import Path
from typing import Final

#: The name of the distribution and of its console script.
DISTRIBUTION: Final = "entra-selftest"
#: In the folder of a copy.
MANIFEST: Final = ".entra-selftest.json"
#: How a copy calls the tool with its own provider, for these commands.
LOCAL: Final = ".venv/bin/python -m tests.local"
STARTS: Final = ("run", "signin", "check", "load", "playground")


def program(called: str) -> str:
    """Return what to type for the tool in the working directory.

    Args:
        called: The program that runs. A copy has its own in ``.venv``, which is not on the ``PATH`` of every shell.
    """
    path, here = Path(called).absolute(), Path.cwd()
    if path.stem != DISTRIBUTION:
        return "python -m selftest"
    found = shutil.which(DISTRIBUTION)
    if path.is_relative_to(here) and (found is None or Path(found).absolute().parent != path.parent):
        return str(path.relative_to(here))
    return DISTRIBUTION


PROGRAM: Final = program(sys.argv[0])


def command_line(command: str) -> str:
    """Return a command of the tool as it is typed in the working directory.

    In a copy, one that starts the app is called through the copy's own module, which sets its provider.
    """
    starts = command.partition(" ")[0] in STARTS and "--url" not in command
    if starts and Path(MANIFEST).is_file() and Path("tests", "local.py").is_file():
        return f"{LOCAL} {command.replace(' --app DIR', '')}"
    return f"{PROGRAM} {command}"
