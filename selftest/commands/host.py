"""``host``: serve a function app through Microsoft's worker library, with settings from the environment."""

import argparse
import os
import subprocess
import sys

from selftest.base.app_folder import AppFolder, add_app_arguments
from selftest.base.flag_values import port_number, whole_number
from selftest.host.command import serve_command
from selftest.play.misspelt_settings import add_setting_argument, require_known


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Serve an app on 127.0.0.1 until SIGTERM or SIGINT, in the app's own Python, which needs only "
        "azure-functions-runtime and what the app imports. Settings come from the environment and from --setting."
    )
    parser.add_argument("--port", type=port_number, default=7071, help="0 takes any free one (default: %(default)s)")
    parser.add_argument(
        "--instances",
        type=whole_number(1, 16, "instances"),
        default=1,
        metavar="N",
        help="processes behind the one address, which answer in turn and share no memory; one that ends is replaced",
    )
    add_app_arguments(parser)
    add_setting_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Become the process that serves. Exit code 0; 2 when the app or the port cannot be used; 130 while starting."""
    app = AppFolder.at(args.app_dir, args.app_python)
    app.require_app()
    chosen = dict(args.settings)
    require_known(app.directory, chosen)
    environment = {**os.environ, **chosen}
    if args.instances > 1:
        from selftest.host.instances import serve_instances  # noqa: PLC0415 (one instance does without aiohttp)

        return serve_instances(app, args.instances, environment, args.port)
    command = serve_command(app, port=args.port)
    if sys.platform != "win32":  # there exec starts a second process and ends this one at once
        sys.stdout.flush()
        os.execve(command[0], command, environment)  # noqa: S606 - the same process: signals and pipes stay the caller's
    return subprocess.call(command, env=environment)  # noqa: S603 - our own program
