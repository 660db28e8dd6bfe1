"""Host names resolved in a thread that nobody else keeps busy, one lookup at a time for each host.

asyncio resolves names in the loop's default executor, where sign-ins that block would delay it. With one lookup for
each host, a name server that does not answer costs one thread and not one for each request.
"""

import asyncio
import socket
from concurrent.futures import Future
from itertools import chain, zip_longest
from typing import Final

from claims.wire.own_thread import start_in_own_thread

#: How long one of several addresses may take before the next one is tried.
#: Source: RFC 8305 section 5 (connection attempt delay, 250 ms).
ATTEMPT_S: Final = 0.25

#: In progress. Threads finish them, so they belong to no event loop.
_lookups: Final[dict[tuple[str, int], Future[list[str]]]] = {}


class HostNotResolved(OSError):
    """The host's name has no address, or the name server did not answer."""


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the order in which to try them.

    Raises:
        HostNotResolved: The host has no address.
    """
    lookup = _lookups.get((host, port))
    if lookup is None:
        lookup = _lookups[host, port] = start_in_own_thread(_resolve, host, port)
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
