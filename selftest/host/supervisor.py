"""Replaces a worker that ends, as the Functions host does: running calls get 500, and the port stays open.

The worker is a copy of the supervisor's process, with its listening socket: a copy starts sooner than an interpreter.
It hands up the connection of each call that begins, so that somebody can still answer when it is gone. Where a process
cannot be copied (Windows) there is one process, and a crash ends it.

Source: azure-functions-host, run: 500 to the running calls, a new worker within half a second; several crashes one
after the other stop the host.
"""

import contextlib
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

#: Crashes within a minute after which the host gives up.
_MAX_CRASHES: Final = 3
_CRASHES_WITHIN_S: Final = 60.0
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_MESSAGE: Final = struct.Struct("!cI")
_BEGAN, _ENDED, _READY = b"+", b"-", b"r"
_LOST: Final = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\nServer: Kestrel\r\n\r\n"
)


class CallReport:
    """The worker's end: tells the supervisor which connections have a call.

    Args:
        control: Connected to the supervisor.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._count = 0
        threading.Thread(target=self._end_with_the_supervisor, daemon=True).start()

    def ready(self) -> None:
        """Note that the app is loaded: from now on a crash is no failed start."""
        self._control.send(_MESSAGE.pack(_READY, 0))

    @contextmanager
    def call(self, connection: int) -> Iterator[None]:
        """Report a call on a connection, by its file descriptor, for as long as it runs."""
        self._count = number = (self._count + 1) % 2**32
        socket.send_fds(self._control, [_MESSAGE.pack(_BEGAN, number)], [connection])
        try:
            yield
        finally:
            self._control.send(_MESSAGE.pack(_ENDED, number))

    def _end_with_the_supervisor(self) -> None:
        with contextlib.suppress(OSError):
            self._control.recv(1)
        os._exit(1)


class Supervisor:
    """Starts workers, one after the other.

    Args:
        sock: Listens.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._worker = 0
        self._stopping = False
        self._ready = False

    def run(self) -> int | CallReport:
        """Serve until a signal comes; return the exit code of the last worker, or in a worker what it reports with."""
        for number in _SIGNALS:
            signal.signal(number, self._stop)
        outcome = self._keep_running()
        if isinstance(outcome, int):
            for number in _SIGNALS:
                # One that comes while the interpreter ends would turn a clean end into a killed one.
                signal.signal(number, signal.SIG_IGN)
        return outcome

    def _keep_running(self) -> int | CallReport:
        crashes_s: list[float] = []
        while True:
            code = self._run_worker()
            if not isinstance(code, int) or self._stopping or not self._ready or code == 0:
                return code
            now_s = time.monotonic()
            crashes_s = [at_s for at_s in crashes_s if now_s - at_s < _CRASHES_WITHIN_S] + [now_s]
            _say(f"the worker ended (exit code {code}): running calls are answered 500, as by Azure's host")
            if len(crashes_s) >= _MAX_CRASHES:
                _say(f"it ended {_MAX_CRASHES} times within a minute: Azure's host gives up then, and answers 503")
                return 1

    def _run_worker(self) -> int | CallReport:
        if self._stopping:
            return 0
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # A signal in between would reach neither of the two.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        self._worker = os.fork()
        if not self._worker:
            ours.close()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            return CallReport(theirs)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        theirs.close()
        with ours:
            calls = self._follow(ours)
            code = os.waitstatus_to_exitcode(os.waitpid(self._worker, 0)[1])
        self._worker = 0
        for connection in calls:
            with contextlib.suppress(OSError):
                os.write(connection, _LOST)
            _hang_up(connection)
        return code

    def _follow(self, control: socket.socket) -> list[int]:
        """Read the worker's reports until it ends; return the connections that still have a call."""
        calls: dict[int, int] = {}
        while True:
            message, connections, *_ = socket.recv_fds(control, _MESSAGE.size, 1)
            if not message:
                return list(calls.values())
            kind, number = _MESSAGE.unpack(message)
            if kind == _BEGAN:
                calls[number] = connections[0]
            elif kind == _ENDED and (connection := calls.pop(number, None)) is not None:
                os.close(connection)
            elif kind == _READY:
                self._ready = True

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        # What is handed down must be closed here, too, or the port would stay open while calls are finished.
        self._sock.close()
        if self._worker:
            os.kill(self._worker, signal.SIGTERM)


def _hang_up(connection: int) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=connection) as sock:
        sock.shutdown(socket.SHUT_RDWR)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
