"""``host``: serve ``function_app.py`` through Microsoft's worker library, with settings from the environment."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from selftest.host.worker import Function

LOOPBACK: Final = "127.0.0.1"
#: Libraries that talk about themselves; the endpoint's own lines are what the log is for.
_QUIET: Final = ("aiohttp", "azure", "azure_functions_runtime")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = "Serve an app on 127.0.0.1 until SIGTERM or SIGINT. Settings come from the environment."
    parser.add_argument("--port", type=_port, default=7071, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--app", type=Path, default=Path(), metavar="DIR", help="where function_app.py is")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal comes. Exit code 0; 2 when the app or the port cannot be used; 130 while starting."""
    results = sys.stdout
    # What an app prints is log, as in Azure; only the address is a result.
    with contextlib.redirect_stdout(sys.stderr):
        _send_log_to(sys.stderr)
        try:
            sock = _bind(args.port)
        except OSError as error:
            return _refuse(
                f"port {args.port} on {LOOPBACK} cannot be used: {os.strerror(error.errno or 0)}.\n"
                "Choose another with --port, or --port 0 for any free one."
            )
        with sock, asyncio.Runner(loop_factory=_loop_factory()) as runner:
            try:
                return runner.run(_serve(sock, args.app.resolve(), results))
            except KeyboardInterrupt:
                return 130


async def _serve(sock: socket.socket, app_dir: Path, results: TextIO) -> int:
    # The app's directory has to be first on the path before anything else of it is imported, and the other commands
    # should not wait for Microsoft's libraries.
    from selftest.host import http_edge, routes, worker  # noqa: PLC0415 - see above

    try:
        app = await worker.Worker.start(app_dir)
        table = routes.RouteTable(app.functions, prefix=routes.read_prefix(app_dir))
    except worker.StartError as error:
        return _refuse(
            f"the function app in {app_dir} did not start.\n{error}\n"
            "Mend what the message names and start again: Azure loads the app the same way."
        )
    _mention_unserved(app.functions)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    edge = http_edge.HttpEdge(app, table, body_limit_bytes=http_edge.max_body_bytes(os.environ))
    await edge.listen(sock)
    print(f"listening on http://{LOOPBACK}:{sock.getsockname()[1]}", file=results, flush=True)
    await stop.wait()
    await edge.close()
    app.stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
        # A second signal, while the interpreter ends, would turn a clean end into a killed one.
        signal.signal(number, signal.SIG_IGN)
    return 0


def _mention_unserved(functions: Iterable["Function"]) -> None:
    log = logging.getLogger("selftest.host")
    for function in functions:
        if function.trigger != "httpTrigger":
            log.warning("function %s has a %s and is not served: only HTTP is", function.name, function.trigger)
        elif function.auth_level != "ANONYMOUS":
            log.warning(
                "function %s has the auth level %s and answers 401: this host has no keys",
                function.name,
                function.auth_level,
            )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def _bind(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((LOOPBACK, port))
        # Only listening makes the port ours; a client that comes before the app is ready waits.
        sock.listen()
    except OSError:
        sock.close()
        raise
    return sock


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Prefer uvloop, which the platform's worker runs on from Python 3.13."""
    try:
        import uvloop  # noqa: PLC0415 - optional, and absent on Windows
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


class _OneLine(logging.Formatter):
    """The message as it is, its line breaks escaped: a line of the log is a message."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\r", "\\r").replace("\n", "\\n")


def _send_log_to(stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_OneLine("%(message)s"))
    # Azure's worker sets the root to INFO too.
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 2
