"""Where the tenant's objects come from: a file, or Microsoft Graph; and the file that they may be exported to."""

import argparse
import asyncio
import ipaddress
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from selftest.base.cannot_run import CannotRun
from selftest.tenant.doctor.case import Need
from selftest.tenant.doctor.evidence.settings import SettingsRead
from selftest.tenant.doctor.evidence.tenant import Tenant
from selftest.tenant.doctor.evidence.validation import Validation
from selftest.tenant.doctor.sources.export import write_export
from selftest.tenant.doctor.sources.graph_source import (
    ASSIGNED_POLICIES,
    PERMISSIONS,
    LiveRead,
    NothingReadError,
    read_live,
)
from selftest.tenant.doctor.sources.tenant_file import read_document, read_tenant
from selftest.tenant.graph.client import PUBLIC_CLOUD, GraphClient
from selftest.tenant.graph.credentials import SignIn, delegated_scopes
from selftest.tenant.graph.errors import GraphError
from selftest.tenant.graph.exchange import Patience, TokenCredential, graph_session
from selftest.tenant.graph.unsigned_tokens import FixedCredential, mint_token

DEFAULT_CREDENTIAL: Final = "azure-cli"
#: A person waits for the answer, so less than a program that writes would wait.
_PATIENCE: Final = Patience(deadline_s=30.0, attempt_s=10.0, max_retry_after_s=30.0)
#: A Graph on this machine is there or is not.
_LOCAL_PATIENCE: Final = Patience(deadline_s=2.0, attempt_s=2.0, max_retry_after_s=2.0)


class UsageError(CannotRun):
    """Raised when flags contradict each other or leave nothing to look at; the message says what to give."""


class TenantError(CannotRun):
    """Raised when the tenant cannot be read through Graph; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What was read of a tenant.

    Attributes:
        tenant: None where none was asked for.
        origin: where it comes from, for people.
        tenant_id: as it was asked for.
    """

    tenant: Tenant | None = None
    origin: str = "not read"
    tenant_id: str | None = None
    validations: Mapping[str, Validation] | None = None
    lacks: Mapping[Need, str] = field(default_factory=dict)


def read_source(args: argparse.Namespace, *, settings: SettingsRead | None, environ: Mapping[str, str]) -> Source:
    """Read the tenant from where the arguments say, and export it where they say so.

    Raises:
        FileError: A file cannot be read or written, or is not what it should be.
        UsageError: Flags contradict each other.
        TenantError: Graph gave nothing, or another tenant.
    """
    live = args.tenant is not None or args.credential is not None or args.graph_url is not None
    if args.file is not None and live:
        raise UsageError("--file and --tenant are two sources of one tenant: give one of them")
    if args.file is not None:
        document = read_document(args.file)
        source = Source(tenant=read_tenant(args.file, document), origin=str(args.file))
        return _exported(args.export, document, source)
    if not live:
        if args.export is not None:
            raise UsageError("--export writes what was read of a tenant: give --tenant or --file")
        return Source()
    tenant_id = args.tenant or (settings.tenant_id if settings is not None else "") or None
    if tenant_id is None and args.graph_url is None:
        raise UsageError("which tenant? Give --tenant GUID, or settings that name it")
    wanted = {args.app or "", settings.audience_app_id if settings is not None else ""} - {""}
    read = asyncio.run(_live(args, tenant_id=tenant_id, app_ids=wanted, environ=environ))
    origin = args.graph_url or "Microsoft Graph"
    tenant = read_tenant(Path(origin), read.document, read.unread)
    if tenant_id is not None and tenant.tenant_id is not None and tenant.tenant_id != tenant_id:
        raise TenantError(f"Graph answers for tenant {tenant.tenant_id}, not {tenant_id}: sign in to the other one")
    source = Source(tenant=tenant, origin=origin, tenant_id=tenant_id, validations=read.validations, lacks=read.lacks)
    return _exported(args.export, read.document, source)


def _exported(path: Path | None, document: Mapping[str, Any], source: Source) -> Source:
    if path is not None:
        write_export(path, document)
    return source


async def _live(
    args: argparse.Namespace, *, tenant_id: str | None, app_ids: set[str], environ: Mapping[str, str]
) -> LiveRead:
    base_url = (args.graph_url or PUBLIC_CLOUD).rstrip("/")
    kind = args.credential or DEFAULT_CREDENTIAL
    scopes = delegated_scopes(PERMISSIONS, base_url) if kind == "device-code" else None
    try:
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(graph_session(trust_env=not _is_loopback(base_url)))
            credential: TokenCredential
            if args.credential is None and _is_loopback(base_url):
                credential = _emulated(tenant_id)
            else:
                credential = await stack.enter_async_context(SignIn(kind, environ, tenant_id=tenant_id))
            patience = _LOCAL_PATIENCE if _is_loopback(base_url) else _PATIENCE
            client = GraphClient(session, credential, base_url=base_url, scopes=scopes, patience=patience)
            return await read_live(client, app_ids=app_ids)
    except (GraphError, NothingReadError) as error:
        raise TenantError(str(error)) from error
    except ValueError as error:
        raise UsageError(f"--graph-url: {error}") from error


def _emulated(tenant_id: str | None) -> FixedCredential:
    """Give a token for the emulated Graph, which takes unsigned ones; nothing else would."""
    return FixedCredential(
        lambda: mint_token((*PERMISSIONS, ASSIGNED_POLICIES), tenant_id=tenant_id or "", now_s=time.time())
    )


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
