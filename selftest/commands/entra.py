"""``entra``: the emulated Entra alone, for an endpoint or an app that is developed beside it."""

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import endpoint_url, port_number
from selftest.base.sample_tenant import local_tenant
from selftest.entra.server import EntraServer
from selftest.entra.tls import Tls, how_to_trust, make_tls
from selftest.play.target import DEFAULT_AUTHORITY_PORT, add_tenant_arguments, endpoint_settings
from selftest.signin.server import SignInServer
from selftest.signin.tenant.file import SAMPLE_FILE, read_tenant_file

DEFAULT_HTTPS_PORT: Final = 8443
_CA_FILE: Final = Path("emulated-entra-ca.pem")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Serve the emulated Entra on 127.0.0.1 until SIGTERM or SIGINT. What it prints are the settings to start "
        "an endpoint with. With --tenant-file apps can sign their users in with it."
    )
    parser.add_argument(
        "--port",
        type=port_number,
        default=DEFAULT_AUTHORITY_PORT,
        help="where to listen; 0 takes any free one (default: %(default)s)",
    )
    add_tenant_arguments(parser)
    _add_sign_in_arguments(parser)


def _add_sign_in_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sign-ins")
    group.add_argument(
        "--tenant-file",
        type=Path,
        metavar="FILE",
        help=f"apps, users, extensions and listeners (an example: {SAMPLE_FILE})",
    )
    group.add_argument(
        "--url",
        type=endpoint_url,
        metavar="URL",
        help="with --tenant-file: the endpoint, in place of every target_url of the file",
    )
    group.add_argument(
        "--https", action="store_true", help="with --tenant-file: also serve https, which client libraries ask for"
    )
    group.add_argument(
        "--https-port",
        type=port_number,
        default=DEFAULT_HTTPS_PORT,
        metavar="PORT",
        help="where; 0 takes any free one (default: %(default)s)",
    )
    group.add_argument(
        "--ca-file",
        type=Path,
        default=_CA_FILE,
        metavar="FILE",
        help="where the certificate authority of --https is written (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until a signal comes. Exit code 0; 2 when a flag, a file or a port cannot be used."""
    try:
        server, tls = _server(args)
        return asyncio.run(_serve(server, args, tls))
    except OSError as error:
        ports = f"{args.port}" if not args.https else f"{args.port} and {args.https_port}"
        flags = "--port" if not args.https else "--port or --https-port"
        raise CannotRun(
            f"the emulated Entra cannot listen on 127.0.0.1:{ports} ({error.strerror}); "
            f"stop what uses the port, or choose another with {flags}"
        ) from error
    except KeyboardInterrupt:
        # Only where the loop takes no signal handlers (Windows): there this is the way to end it.
        return 0


def _server(args: argparse.Namespace) -> tuple[EntraServer, Tls | None]:
    if args.tenant_file is None:
        if args.https or args.url is not None:
            raise CannotRun("--https and --url are for sign-ins: give --tenant-file too")
        tenant = local_tenant(tenant_id=args.tenant, audience_app_id=args.audience, extension_id=args.extension)
        return EntraServer(tenant, port=args.port), None
    if args.tenant or args.audience or args.extension:
        raise CannotRun("--tenant, --audience and --extension are in the tenant file: change them there")
    directory = read_tenant_file(args.tenant_file)
    if args.url is not None:
        directory = directory.aimed_at(args.url)
    tls = make_tls() if args.https else None
    if tls is not None:
        try:
            tls.write_ca(args.ca_file)
        except OSError as error:
            raise CannotRun(f"--ca-file {args.ca_file} cannot be written: {error.strerror}") from error
    return SignInServer(directory, port=args.port, tls=tls, https_port=args.https_port), tls


async def _serve(server: EntraServer, args: argparse.Namespace, tls: Tls | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # asyncio's word for a loop without signals (Windows)
            loop.add_signal_handler(number, stop.set)
    async with server:
        settings = endpoint_settings(server)
        if isinstance(server, SignInServer):
            settings["Claims__AllowedExtensionIds"] = ",".join(_extension_ids(server))
        for name, value in settings.items():
            print(f"{name}={value}")
        for line in _sign_in_lines(server, args, tls):
            print(f"# {line}")
        print(f"# new signing key: curl -X POST {server.base_url}/rotate")
        print(f"# listening on {server.base_url}", flush=True)
        await stop.wait()
    return 0


def _extension_ids(server: SignInServer) -> list[str]:
    """Give the ids of every extension that the same registration stands for: one endpoint serves them all."""
    audience = server.directory.tenant.audience_app_id
    return [known.id for known in server.directory.extensions if known.audience.client_id == audience]


def _sign_in_lines(server: EntraServer, args: argparse.Namespace, tls: Tls | None) -> Iterator[str]:
    if not isinstance(server, SignInServer):
        return
    yield f"authority for client libraries: {server.sign_in_authority_url}"
    if tls is not None:
        yield f"trust {args.ca_file} for as long as this runs:"
        yield from (f"  {line}" for line in how_to_trust(args.ca_file))
    for app in server.directory.apps:
        yield f"app {app.key}: {app.client_id} {app.principal.display_name}"
    yield f"sign-ins so far, as Graph gives them: curl {server.base_url}/signins"
