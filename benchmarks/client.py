"""The load process: sends sign-ins over its own connections and says how long each took.

It is a process of its own, so that what it measures is not held up by the emulated Entra or by the reading of logs, and
can be kept on a processor that the server does not use. One job a line comes in on stdin and one result a line goes
out on stdout, both JSON; `benchmarks.load` is the other end.

``closed``: each connection sends the next sign-in when the last is answered, which finds the highest rate.
``open``: sign-ins arrive by themselves, at random times around a fixed rate (a Poisson process, as independent users
are), and each is timed from the moment it was due, so that a server that stalls is charged for all who waited.

Latencies are in milliseconds. A sign-in is given up after two seconds, as Entra does. Linux only: arrivals are kept to
the microsecond by a timer of the kernel, where a selector would round them to milliseconds.
"""

import asyncio
import contextlib
import json
import os
import random
import re
import sys
import time
from collections import Counter
from typing import Any, Final, Self

TIMEOUT_S: Final = 2.0
#: Open connections; a sign-in that is due when all are waiting is counted as unanswered.
_MAX_CONNECTIONS: Final = 900
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"
_ACTION: Final = b"provideClaimsForToken"
#: Makes each correlation id a GUID.
_GUID_TAIL: Final = "4000-8000"


class _Kind:
    """One kind of sign-in: what is sent, what is expected, what was received."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.accepted: bool = job["accepted"]
        event: str = job["body"]
        head, tail = event.encode().split(b"CORRELATION-ID")
        self._tail = tail
        length = len(head) + 36 + len(tail)
        lines = (
            "POST /api/onTokenIssuanceStart HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {job['token']}",
            "Content-Type: application/json",
            f"Content-Length: {length}",
        )
        self._head = "\r\n".join((*lines, "", "")).encode() + head
        self.latencies_ms: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.wrong = 0

    def request(self, run: int, number: int) -> bytes:
        """Return a sign-in with a unique correlation id."""
        return self._head + f"{run:08x}-0000-{_GUID_TAIL}-{number:012x}".encode() + self._tail

    def answered(self, status: int, body: bytes, latency_ms: float) -> None:
        """Record a response; status 0 for none."""
        self.latencies_ms.append(round(latency_ms, 3))
        self.statuses[status] += 1
        good = status == 200 and _ACTION in body
        # A sign-in that must be refused needs a refusal: a server error is none.
        self.wrong += not good if self.accepted else status not in {401, 403}

    def result(self) -> dict[str, Any]:
        """Return what was received."""
        return {
            "accepted": self.accepted,
            "latencies_ms": self.latencies_ms,
            "statuses": dict(self.statuses),
            "wrong": self.wrong,
        }


class _Connection(asyncio.Protocol):
    """One connection, with at most one sign-in under way."""

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._kind: _Kind | None = None
        self._due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (what a TCP connection has)
        self._transport = transport

    def send(self, kind: _Kind, request: bytes, due_s: float) -> None:
        """Send a sign-in that was due at this time."""
        assert self._transport is not None  # noqa: S101 (connected before it is used)
        self._kind, self._due_s = kind, due_s
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(max(loop.time(), due_s + TIMEOUT_S), self._transport.abort)
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read a response, and end the sign-in when it is complete."""
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        found = _LENGTH.search(self._buffer, 0, head_end + 2)
        # An answer without a length is chunked, as every answer of Microsoft's host is; nothing comes after its end.
        if len(self._buffer) < head_end + 4 + int(found[1]) if found else not self._buffer.endswith(_LAST_CHUNK):
            return
        status, body, self._buffer = int(self._buffer[9:12]), self._buffer[head_end + 4 :], b""
        self._end(status, body)
        self._load.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the sign-in in progress as unanswered."""
        del exc
        self._load.lost(self)
        if self._kind is not None:
            self._end(0, b"")

    def close(self) -> None:
        """Close."""
        if self._transport is not None:
            self._transport.abort()

    def _end(self, status: int, body: bytes) -> None:
        assert self._kind is not None  # noqa: S101 (nobody sends without having been asked)
        if self._timer is not None:
            self._timer.cancel()
        kind, self._kind = self._kind, None
        kind.answered(status, body, (asyncio.get_running_loop().time() - self._due_s) * 1000)
        self._load.ended()


class _Load:
    """One job under way."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._port: int = job["port"]
        self._run: int = job["run"]
        self._rng = random.Random(job["run"])  # noqa: S311 (arrivals, not secrets)
        self._kinds = {name: _Kind(kind) for name, kind in job["kinds"].items()}
        self._weights = [kind["weight"] for kind in job["kinds"].values()]
        self._job = job
        self._loop = asyncio.get_running_loop()
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._number = 0
        self._under_way = 0
        self._late_ms: list[float] = []
        self._closed_until_s = 0.0
        self._last = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        """Do the job and give its result."""
        start_s, start_cpu_s = time.perf_counter(), time.process_time()
        if self._job["mode"] == "closed":
            await self._closed()
        else:
            await self._open()
        wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - start_cpu_s
        self._last.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT_S + 0.5 if self._under_way else 0):
                await self._last.wait()
        for connection in list(self._all):
            connection.close()
        return {
            "kinds": {name: kind.result() for name, kind in self._kinds.items()},
            "wall_s": wall_s,
            "client_cpu_s": cpu_s,
            "late_ms": sorted(self._late_ms)[int(len(self._late_ms) * 0.99)] if self._late_ms else 0.0,
        }

    def free(self, connection: _Connection) -> None:
        """Take back a connection whose sign-in is answered."""
        if self._loop.time() < self._closed_until_s:
            self._send(connection, self._loop.time())
        else:
            self._idle.append(connection)

    def lost(self, connection: _Connection) -> None:
        """Forget a connection."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def ended(self) -> None:
        """Count a sign-in that is over."""
        self._under_way -= 1
        if not self._under_way:
            self._last.set()

    async def _closed(self) -> None:
        duration_s: float = self._job["duration_s"]
        self._closed_until_s = self._loop.time() + duration_s
        for _ in range(self._job["connections"]):
            self._under_way += 1
            await self._connect_and_send(self._loop.time())
        await asyncio.sleep(self._closed_until_s - self._loop.time())

    async def _open(self) -> None:
        due_s = self._loop.time()
        end_s = due_s + self._job["duration_s"]
        with _Alarm(self._loop) as alarm:
            while (due_s := due_s + self._rng.expovariate(self._job["rate"])) < end_s:
                await alarm.until(due_s)
                self._late_ms.append((self._loop.time() - due_s) * 1000)
                self._arrived(due_s)

    def _arrived(self, due_s: float) -> None:
        if self._idle:
            self._send(self._idle.pop(), due_s)
        elif self._under_way >= _MAX_CONNECTIONS:
            self._choose().answered(0, b"", TIMEOUT_S * 1000)
        else:
            self._under_way += 1
            task = asyncio.create_task(self._connect_and_send(due_s))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect_and_send(self, due_s: float) -> None:
        _, connection = await self._loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
        self._all.add(connection)
        self._under_way -= 1
        self._send(connection, due_s)

    def _send(self, connection: _Connection, due_s: float) -> None:
        self._under_way += 1
        self._number += 1
        kind = self._choose()
        connection.send(kind, kind.request(self._run, self._number), due_s)

    def _choose(self) -> _Kind:
        kinds = list(self._kinds.values())
        return kinds[0] if len(kinds) == 1 else self._rng.choices(kinds, self._weights)[0]


class _Alarm:
    """Waits until a moment on the loop's clock, which is CLOCK_MONOTONIC."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._fd = os.timerfd_create(time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)
        self._rung = asyncio.Event()

    def __enter__(self) -> Self:
        self._loop.add_reader(self._fd, self._ring)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    async def until(self, moment_s: float) -> None:
        """Wait; not at all when the moment has passed."""
        if moment_s <= self._loop.time():
            return
        self._rung.clear()
        os.timerfd_settime(self._fd, flags=os.TFD_TIMER_ABSTIME, initial=moment_s)
        await self._rung.wait()

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._fd, 8)
            self._rung.set()


def main() -> None:
    """Do jobs until stdin ends."""
    for line in sys.stdin:
        print(json.dumps(asyncio.run(_do(json.loads(line)))), flush=True)


async def _do(job: dict[str, Any]) -> dict[str, Any]:
    return await _Load(job).run()


if __name__ == "__main__":
    main()
