"""``entra``: the emulated Entra alone, for an endpoint that is developed or debugged beside it."""

import argparse
import asyncio
import contextlib
import signal
import sys

from selftest.entra.server import EntraServer
from selftest.entra.tenant import local_tenant
from selftest.target import DEFAULT_AUTHORITY_PORT, add_tenant_arguments, endpoint_settings, port_number


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command line."""
    parser = subparsers.add_parser(
        "entra",
        help="serve the emulated Entra: metadata, keys, tokens",
        description=(
            "Serve the emulated Entra on 127.0.0.1 until SIGTERM or SIGINT. What it prints are the settings to start "
            "an endpoint with."
        ),
    )
    parser.add_argument(
        "--port",
        type=port_number,
        default=DEFAULT_AUTHORITY_PORT,
        help="where to listen; 0 takes any free one (default: %(default)s)",
    )
    add_tenant_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal comes. Exit code 0; 2 when the port cannot be used."""
    try:
        return asyncio.run(_serve(args))
    except OSError as error:
        print(
            f"the emulated Entra cannot listen on 127.0.0.1:{args.port} ({error.strerror}); "
            "stop what uses the port, or choose another with --port",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        # Only where the loop takes no signal handlers (Windows): there this is the way to end it.
        return 0


async def _serve(args: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # asyncio's word for a loop without signals (Windows)
            loop.add_signal_handler(number, stop.set)
    tenant = local_tenant(tenant_id=args.tenant, audience_app_id=args.audience, extension_id=args.extension)
    async with EntraServer(tenant, port=args.port) as server:
        for name, value in endpoint_settings(server).items():
            print(f"{name}={value}")
        print(f"# new signing key: curl -X POST {server.base_url}/rotate")
        print(f"# listening on {server.base_url}", flush=True)
        await stop.wait()
    return 0
