"""Serves a function app; a program of its own, which the app's interpreter runs as a file.

That interpreter has neither the tool nor what the tool imports. Of both only what is needed here is loaded by path and
then taken out of ``sys.modules``: an app that imports ``h11`` without having it installed must fail here, too.
"""

import argparse
import asyncio
import contextlib
import importlib.util
import logging
import os
import runpy
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from selftest.host.supervisor import CallReport

LOOPBACK: Final = "127.0.0.1"
#: Where a package of an app has its dependencies, as in Azure.
_PACKAGED: Final = Path(".python_packages", "lib", "site-packages")
#: Libraries that log about themselves; the app's own lines are what the log is for.
_QUIET: Final = ("azure", "azure_functions_runtime")
#: Opens the lines that Azure's host drops, because no function runs when they are written.
DROPPED: Final = "[not in Azure's log] "
_OF_THE_HOST: Final = "selftest.host"
#: Loggers of which Azure shows nothing at any time.
_OF_THE_WORKER: Final = ("azure.functions", "azure_functions_worker")
_THREADS: Final = "1000"


def main() -> int:
    """Serve until a signal comes. Exit code 0; 2 when the app or the port cannot be used; 130 while starting."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--app", type=Path, required=True)
    parser.add_argument("--h11", type=Path, required=True)
    parser.add_argument("--preload", type=Path, help="a file with install(), called before the app is imported")
    args = parser.parse_args()
    results = sys.stdout
    # What an app prints is log, as in Azure; only the address is a result.
    with contextlib.redirect_stdout(sys.stderr):
        formatter = _OneLine()
        _send_log_to(sys.stderr, formatter)
        try:
            sock = _bind(args.port)
        except OSError as error:
            return _refuse(
                f"port {args.port} on {LOOPBACK} cannot be used: {os.strerror(error.errno or 0)}.\n"
                "Choose another with --port, or --port 0 for any free one."
            )
        report = None
        if sys.platform != "win32":
            outcome: int | CallReport = _supervisor().Supervisor(sock).run()
            if isinstance(outcome, int):
                return outcome
            report = outcome
        with sock, asyncio.Runner(loop_factory=_loop_factory()) as runner:
            try:
                return runner.run(_serve(sock, args, results, formatter, report))
            except KeyboardInterrupt:
                return 130


async def _serve(
    sock: socket.socket, args: argparse.Namespace, results: TextIO, log: "_OneLine", report: "CallReport | None"
) -> int:
    app_dir = args.app
    sys.path.insert(0, str(app_dir / _PACKAGED))
    try:
        worker, edge, blocked_loop = _borrowed(args.h11)
    except ModuleNotFoundError as error:
        if error.name != "azure_functions_runtime":
            raise
        return _refuse(
            f"{sys.executable} has no azure-functions-runtime: install the app's requirements with it, or name the "
            "Python that has them with --app-python."
        )
    try:
        # Azure's host sets it where the app's settings do not.
        os.environ.setdefault("PYTHON_THREADPOOL_THREAD_COUNT", _THREADS)
        if args.preload is not None:
            runpy.run_path(str(args.preload))["install"]()
        app = await worker.Worker.start(app_dir)
        log.is_shown = app.in_an_invocation
        server = edge.HttpEdge(app, app_dir, settings=os.environ, report=report)
    except worker.StartError as error:
        return _refuse(
            f"the function app in {app_dir} did not start.\n{error}\n"
            "Correct what the message names and start again: Azure loads the app the same way, and shows less: 404 at "
            "every address, or no answer, while / says that the app runs; the reason is in Application Insights."
        )
    watch = blocked_loop.BlockedLoopWatch(app_dir)
    watch.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.listen(sock)
    if report is not None:
        report.ready()
    print(f"listening on http://{LOOPBACK}:{sock.getsockname()[1]}", file=results, flush=True)
    await stop.wait()
    await server.close()
    watch.stop()
    app.stop()
    # A second signal, while the interpreter ends, would turn a clean end into a killed one.
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
    return 0


def _supervisor() -> ModuleType:
    """Return the module that replaces workers."""
    _load(Path(__file__).parents[1])
    from selftest.host import supervisor  # noqa: PLC0415 - found only now

    return supervisor


def _borrowed(h11: Path) -> tuple[ModuleType, ModuleType, ModuleType]:
    """Return the modules that drive the worker library, that serve HTTP and that watch the event loop."""
    for package in (Path(__file__).parents[1], h11):
        _load(package)
    from selftest.host import blocked_loop, http_edge, worker  # noqa: PLC0415 - found only now

    for name in list(sys.modules):
        if name.partition(".")[0] in {"selftest", "h11"}:
            del sys.modules[name]
    return worker, http_edge, blocked_loop


def _load(package: Path) -> None:
    """Import a package from its folder, without the other packages next to it."""
    spec = importlib.util.spec_from_file_location(
        package.name, package / "__init__.py", submodule_search_locations=[str(package)]
    )
    assert spec is not None  # noqa: S101 - the file's name ends in .py
    assert spec.loader is not None  # noqa: S101 - the same
    sys.modules[package.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


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
    """The message as it is, its line breaks escaped: a line of the log is a message.

    Attributes:
        is_shown: Whether Azure would show what is logged now; before the app is loaded, nothing.
    """

    def __init__(self) -> None:
        super().__init__("%(message)s")
        self.is_shown: Callable[[], bool] = lambda: False

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, marked where Azure drops it."""
        line = super().format(record).replace("\r", "\\r").replace("\n", "\\n")
        if record.name.startswith(_OF_THE_HOST):
            return line
        lost = record.name.startswith(_OF_THE_WORKER) or not self.is_shown()
        return f"{DROPPED}{line}" if lost else line


def _send_log_to(stream: TextIO, formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    # Azure's worker sets the root to INFO too.
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
