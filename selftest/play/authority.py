"""The emulated Entra of a command: its ids, its keys, its scheme, and an ``entra`` that already has the port."""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.base.flag_values import guid_value
from selftest.base.sample_tenant import DEFAULT_TENANT, local_tenant
from selftest.entra.certificates import LocalAuthority, how_to_trust
from selftest.entra.key_fetches import KeyFetches
from selftest.entra.key_store import KeyStore
from selftest.entra.lease import LentAuthority, borrowed
from selftest.entra.server import EntraServer
from selftest.entra.state_folder import state_folder

DEFAULT_AUTHORITY_PORT: Final = 8400


def add_authority_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags about the keys and the scheme of the emulated authority."""
    group = parser.add_argument_group("the emulated authority")
    group.add_argument(
        "--https",
        action="store_true",
        help="serve it over https, as some libraries require, with a certificate authority made for your user account",
    )
    group.add_argument(
        "--new-keys",
        action="store_true",
        help="make new signing keys; an endpoint may refuse them for five minutes, or until it is restarted",
    )


def add_tenant_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that change the emulated tenant's ids."""
    group = parser.add_argument_group("the emulated tenant")
    group.add_argument(
        "--tenant",
        type=guid_value,
        metavar="GUID",
        help=f"the tenant id (default: {DEFAULT_TENANT.tenant_id})",
    )
    group.add_argument(
        "--audience",
        type=guid_value,
        metavar="GUID",
        help=f"the client id of the endpoint's app registration (default: {DEFAULT_TENANT.audience_app_id})",
    )
    group.add_argument(
        "--extension",
        type=guid_value,
        metavar="GUID",
        help=f"the extension id that events carry (default: {DEFAULT_TENANT.extension_id})",
    )


@asynccontextmanager
async def open_authority(args: argparse.Namespace) -> AsyncIterator[tuple[EntraServer, KeyFetches]]:
    """Start the emulated Entra; an endpoint that runs elsewhere, and may know them, gets the keys of this user.

    An ``entra`` that already runs on the port lends it, with the settings that the endpoint was configured for.

    Raises:
        CannotRun: The port cannot be listened on, or the flags contradict the ``entra`` that runs.
    """
    if not args.url:
        tls = local_authority().server_context() if args.https else None
        tenant = local_tenant(tenant_id=args.tenant, audience_app_id=args.audience, extension_id=args.extension)
        async with _recorded(EntraServer(tenant, tls=tls), KeyFetches()) as opened:
            yield opened
        return
    async with AsyncExitStack() as stack:
        lent = await stack.enter_async_context(borrowed(args.authority_port))
        if lent is not None and args.https and not lent.https:
            raise CannotRun("the `entra` that runs serves http; start it with --https, too")
        known = lent or LentAuthority(https=args.https)
        tenant = local_tenant(
            tenant_id=args.tenant or known.tenant_id,
            audience_app_id=args.audience or known.audience_app_id,
            extension_id=args.extension or known.extension_id,
        )
        authority = local_authority() if known.https else None
        entra = EntraServer(
            tenant,
            port=args.authority_port,
            store=KeyStore.open(new=args.new_keys),
            tls=None if authority is None else authority.server_context(),
        )
        try:
            opened = await stack.enter_async_context(_recorded(entra, KeyFetches.open()))
        except OSError as error:
            raise CannotRun(
                f"the emulated Entra cannot listen on 127.0.0.1:{args.authority_port} ({error.strerror}); "
                "stop what uses the port, or choose another with --authority-port and in the endpoint's AuthorityUrl"
            ) from error
        if authority is not None and lent is None:
            print("\n".join(("the endpoint must trust the authority:", *how_to_trust(authority.path))), file=sys.stderr)
        yield opened


@asynccontextmanager
async def _recorded(entra: EntraServer, fetches: KeyFetches) -> AsyncIterator[tuple[EntraServer, KeyFetches]]:
    entra.on_keys_read = lambda: fetches.note(entra.authority_url)
    entra.publish_spare()
    async with entra:
        yield entra, fetches


def local_authority() -> LocalAuthority:
    """Return this user's certificate authority.

    Raises:
        CannotRun: Its folder cannot be written.
    """
    try:
        return LocalAuthority.open()
    except OSError as error:
        raise CannotRun(
            f"--https keeps a certificate authority in {state_folder()}, which cannot be written ({error.strerror}); "
            "name another folder with XDG_STATE_HOME"
        ) from error
