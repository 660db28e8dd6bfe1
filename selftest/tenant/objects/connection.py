"""Connects to Graph as the flags and the environment say, in the intended tenant.

By default a person signs in with a browser: the Azure CLI's token cannot carry the permissions for extension and
listener.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.base.loopback import is_this_machine
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.connection import open_graph
from selftest.tenant.graph.credentials import BROWSER
from selftest.tenant.objects.tenants import wanted_tenant

CREDENTIAL: Final = "ENTRA_CREDENTIAL"


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
    wanted = wanted_tenant(environ, tenant_id)
    on_this_machine = graph_url is not None and is_this_machine(graph_url)
    opened = open_graph(
        environ,
        credential=credential or environ.get(CREDENTIAL) or (None if on_this_machine else BROWSER),
        tenant_id=wanted,
        base_url=graph_url,
        permissions=permissions,
    )
    async with contextlib.AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(opened)
        except ValueError as error:
            raise CannotRun(f"--graph-url: {error}") from error
        held = await client.permissions()
        if wanted and held.tenant_id and held.tenant_id.lower() != wanted:
            raise CannotRun(f"the sign-in is to tenant {held.tenant_id}, not {wanted}: sign in to that one")
        yield client
