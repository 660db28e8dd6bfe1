"""Blocking work in a thread that does not keep the process alive."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import cast


async def in_daemon_thread[T](work: Callable[[], T]) -> T:
    """Return the result of blocking work, for example of waiting for a person.

    An interrupt ends the wait at once, and the interpreter does not wait for the thread, which ``asyncio.to_thread``
    would make it do. The result of work that nobody waits for any more is dropped.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast("T", result))

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as failure:  # noqa: BLE001 - it is raised where the result is awaited
            error = failure
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True).start()
    return await done
