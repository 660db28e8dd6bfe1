"""Host names resolved in a thread that nobody else keeps busy, one lookup at a time for each host.

asyncio resolves names in the loop's default executor, where sign-ins that block would delay it. With one lookup for
each host, a name server that does not answer costs one thread and not one for each request.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import Final

import httpcore2

from claims.wire.own_thread import in_own_thread

#: How long one of several addresses may take before the next one is tried.
#: Source: RFC 8305 section 5 (connection attempt delay, 250 ms).
ATTEMPT_S: Final = 0.25


class HostNotResolved(httpcore2.ConnectError):
    """The host's name has no address, or the name server did not answer."""


class OwnThreadResolver(httpcore2.AnyIOBackend):
    """Connects as httpcore does by default, but for the thread in which it resolves names.

    It belongs to the loop of its first connection.
    """

    def __init__(self) -> None:
        self._lookups: dict[tuple[str, int], asyncio.Task[list[str]]] = {}

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve the host and connect to its addresses in order, until one accepts.

        Raises:
            HostNotResolved: The name has no address.
            ConnectError: The last address refused.
            ConnectTimeout: The time is over.
        """
        try:
            async with asyncio.timeout(timeout):
                *others, last = await self._addresses(host, port)
                for address in others:
                    with contextlib.suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                        return await super().connect_tcp(address, port, ATTEMPT_S, local_address, socket_options)
                return await super().connect_tcp(last, port, None, local_address, socket_options)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout from error

    async def _addresses(self, host: str, port: int) -> list[str]:
        lookup = self._lookups.get((host, port))
        if lookup is None:
            lookup = asyncio.get_running_loop().create_task(in_own_thread(_resolve, host, port))
            lookup.add_done_callback(lambda _: self._lookups.pop((host, port)))
            self._lookups[host, port] = lookup
        # A caller that gives up leaves the lookup to the others, and to those that come later.
        addresses = await asyncio.shield(lookup)
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
