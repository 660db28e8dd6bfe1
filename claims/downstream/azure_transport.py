"""azure-core's transport over aiohttp, without the loop's default executor, where sign-ins that block delay a token.

aiohttp uses that executor to resolve host names, for which `claims.wire.http_client` has a thread, and to read
``.netrc`` for each request if it trusts the environment. It must not: like all connections of the endpoint, these go to
the host directly and use no proxy. Importing this module takes more than 100 ms, so import it in a thread.
"""

import azure.core.rest._aiohttp  # noqa: F401 (azure-core would import it with the first response, on the event loop)
from aiohttp import ClientSession
from azure.core.pipeline.transport import AioHttpTransport

from claims.wire.http_client import open_session


class OwnThreadTransport(AioHttpTransport):  # type: ignore[misc] # (azure-core exports it without its type)
    """Sends requests as azure-core's own transport does, except for the above."""

    session: ClientSession | None

    async def open(self) -> None:
        """Create the session on first use, as azure-core does."""
        if self.session is None and not self._has_been_opened:
            self.session = open_session()
        await super().open()
