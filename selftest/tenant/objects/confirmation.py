"""A question to the person at the terminal, which an interrupt ends at once."""

import asyncio
import os
import sys
import threading
from typing import Final

_MAX_BYTES: Final = 1024


async def ask(question: str) -> str:
    """Give what is typed, without the end of the line."""
    print(question, end="", flush=True)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        # Not through sys.stdin: a thread that waits in it would hold its lock when the interpreter ends.
        typed = os.read(sys.stdin.fileno(), _MAX_BYTES)
        loop.call_soon_threadsafe(answer.set_result, typed)

    threading.Thread(target=read, daemon=True).start()
    return (await answer).decode(errors="replace").strip()
