"""``playground``: a local page for signing in, injecting faults, and watching the calls."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import endpoint_url
from selftest.base.flag_values import port_number
from selftest.base.sample_tenant import local_tenant
from selftest.play.authority import DEFAULT_AUTHORITY_PORT, add_tenant_arguments
from selftest.play.misspelt_settings import require_known

if TYPE_CHECKING:
    from selftest.playground.player import SignInPlayer

DEFAULT_PORT: Final = 8430
_SAMPLE_TENANT: Final = Path(__file__).parents[1] / "signin" / "tenant" / "sample.toml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Serve a page on 127.0.0.1 until Ctrl-C, with the emulated Entra, the endpoint's emulated dependencies "
        "and the app. The app is restarted when its files change."
    )
    parser.add_argument(
        "--port",
        type=port_number,
        default=DEFAULT_PORT,
        help="port of the page; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--tenant-file",
        type=Path,
        default=_SAMPLE_TENANT,
        metavar="FILE",
        help="apps, users, extensions and listeners (default: %(default)s)",
    )
    add_tenant_arguments(parser)
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
    where.add_argument("--url", type=endpoint_url, metavar="URL", help="a running endpoint, instead of the app")
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help="without --url: a further setting of the app; may be repeated",
    )
    parser.add_argument(
        "--authority-port",
        type=port_number,
        default=DEFAULT_AUTHORITY_PORT,
        metavar="PORT",
        help="with --url: port of the emulated Entra on 127.0.0.1 (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until a signal arrives, and return exit code 0.

    Raises:
        CannotRun: A flag, a file or a port cannot be used, or an extra is missing.
    """
    settings = _settings(args)
    try:
        player = _player(args, settings)
    except ModuleNotFoundError as error:
        raise CannotRun(f"the playground requires the package {error.name}: install entra-selftest[browser]") from error
    try:
        return asyncio.run(_serve(player, args))
    except OSError as error:
        ports = f"{args.port}" if args.url is None else f"{args.port} or {args.authority_port}"
        flags = "--port" if args.url is None else "--port or --authority-port"
        raise CannotRun(
            f"the playground cannot listen on 127.0.0.1:{ports} ({error.strerror}); "
            f"stop the process that uses the port, or choose another port with {flags}"
        ) from error
    except KeyboardInterrupt:
        # Only where the loop does not support signal handlers (Windows).
        return 0


def _settings(args: argparse.Namespace) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in args.settings]
    if any(not name or not equals for name, equals, _ in pairs):
        raise CannotRun("--setting: expected NAME=VALUE")
    if pairs and args.url is not None:
        raise CannotRun("--setting is for the local app; an endpoint at --url has its own settings")
    return {name: value for name, _, value in pairs}


def _player(args: argparse.Namespace, settings: Mapping[str, str]) -> "SignInPlayer":
    # Imported here, because sign-ins are an extra of the tool.
    from selftest.playground.player import SignInPlayer  # noqa: PLC0415 - see above
    from selftest.signin.tenant.file import read_tenant_file  # noqa: PLC0415 - see above

    directory = read_tenant_file(args.tenant_file)
    if args.tenant_file == _SAMPLE_TENANT:
        ids = local_tenant(tenant_id=args.tenant, audience_app_id=args.audience, extension_id=args.extension)
        directory = directory.with_ids(ids)
    elif args.tenant or args.audience or args.extension:
        raise CannotRun("--tenant, --audience and --extension are set in the tenant file: change them there")
    if args.url is not None:
        return SignInPlayer(directory, app_dir=None, url=args.url, authority_port=args.authority_port)
    if not (args.app / "function_app.py").is_file():
        raise CannotRun(f"--app {args.app}: the directory has no function_app.py")
    require_known(args.app.resolve(), settings)
    return SignInPlayer(directory, app_dir=args.app.resolve(), settings=settings)


async def _serve(player: "SignInPlayer", args: argparse.Namespace) -> int:
    from selftest.playground.server import PlaygroundServer  # noqa: PLC0415 - see _player

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # raised by a loop without signal handlers (Windows)
            loop.add_signal_handler(number, stop.set)
    async with player, PlaygroundServer(player, port=args.port) as server:
        if args.url is not None:
            print("start the endpoint with these settings, so that it trusts the emulated Entra:", file=sys.stderr)
            for name, value in player.main.trust_settings.items():
                print(f"  {name}={value}", file=sys.stderr)
        print(f"playground on {server.url}  (stop with Ctrl-C)", flush=True)
        await stop.wait()
    return 0
