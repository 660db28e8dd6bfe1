"""Connects to Graph as the flags and the environment say, in the intended tenant."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.connection import open_graph

CREDENTIAL: Final = "ENTRA_CREDENTIAL"
TENANT: Final = "AZURE_TENANT_ID"


@contextlib.asynccontextmanager
async def connect(
    environ: Mapping[str, str],
    *,
    credential: str | None,
    tenant_id: str | None,
    graph_url: str | None,
    permissions: Sequence[str],
) -> AsyncIterator[GraphClient]:
    """Open a client that is signed in to the intended tenant; the environment stands in for None.

    Raises:
        CannotRun: The address cannot be Graph's, or the sign-in is to another tenant.
        GraphError: There is no sign-in.
    """
    tenant_id = tenant_id or environ.get(TENANT) or None
    opened = open_graph(
        environ,
        credential=credential or environ.get(CREDENTIAL) or None,
        tenant_id=tenant_id,
        base_url=graph_url,
        permissions=permissions,
    )
    async with contextlib.AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(opened)
        except ValueError as error:
            raise CannotRun(f"--graph-url: {error}") from error
        held = await client.permissions()
        if tenant_id and held.tenant_id and held.tenant_id.lower() != tenant_id.lower():
            raise CannotRun(f"the sign-in is to tenant {held.tenant_id}, not {tenant_id}: sign in to that one")
        yield client
