"""The endpoint under test and the emulated Entra that calls it: what every command against an endpoint starts with.

Without ``--url`` the function app in a folder is started, configured for the emulated tenant. With ``--url`` the
endpoint runs elsewhere, in any language, and has to be started with the settings that the command ``entra`` prints; the
emulated Entra then listens on the port that those settings name.
"""

import argparse
import asyncio
import contextlib
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from selftest import __version__
from selftest.base.app_folder import AppFolder, add_app_arguments
from selftest.base.bounded_file import read_text
from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import CALLOUT_PATH, endpoint_url, health_url
from selftest.base.flag_values import port_number, seconds
from selftest.base.sample_tenant import Tenant
from selftest.base.setting_names import PROVIDER
from selftest.entra.key_fetches import KeyFetches
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.play.authority import (
    DEFAULT_AUTHORITY_PORT,
    add_authority_arguments,
    add_tenant_arguments,
    local_authority,
    open_authority,
)
from selftest.play.caller import Caller, caller_session
from selftest.play.log_file import LogFile
from selftest.play.misspelt_settings import add_setting_argument, require_known
from selftest.starter.manifest import provider_warning, version_warning

_CA_BYTES: Final = 1 << 20
_ANSWER_TIMEOUT: Final = aiohttp.ClientTimeout(total=5.0)
_ANSWER_POLL_S: Final = 0.25

