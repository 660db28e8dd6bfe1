"""azure-core's transport over aiohttp, without the loop's default executor, where sign-ins that block delay a token.

aiohttp uses that executor to resolve host names, for which this module has a thread, and to read ``.netrc`` for each
request if it trusts the environment. It must not: like all connections of the endpoint, these go to the host directly
and use no proxy. Importing this module takes more than 100 ms, so import it in a thread.
"""

import socket

import azure.core.rest._aiohttp  # noqa: F401 (azure-core would import it with the first response, on the event loop)
from aiohttp import ClientSession, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from azure.core.pipeline.transport import AioHttpTransport

from claims.wire.own_thread import in_own_thread


class OwnThreadTransport(AioHttpTransport):  # type: ignore[misc] # (azure-core exports it without its type)
    """Sends requests as azure-core's own transport does, except for the above."""

    session: ClientSession | None

    async def open(self) -> None:
        """Create the session on first use, as azure-core does."""
        if self.session is None and not self._has_been_opened:
            self.session = ClientSession(
                connector=TCPConnector(resolver=_OwnThreadResolver()),
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
            )
        await super().open()


class _OwnThreadResolver(AbstractResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host."""
        found = await in_own_thread(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=family_found,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for family_found, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Close nothing: a lookup that goes on ends by itself."""
