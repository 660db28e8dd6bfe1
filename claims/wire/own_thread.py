"""Work that blocks, in a thread that nobody else can keep busy.

The loop's default executor is shared: sign-ins that block in `asyncio.to_thread` fill it, and what waits behind them
is late. Signing keys, certificates and downstream tokens must not be, so each such piece of work has its own thread.
They are rare (at the start, then about once an hour), so a thread for each costs nothing that matters.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


def start_in_own_thread[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    """Start a blocking function in a new thread and return its result to come."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="claims")
    try:
        return executor.submit(function, *args, **kwargs)
    finally:
        executor.shutdown(wait=False)


async def in_own_thread[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function in a new thread and return its result.

    When the caller is canceled, for example by `asyncio.timeout`, the function runs on and its result is dropped.

    Raises:
        BaseException: Whatever the function raises.
    """
    return await asyncio.wrap_future(start_in_own_thread(function, *args, **kwargs))
