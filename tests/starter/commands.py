"""Commands as a copier types them: in a folder of theirs, with nothing of this repository on any path."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

#: What could lead a command back to this checkout, its environment or its measurements.
_OURS: Final = ("COV_", "MAKE", "PYTEST_", "PYTHON", "VIRTUAL_ENV")


def run(words: Sequence[str | Path], directory: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command and return what it printed, both streams together."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return subprocess.run(  # noqa: S603 (commands of these tests)
        [str(word) for word in words],
        cwd=directory,
        env=inherited | environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def succeed(words: Sequence[str | Path], directory: Path, **environ: str) -> str:
    """Run a command that must succeed, and return what it printed."""
    done = run(words, directory, **environ)
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}"
    return done.stdout
