"""Where the endpoint under test is, with the emulated Entra beside it: what every command against it starts with.

Without ``--url`` the function app of this checkout is started, set up for the emulated tenant. With ``--url`` the
endpoint runs elsewhere, in any language, and has to be started with the settings that ``python -m selftest entra``
prints; the emulated Entra then listens on the port that those settings name.
"""

import argparse
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from selftest.base.endpoint_url import CALLOUT_PATH, endpoint_url, health_url, port_number
from selftest.base.sample_tenant import DEFAULT_TENANT, Tenant, guid, local_tenant
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.play.caller import Caller, caller_session

DEFAULT_AUTHORITY_PORT: Final = 8400

#: Settings of the Functions host, as the deployment has them: a larger body is refused before the app holds it.
HOST_SETTINGS: Final[Mapping[str, str]] = {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "65536"}

#: The checkout that this module is part of: there is function_app.py.
APP_DIR: Final = Path(__file__).resolve().parents[2]


class TargetError(Exception):
    """Raised when the ground for a run cannot be laid; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An endpoint and the emulated Entra that calls it.

    Attributes:
        url: Where events are posted to, with its query if it has one.
        health_url: Where the endpoint tells whether it is ready.
        entra: The emulated Entra, listening.
        tenant: The tenant that it plays.
        app: The local app; None when the endpoint runs elsewhere.
        settings: Of the local app, with which another worker of it can be started.
        session: For requests of any kind: no cookies, no proxy, no decompression.
        caller: Calls as Entra does.
    """

    url: str
    health_url: str
    entra: EntraServer
    tenant: Tenant
    app: AppProcess | None
    settings: Mapping[str, str]
    session: aiohttp.ClientSession
    caller: Caller


def add_target_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say where the endpoint is and which tenant it is set up for."""
    group = parser.add_argument_group("the endpoint")
    group.add_argument(
        "--url",
        type=endpoint_url,
        metavar="URL",
        help=f"an endpoint that already runs; without a path {CALLOUT_PATH} is meant (default: start the app here)",
    )
    group.add_argument(
        "--setting",
        action="append",
        default=[],
        type=_setting,
        dest="settings",
        metavar="NAME=VALUE",
        help="without --url: one more setting of the local app (Claims__Provider=graph); may be repeated",
    )
    group.add_argument(
        "--authority-port",
        type=port_number,
        default=DEFAULT_AUTHORITY_PORT,
        metavar="PORT",
        help="with --url: where the emulated Entra listens on 127.0.0.1 (default: %(default)s)",
    )
    add_tenant_arguments(parser)


def add_tenant_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that change the emulated tenant's ids."""
    group = parser.add_argument_group("the emulated tenant")
    group.add_argument(
        "--tenant",
        type=_guid_argument,
        metavar="GUID",
        help=f"the tenant id (default: {DEFAULT_TENANT.tenant_id})",
    )
    group.add_argument(
        "--audience",
        type=_guid_argument,
        metavar="GUID",
        help=f"the client id of the endpoint's app registration (default: {DEFAULT_TENANT.audience_app_id})",
    )
    group.add_argument(
        "--extension",
        type=_guid_argument,
        metavar="GUID",
        help=f"the extension id that events carry (default: {DEFAULT_TENANT.extension_id})",
    )


def endpoint_settings(entra: EntraServer) -> dict[str, str]:
    """Give the settings with which an endpoint believes the emulated Entra."""
    return {
        "AuthenticationEvents__AuthorityUrl": entra.authority_url,
        "AuthenticationEvents__AudienceAppId": entra.tenant.audience_app_id,
        "Claims__ApplicationIdUri": entra.tenant.application_id_uri,
        "Claims__AllowedExtensionIds": ",".join(entra.extension_ids),
    }


def app_settings(entra: EntraServer) -> dict[str, str]:
    """Return the settings of the app of this checkout: those of any endpoint, and the host's as they are deployed."""
    return {**HOST_SETTINGS, **endpoint_settings(entra)}


@asynccontextmanager
async def open_target(
    args: argparse.Namespace,
    *,
    prepare: Callable[[EntraServer], None] | None = None,
    extra_settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Target]:
    """Start the emulated Entra and, without ``--url``, the local app; stop both at the end.

    Args:
        args: Of a parser that ``add_target_arguments`` has been at.
        prepare: Called with the emulated Entra before the app starts, so that what it publishes is there when the
            app first loads it.
        extra_settings: More settings of the local app.

    Raises:
        TargetError: When the authority's port cannot be listened on, or settings are given for an app elsewhere.
        AppStartError: When the local app does not start.
    """
    chosen = dict(args.settings)
    if args.url and chosen:
        raise TargetError("--setting is for the local app; an endpoint at --url has its own settings")
    tenant = local_tenant(tenant_id=args.tenant, audience_app_id=args.audience, extension_id=args.extension)
    async with AsyncExitStack() as stack:
        entra = EntraServer(tenant, port=args.authority_port if args.url else 0)
        try:
            await stack.enter_async_context(entra)
        except OSError as error:
            raise TargetError(
                f"the emulated Entra cannot listen on 127.0.0.1:{args.authority_port} ({error.strerror}); "
                "stop what uses the port, or choose another with --authority-port and in the endpoint's AuthorityUrl"
            ) from error
        if prepare is not None:
            prepare(entra)
        app = None
        settings = {**app_settings(entra), **(extra_settings or {}), **chosen}
        if args.url is None:
            app = await stack.enter_async_context(AppProcess(settings, app_dir=APP_DIR))
        url = args.url if app is None else app.url + CALLOUT_PATH
        session = await stack.enter_async_context(caller_session())
        yield Target(
            url=url,
            health_url=health_url(url),
            entra=entra,
            tenant=tenant,
            app=app,
            settings=settings,
            session=session,
            caller=Caller(session),
        )


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError("expected NAME=VALUE")
    return name, value


def _guid_argument(text: str) -> str:
    try:
        return guid(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
