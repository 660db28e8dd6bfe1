"""The source of the tenant's objects: a file or Microsoft Graph; and the file that they may be exported to."""

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from selftest.base.cannot_run import CannotRun
from selftest.base.loopback import is_this_machine
from selftest.contract import is_guid
from selftest.tenant.doctor.case import EvidenceName
from selftest.tenant.doctor.evidence.settings import SettingsRead
from selftest.tenant.doctor.evidence.tenant_objects import TenantObjects
from selftest.tenant.doctor.evidence.validation import Validation
from selftest.tenant.doctor.sources.export import write_export
from selftest.tenant.doctor.sources.graph_source import ASSIGNED_POLICIES, PERMISSIONS, LiveRead, read_live
from selftest.tenant.doctor.sources.tenant_file import read_document, read_tenant
from selftest.tenant.graph.connection import open_graph
from selftest.tenant.graph.errors import GraphError
from selftest.tenant.graph.patience import Patience

#: A person waits for the answer, so the limits are shorter than those of a program that writes.
_PATIENCE: Final = Patience(deadline_s=30.0, attempt_s=10.0, max_retry_after_s=30.0)
#: A Graph on this machine answers at once or not at all.
_LOCAL_PATIENCE: Final = Patience(deadline_s=2.0, attempt_s=2.0, max_retry_after_s=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What was read of a tenant.

    Attributes:
        tenant: None where the user asked for none.
        origin: Where it comes from, for people.
        tenant_id: The tenant that the user asked for by its id.
        validations: Graph's own validation by extension id; None where Graph was not asked.
        lacks: Why other evidence could not be read.
    """

    tenant: TenantObjects | None = None
    origin: str = "not read"
    tenant_id: str | None = None
    validations: Mapping[str, Validation] | None = None
    lacks: Mapping[EvidenceName, str] = field(default_factory=dict)


def read_source(args: argparse.Namespace, *, settings: SettingsRead | None, environ: Mapping[str, str]) -> Source:
    """Read the tenant that the arguments name, and export it where they ask for that.

    Raises:
        FileError: A file cannot be read or written, or is not what it should be.
        CannotRun: Flags contradict each other, or Graph returned nothing or another tenant.
    """
    live = args.tenant is not None or args.credential is not None or args.graph_url is not None
    if args.file is not None and live:
        raise CannotRun("--file and --tenant are two sources of one tenant: give one of them")
    if args.file is not None:
        document = read_document(args.file)
        source = Source(tenant=read_tenant(args.file, document), origin=str(args.file))
        return _exported(args.export, document, source)
    if not live:
        if args.export is not None:
            raise CannotRun("--export writes what was read of a tenant: give --tenant or --file")
        return Source()
    named = args.tenant or (settings.tenant_id if settings is not None else "") or None
    if named is None and args.graph_url is None:
        raise CannotRun("the tenant is not known: give --tenant TENANT, or settings that name it")
    wanted = {args.app or "", settings.audience_app_id if settings is not None else ""} - {""}
    read = asyncio.run(_live(args, tenant_id=named, app_ids=wanted, environ=environ))
    origin = args.graph_url or "Microsoft Graph"
    tenant = read_tenant(Path(origin), read.document, read.unread)
    source = Source(
        tenant=tenant,
        origin=origin,
        tenant_id=_checked(named, tenant),
        validations=read.validations,
        lacks=read.lacks,
    )
    return _exported(args.export, read.document, source)


def _checked(named: str | None, tenant: TenantObjects) -> str | None:
    """Return the tenant's id where it was named by that; what was read names it otherwise.

    Raises:
        CannotRun: Graph answered for another tenant.
    """
    read, domains = tenant.tenant_id, tenant.verified_domains
    if named is None or is_guid(named):
        if named is not None and read is not None and read != named:
            raise CannotRun(f"Graph answers for tenant {read}, not {named}: sign in to the other one")
        return named
    if domains is not None and named not in domains:
        raise CannotRun(f"Graph answers for tenant {read}, which has no domain {named}: sign in to the other one")
    return None


def _exported(path: Path | None, document: Mapping[str, Any], source: Source) -> Source:
    if path is not None:
        write_export(path, document)
    return source


async def _live(
    args: argparse.Namespace, *, tenant_id: str | None, app_ids: set[str], environ: Mapping[str, str]
) -> LiveRead:
    local = is_this_machine(args.graph_url or "")
    # Without a credential an emulated Graph gets a token that allows everything.
    more = (ASSIGNED_POLICIES,) if local and args.credential is None else ()
    try:
        async with open_graph(
            environ,
            credential=args.credential,
            tenant_id=tenant_id,
            base_url=args.graph_url,
            permissions=(*PERMISSIONS, *more),
            patience=_LOCAL_PATIENCE if local else _PATIENCE,
        ) as client:
            return await read_live(client, app_ids=app_ids)
    except GraphError as error:
        raise CannotRun(str(error)) from error
    except ValueError as error:
        raise CannotRun(f"--graph-url: {error}") from error
