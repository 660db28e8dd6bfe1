"""Opens a client of Graph: with a credential of azure-identity, or with an unsigned token for an emulated Graph."""

import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from selftest.base.loopback import is_this_machine
from selftest.tenant.graph.address import PUBLIC_CLOUD
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.credentials import INTERACTIVE, GraphCredential, GraphTokenSource, delegated_scopes
from selftest.tenant.graph.patience import Patience
from selftest.tenant.graph.unsigned_tokens import FixedCredential, mint_token

DEFAULT_CREDENTIAL: Final = "azure-cli"


@contextlib.asynccontextmanager
async def open_graph(
    environ: Mapping[str, str],
    *,
    credential: str | None,
    tenant_id: str | None,
    base_url: str | None,
    permissions: Sequence[str],
    patience: Patience | None = None,
) -> AsyncIterator[GraphClient]:
    """Open a client that is signed in.

    Args:
        environ: Of the process.
        credential: One of `selftest.tenant.graph.credentials.KINDS`; None: the Azure CLI's, and an unsigned token at a
            loopback address, which only an emulated Graph accepts.
        tenant_id: The tenant to sign in to; None: the credential's own choice.
        base_url: Scheme and host of Graph; None: the public cloud's.
        permissions: What a person is asked to consent to, and what the unsigned token has.
        patience: How long to try.

    Raises:
        NotSignedIn: The environment lacks what the credential needs.
        ValueError: The address cannot be Graph's.
    """
    url = (base_url or PUBLIC_CLOUD).rstrip("/")
    scopes = delegated_scopes(permissions, url) if credential in INTERACTIVE else None
    async with contextlib.AsyncExitStack() as stack:
        source: GraphTokenSource
        if credential is None and is_this_machine(url):
            source = FixedCredential(lambda: mint_token(permissions, tenant_id=tenant_id or "", now_s=time.time()))
        else:
            signed = GraphCredential(credential or DEFAULT_CREDENTIAL, environ, tenant_id=tenant_id)
            source = await stack.enter_async_context(signed)
        client = GraphClient(source, base_url=url, scopes=scopes, patience=patience)
        yield await stack.enter_async_context(client)
