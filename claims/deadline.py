"""The deadline: an answer in time, whatever the provider does.

The provider runs in a task of its own and is waited for, not awaited: a provider that swallows cancellation, or raises
``CancelledError`` itself, changes neither when the answer leaves nor that it leaves. (`asyncio.timeout` would wait for
such a provider for ever, and a ``CancelledError`` that leaves a Functions handler means that no response is sent.)
"""

import asyncio
import traceback
from collections.abc import Coroutine, Mapping
from pathlib import PurePath
from typing import Any

from claims.errors import ProviderFailed, ProviderLate

# asyncio holds tasks weakly; one that runs on past its deadline must stay until it ends.
_overdue: set[asyncio.Task[Mapping[str, object]]] = set()


async def provide_within(work: Coroutine[Any, Any, Mapping[str, object]], remaining_s: float) -> Mapping[str, object]:
    """Run the provider's coroutine for at most ``remaining_s`` seconds.

    Raises:
        ProviderLate: it did not finish; it was cancelled, and is not waited for.
        ProviderFailed: it raised. The detail names the exception and the line, never its message, which can hold
            what the provider was looking at.
    """
    task = asyncio.get_running_loop().create_task(work)
    await asyncio.wait({task}, timeout=remaining_s)
    if not task.done():
        _overdue.add(task)
        task.add_done_callback(_forget)
        task.cancel()
        raise ProviderLate("provider_late", "the budget ran out")
    if task.cancelled():
        raise ProviderFailed("provider_cancelled", "it raised CancelledError")
    if error := task.exception():
        raise ProviderFailed("provider_error", _place(error)) from error
    return task.result()


def _forget(task: asyncio.Task[Mapping[str, object]]) -> None:
    _overdue.discard(task)
    if not task.cancelled():
        task.exception()  # marks it as seen, or the loop would log it with its message


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
