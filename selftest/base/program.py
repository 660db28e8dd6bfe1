"""What the tool was called as, for the commands that its texts name."""

import shutil
import sys
from pathlib import Path
from typing import Final

#: The name of the distribution and of its console script.
DISTRIBUTION: Final = "entra-selftest"


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
