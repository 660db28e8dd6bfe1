"""``entra``: the emulated Entra alone, for an endpoint or an app under development."""

import argparse
import asyncio
import contextlib
import signal
import ssl
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from selftest.base.cannot_run import PASSED, CannotRun
from selftest.base.endpoint_url import endpoint_url
from selftest.base.flag_values import port_number
from selftest.base.program import PROGRAM
from selftest.base.sample_tenant import local_tenant
from selftest.entra.certificates import LocalAuthority, how_to_trust
from selftest.entra.key_fetches import KeyFetches
from selftest.entra.key_store import KeyStore, process_keys
from selftest.entra.lease import lending, rotate_keys
from selftest.entra.server import EntraServer
from selftest.entra.snippets.snippet import SNIPPETS
from selftest.entra.snippets.trust import trusted_lines, trusted_values
from selftest.play.authority import (
    DEFAULT_AUTHORITY_PORT,
    add_authority_arguments,
    add_tenant_arguments,
    local_authority,
)
from selftest.play.target import endpoint_settings

if TYPE_CHECKING:
    from selftest.signin.startup import ServedTenant

DEFAULT_HTTPS_PORT: Final = 8443
_CA_FILE: Final = Path("emulated-entra-ca.pem")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Serve the emulated Entra on 127.0.0.1 until SIGTERM or SIGINT, and print the settings with which to start "
        "an endpoint. With --tenant-file apps can sign in their users."
    )
    parser.add_argument(
        "--port",
        type=port_number,
        default=DEFAULT_AUTHORITY_PORT,
        help="port on 127.0.0.1; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--for",
        choices=SNIPPETS,
        dest="library",
        help="print an endpoint to paste, with these values filled in, and end",
    )
    parser.add_argument(
        "--rotate", action="store_true", help="make the one that runs on --port sign with a new key, and end"
    )
    add_authority_arguments(parser)
    add_tenant_arguments(parser)
    _add_sign_in_arguments(parser)


def _add_sign_in_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sign-ins")
    group.add_argument(
        "--tenant-file",
        type=Path,
        metavar="FILE",
        help="apps, users, extensions and listeners (an example: selftest/signin/tenant/sample.toml)",
    )
    group.add_argument(
        "--url",
        type=endpoint_url,
        metavar="URL",
        help="with --tenant-file: the endpoint, instead of every target_url of the file",
    )
    group.add_argument(
        "--https-port",
        type=port_number,
        default=DEFAULT_HTTPS_PORT,
        metavar="PORT",
        help="with --tenant-file: port of --https; 0 takes a free one (default: %(default)s)",
    )
    group.add_argument(
        "--ca-file",
        type=Path,
        default=_CA_FILE,
        metavar="FILE",
        help="with --tenant-file: file for the certificate authority of --https (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until a signal arrives, and return exit code 0.

    Raises:
        CannotRun: A flag, a file or a port cannot be used.
    """
    if args.rotate:
        print(asyncio.run(rotate_keys(args.port, _trusting() if args.https else None)))
        return PASSED
    store = process_keys() if args.library is not None else KeyStore.open(new=args.new_keys)
    served = _served_tenant(args, store)
    authority = local_authority() if args.https and served is None else None
    server = _server(args, store, authority) if served is None else served.server
    if args.library is not None:
        return _print_snippet(args, server)
    try:
        return asyncio.run(_serve(server, partial(_trust, authority) if served is None else served.lines))
    except OSError as error:
        ports = f"{args.port}" if served is None or not args.https else f"{args.port} and {args.https_port}"
        flags = "--port" if served is None or not args.https else "--port or --https-port"
        raise CannotRun(
            f"the emulated Entra cannot listen on 127.0.0.1:{ports} ({error.strerror}); "
            f"stop the process that uses the port, or choose another port with {flags}"
        ) from error
    except KeyboardInterrupt:
        # Only where the loop does not support signal handlers (Windows).
        return 0


def _trusting() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=local_authority().path)


def _trust(authority: LocalAuthority | None) -> Iterable[str]:
    if authority is None:
        return ()
    return ("the endpoint must trust the authority:", *how_to_trust(authority.path))


def _server(args: argparse.Namespace, store: KeyStore, authority: LocalAuthority | None) -> EntraServer:
    if args.url is not None:
        raise CannotRun("--url requires --tenant-file")
    tenant = local_tenant(tenant_id=args.tenant, audience_app_id=args.audience, extension_id=args.extension)
    tls = None if authority is None else authority.server_context()
    return EntraServer(tenant, port=args.port, store=store, tls=tls)


def _served_tenant(args: argparse.Namespace, store: KeyStore) -> "ServedTenant | None":
    if args.tenant_file is None:
        return None
    if args.tenant or args.audience or args.extension:
        raise CannotRun("--tenant, --audience and --extension are set in the tenant file: change them there")
    from selftest.signin.startup import serve_tenant  # noqa: PLC0415 - sign-ins are an extra of the tool

    return serve_tenant(
        args.tenant_file,
        port=args.port,
        target_url=args.url,
        https_port=args.https_port if args.https else None,
        ca_file=args.ca_file,
        store=store,
    )


def _print_snippet(args: argparse.Namespace, server: EntraServer) -> int:
    port = args.https_port if args.https and args.tenant_file is not None else args.port
    if port == 0:
        raise CannotRun("--for fills in the port, so it requires a fixed one: --port, or --https-port with --https")
    mint = server.mint_at(f"{'https' if args.https else 'http'}://127.0.0.1:{port}")
    print(SNIPPETS[args.library].filled(trusted_values(mint, server.extension_ids[0])), end="")
    return PASSED


async def _serve(server: EntraServer, lines: Callable[[], Iterable[str]]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # raised by a loop without signal handlers (Windows)
            loop.add_signal_handler(number, stop.set)
    fetches = KeyFetches.open()
    server.on_keys_read = lambda: fetches.note(server.authority_url)
    server.publish_spare()
    async with server, lending(server, give_up=stop.set):
        for name, value in endpoint_settings(server).items():
            print(f"{name}={value}")
        print("# For an endpoint that has other settings:")
        for line in trusted_lines(server.mint, server.extension_ids[0]):
            print(f"#   {line}")
        print(f"# An endpoint to paste, with these values: entra --for {'|'.join(SNIPPETS)}")
        for line in lines():
            print(f"# {line}")
        secure = " --https" if server.base_url.startswith("https:") else ""
        print(f"# new signing key: {PROGRAM} entra --rotate --port {server.port}{secure}")
        print(f"# listening on {server.base_url}", flush=True)
        await stop.wait()
    return 0