#: Settings of the Functions host, as the deployment has them: a larger body is refused before the app holds it.
HOST_SETTINGS: Final[Mapping[str, str]] = {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "65536"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An endpoint and the emulated Entra that calls it.

    Attributes:
        url: Where events are posted to, with its query if it has one.
        health_url: Where the endpoint answers whether it is ready.
        entra: The emulated Entra, listening.
        tenant: The tenant that it emulates.
        fetches: The record of the endpoint's requests for keys.
        app: The local app; None when the endpoint runs elsewhere.
        log: Returns the app's log lines so far; None if they cannot be read.
        folder: The folder of the local app, from which another worker can be started; None as above.
        settings: The settings of the local app.
        session: For requests of any kind: no cookies, no proxy, no decompression.
        caller: Calls as Entra does.
    """

    url: str
    health_url: str
    entra: EntraServer
    tenant: Tenant
    fetches: KeyFetches
    app: AppProcess | None
    log: Callable[[], Sequence[str]] | None
    folder: AppFolder | None
    settings: Mapping[str, str]
    session: aiohttp.ClientSession
    caller: Caller

    @property
    def provider(self) -> str | None:
        """The name of the provider that answers; None for an app without providers, and for one that runs elsewhere."""
        return None if self.folder is None else self.folder.provider(self.settings)

    @property
    def answered_by(self) -> str | None:
        """The provider, and whether a setting names it."""
        if self.provider is None:
            return None
        return f"{PROVIDER}={self.provider}" if PROVIDER in self.settings else f"{PROVIDER} not set: {self.provider}"


def add_target_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name the endpoint and the tenant for which it is configured."""
    group = parser.add_argument_group("the endpoint")
    group.add_argument(
        "--url",
        type=endpoint_url,
        metavar="URL",
        help=f"an endpoint that already runs; without a path {CALLOUT_PATH} is meant (default: start the app of --app)",
    )
    group.add_argument(
        "--health-url",
        type=endpoint_url,
        metavar="URL",
        help="where the endpoint says whether it is ready (default: health in the same folder as the endpoint's path)",
    )
    add_app_arguments(group)
    add_setting_argument(group, "without --url: ")
    group.add_argument(
        "--route",
        type=_route,
        default=CALLOUT_PATH,
        metavar="PATH",
        help="without --url: the path of the callout (default: %(default)s)",
    )
    group.add_argument(
        "--app-log", type=Path, metavar="FILE", help="with --url: the file that the endpoint logs into, read for tokens"
    )
    group.add_argument(
        "--authority-port",
        type=port_number,
        default=DEFAULT_AUTHORITY_PORT,
        metavar="PORT",
        help="with --url: where the emulated Entra listens on 127.0.0.1 (default: %(default)s)",
    )
    group.add_argument(
        "--ca-file",
        type=Path,
        metavar="FILE",
        help="with an https --url: the certificate or the authority that it is trusted by, PEM",
    )
    group.add_argument(
        "--wait",
        type=seconds,
        default=0.0,
        metavar="TIME",
        help="with --url: how long the endpoint may take until it answers at all, as in 60s (default: 0s)",
    )
    add_authority_arguments(parser)
    add_tenant_arguments(parser)


def endpoint_settings(entra: EntraServer) -> dict[str, str]:
    """Return the settings with which an endpoint trusts the emulated Entra."""
    return {
        "AuthenticationEvents__AuthorityUrl": entra.authority_url,
        "AuthenticationEvents__AudienceAppId": entra.tenant.audience_app_id,
        "Claims__ApplicationIdUri": entra.tenant.application_id_uri,
        "Claims__AllowedExtensionIds": ",".join(entra.extension_ids),
    }


def app_settings(entra: EntraServer) -> dict[str, str]:
    """Return the settings of a local app: those of any endpoint, and the host's as they are deployed."""
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
        args: Parsed by a parser prepared with ``add_target_arguments``.
        prepare: Called with the emulated Entra before the app starts, so that what it publishes is there when the
            app first loads it.
        extra_settings: More settings of the local app.

    Raises:
        CannotRun: The authority's port cannot be listened on, there is no app, or it is given settings that it does
            not take.
        AppStartError: The local app does not start.
    """
    chosen = dict(args.settings)
    if args.url and chosen:
        raise CannotRun("--setting is for the local app; an endpoint at --url has its own settings")
    if args.app_log is not None and not args.url:
        raise CannotRun("--app-log requires --url: the log of an app that is started here is read anyway")
    folder = None if args.url else AppFolder.at(args.app_dir, args.app_python)
    if folder is not None:
        folder.require_app()
        require_known(folder.directory, chosen)
        if warning := version_warning(folder.directory, __version__):
            print(f"warning: {warning}", file=sys.stderr)
        if PROVIDER not in {*chosen, *(extra_settings or {})} and (warning := provider_warning(folder.directory)):
            print(f"warning: {warning}", file=sys.stderr)
    async with AsyncExitStack() as stack:
        entra, fetches = await stack.enter_async_context(open_authority(args))
        if prepare is not None:
            prepare(entra)
        app = None
        settings = {**app_settings(entra), **_trust(args), **(extra_settings or {}), **chosen}
        if folder is not None:
            process = AppProcess(settings, app_dir=folder.directory, python=folder.python)
            app = await stack.enter_async_context(process)
        url = args.url if app is None else app.url + args.route
        session = await stack.enter_async_context(caller_session(_trusted(args.ca_file)))
        await _await_endpoint(session, url, args.wait)
        yield Target(
            url=url,
            health_url=args.health_url or health_url(url),
            entra=entra,
            tenant=entra.tenant,
            fetches=fetches,
            app=app,
            log=_log(app, args.app_log),
            folder=folder,
            settings=settings,
            session=session,
            caller=Caller(session),
        )


def _trust(args: argparse.Namespace) -> dict[str, str]:
    """Return the setting with which the local app trusts an https authority."""
    return {"SSL_CERT_FILE": str(local_authority().path)} if args.https and not args.url else {}


def _trusted(ca_file: Path | None) -> ssl.SSLContext | None:
    if ca_file is None:
        return None
    try:
        return ssl.create_default_context(cadata=read_text(ca_file, _CA_BYTES))
    except ssl.SSLError as error:
        raise CannotRun(f"--ca-file {ca_file} holds no certificate in PEM") from error


async def _await_endpoint(session: aiohttp.ClientSession, url: str, wait_s: float) -> None:
    """Wait until the endpoint answers anything; what it answers is judged later."""
    deadline_s = time.monotonic() + wait_s
    while time.monotonic() < deadline_s:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(url, allow_redirects=False, timeout=_ANSWER_TIMEOUT):
                return
        await asyncio.sleep(_ANSWER_POLL_S)


def _log(app: AppProcess | None, file: Path | None) -> Callable[[], Sequence[str]] | None:
    if app is not None:
        return lambda: app.logs
    return None if file is None else LogFile(file).lines


def _route(text: str) -> str:
    if not text.startswith("/") or "?" in text or "#" in text:
        raise argparse.ArgumentTypeError("expected a path, as in /api/onTokenIssuanceStart")
    return text
