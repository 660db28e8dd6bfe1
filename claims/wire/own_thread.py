"""Work that blocks, in a thread that nobody else can keep busy.

The loop's default executor is shared: sign-ins that block in `asyncio.to_thread` fill it, and what waits behind them
is late. Signing keys, certificates and downstream tokens must not be, so each such piece of work has its own thread.
They are rare (at the start, then about once an hour), so a thread for each costs nothing that matters.

asyncio resolves host names in that executor, too. Here each lookup has its own thread, one at a time for each host: a
name server that does not answer costs one thread and not one for each request.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, zip_longest
from typing import Final

#: How long one of several addresses may take before the next one is tried.
#: Source: RFC 8305 section 5 (connection attempt delay, 250 ms).
ATTEMPT_S: Final = 0.25

#: In progress. Threads finish them, so they belong to no event loop.
_lookups: Final[dict[tuple[str, int], Future[list[str]]]] = {}


class HostNotResolved(OSError):
    """The host's name has no address, or the name server did not answer."""


def _start[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
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
    return await asyncio.wrap_future(_start(function, *args, **kwargs))


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the order in which to try them.

    Raises:
        HostNotResolved: The host has no address.
    """
    lookup = _lookups.get((host, port))
    if lookup is None:
        lookup = _lookups[host, port] = _start(_resolve, host, port)
        lookup.add_done_callback(lambda _: _lookups.pop((host, port), None))
    # A caller that gives up leaves the lookup to the others, and to those that come later.
    addresses = await asyncio.shield(asyncio.wrap_future(lookup))
    if not addresses:
        raise HostNotResolved
    return addresses


def _resolve(host: str, port: int) -> list[str]:
    """Return the host's addresses, or none where it cannot be resolved.

    The families alternate, so that a family without a route costs one attempt (RFC 8305 section 4).
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # no such name, or none that could be one
        return []
    families: dict[int, list[str]] = {}
    for family, *_, address in found:
        families.setdefault(family, []).append(str(address[0]))
    return [address for address in chain.from_iterable(zip_longest(*families.values())) if address]
