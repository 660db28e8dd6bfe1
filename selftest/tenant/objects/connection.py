"""The way to Graph: who signs in, to which tenant, at which address.

At an emulated Graph on this machine the token is made here; nothing else would take it.
"""

import contextlib
import ipaddress
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from selftest.tenant.graph.client import PUBLIC_CLOUD, GraphClient
from selftest.tenant.graph.credentials import SignIn, delegated_scopes
from selftest.tenant.graph.exchange import TokenCredential, graph_session
from selftest.tenant.graph.unsigned_tokens import FixedCredential, mint_token
from selftest.tenant.objects.errors import UsageError

CREDENTIAL: Final = "ENTRA_CREDENTIAL"
TENANT: Final = "AZURE_TENANT_ID"
DEFAULT_CREDENTIAL: Final = "azure-cli"


@contextlib.asynccontextmanager
async def connect(
    environ: Mapping[str, str],
    *,
    credential: str | None,
    tenant_id: str | None,
    graph_url: str | None,
    permissions: Sequence[str],
) -> AsyncIterator[GraphClient]:
    """Give a client that is signed in to the tenant that is meant.

    Args:
        environ: of the process.
        credential: the way to sign in; None: the environment's, else the Azure CLI's.
        tenant_id: of the tenant; None: the environment's, else whatever the sign-in gives.
        graph_url: another Graph than the public one.
        permissions: what a person is asked to consent to.

    Raises:
        UsageError: the address is none, or the sign-in is to another tenant.
        GraphError: there is no sign-in.
    """
    base_url = (graph_url or PUBLIC_CLOUD).rstrip("/")
    local = _is_loopback(base_url)
    kind = credential or environ.get(CREDENTIAL) or (None if local else DEFAULT_CREDENTIAL)
    tenant_id = tenant_id or environ.get(TENANT) or None
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(graph_session(trust_env=not local))
        signed: TokenCredential
        if kind is None:
            signed = FixedCredential(lambda: mint_token(permissions, tenant_id=tenant_id or "", now_s=time.time()))
        else:
            signed = await stack.enter_async_context(SignIn(kind, environ, tenant_id=tenant_id))
        scopes = delegated_scopes(permissions, base_url) if kind == "device-code" else None
        try:
            client = GraphClient(session, signed, base_url=base_url, scopes=scopes)
        except ValueError as error:
            raise UsageError(f"--graph-url: {error}") from error
        held = await client.permissions()
        if tenant_id and held.tenant_id and held.tenant_id.lower() != tenant_id.lower():
            raise UsageError(f"the sign-in is to tenant {held.tenant_id}, not {tenant_id}: sign in to that one")
        yield client


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
