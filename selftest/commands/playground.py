"""``playground``: a local page on which to sign in, break something, and watch."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import endpoint_url, port_number
from selftest.play.target import DEFAULT_AUTHORITY_PORT
from selftest.playground.player import Stage
from selftest.playground.server import PlaygroundServer
from selftest.signin.tenant.directory import Directory
from selftest.signin.tenant.file import SAMPLE_FILE, read_tenant_file

DEFAULT_PORT: Final = 8430


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Serve a page on 127.0.0.1 until Ctrl-C. The emulated Entra, what the endpoint depends on and the app are "
        "started with it; the app is started again when its files change."
    )
    parser.add_argument(
        "--port",
        type=port_number,
        default=DEFAULT_PORT,
        help="where to serve the page; 0 takes any free one (default: %(default)s)",
    )
    parser.add_argument(
        "--tenant-file",
        type=Path,
        default=SAMPLE_FILE,
        metavar="FILE",
        help="apps, users, extensions and listeners (default: %(default)s)",
    )
    _add_endpoint_arguments(parser)


def _add_endpoint_arguments(parser: argparse.ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        *("--app", "--app-dir"),
        type=Path,
        default=Path(),
        metavar="DIR",
        help="the folder of function_app.py (default: the current one)",
    )
    where.add_argument(
        "--url", type=endpoint_url, metavar="URL", help="an endpoint that already runs, instead of the app"
    )
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help="without --url: one more setting of the app; may be repeated",
    )
    parser.add_argument(
        "--authority-port",
        type=port_number,
        default=DEFAULT_AUTHORITY_PORT,
        metavar="PORT",
        help="with --url: where the emulated Entra listens on 127.0.0.1 (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until a signal comes. Exit code 0; 2 when a flag, a file or a port cannot be used."""
    try:
        settings = _settings(args)
        stage = _stage(args, read_tenant_file(args.tenant_file), settings)
        return asyncio.run(_serve(stage, args))
    except OSError as error:
        ports = f"{args.port}" if args.url is None else f"{args.port} or {args.authority_port}"
        flags = "--port" if args.url is None else "--port or --authority-port"
        raise CannotRun(
            f"the playground cannot listen on 127.0.0.1:{ports} ({error.strerror}); "
            f"stop what uses the port, or choose another with {flags}"
        ) from error
    except KeyboardInterrupt:
        # Only where the loop takes no signal handlers (Windows): there this is the way to end it.
        return 0


def _settings(args: argparse.Namespace) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in args.settings]
    if any(not name or not equals for name, equals, _ in pairs):
        raise CannotRun("--setting: expected NAME=VALUE")
    if pairs and args.url is not None:
        raise CannotRun("--setting is for the local app; an endpoint at --url has its own settings")
    return {name: value for name, _, value in pairs}


def _stage(args: argparse.Namespace, directory: Directory, settings: Mapping[str, str]) -> Stage:
    if args.url is not None:
        return Stage(directory, app_dir=None, url=args.url, authority_port=args.authority_port)
    if not (args.app / "function_app.py").is_file():
        raise CannotRun(f"--app {args.app}: there is no function_app.py")
    return Stage(directory, app_dir=args.app.resolve(), settings=settings)


async def _serve(stage: Stage, args: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # asyncio's word for a loop without signals (Windows)
            loop.add_signal_handler(number, stop.set)
    async with stage, PlaygroundServer(stage, port=args.port) as server:
        if args.url is not None:
            print("the endpoint believes this when it is started with", file=sys.stderr)
            for name, value in stage.main.trust_settings.items():
                print(f"  {name}={value}", file=sys.stderr)
        print(f"playground on {server.url}  (Ctrl-C ends it)", flush=True)
        await stop.wait()
    return 0
