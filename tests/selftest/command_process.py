"""A command of the tool: in this process, or as a child with signals that do not depend on those of the test run."""

import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from selftest.cli import main
from tests.checkout import ROOT

#: A test run in the background or under nohup may ignore or block SIGINT, and a child process inherits both.
_MAIN: Final = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "pthread_sigmask"):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
from selftest.cli import main
sys.exit(main())
"""


@asynccontextmanager
async def command_process(*argv: str, before: str = "") -> AsyncIterator[Process]:
    """Run a command until the block ends; ``before`` is Python code that runs first in the process."""
    process = await create_subprocess_exec(
        *(sys.executable, "-c", before + _MAIN, *argv), cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def exit_code(*argv: str) -> object:
    """Return the exit code of a command that ends by itself; it runs in this process, which is twenty times as fast."""
    try:
        return main(argv)
    except SystemExit as error:  # wrong arguments
        return error.code
