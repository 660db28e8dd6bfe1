"""A server whose latency is known, to hold load tools against: ``python -m benchmarks.load_tools.server``.

It answers every POST with the same good claims after a fixed time, and can stall once: what arrives in the stall is
answered at its end. It notes when each request arrived and when its answer was written, and prints both as JSON when
its standard input ends. One protocol object a connection and no framework, so that at 1,000 requests a second its own
delay stays below a millisecond.
"""

import argparse
import asyncio
import json
import sys
from typing import Final

from claims.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE

_BODY: Final = json.dumps(
    {
        "data": {
            "@odata.type": RESPONSE_DATA_TYPE,
            "actions": [{"@odata.type": PROVIDE_CLAIMS_ACTION, "claims": {"CustomRoles": ["Writer"]}}],
        }
    }
).encode()
_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + str(len(_BODY)).encode() + b"\r\n\r\n"
) + _BODY
_LENGTH: Final = b"\r\ncontent-length:"


class Plan:
    """When each answer is due, and what was seen.

    Args:
        latency_s: of every answer.
        stall_at_s: when the stall begins, counted from the first request.
        stall_s: The length of the stall; 0 for none.

    Attributes:
        seen: arrival and end of each request, in seconds from the first arrival.
    """

    def __init__(self, *, latency_s: float, stall_at_s: float, stall_s: float) -> None:
        self._latency_s = latency_s
        self._stall_at_s = stall_at_s
        self._stall_s = stall_s
        self._first_s: float | None = None
        self.seen: list[tuple[float, float]] = []

    def since_first(self, now_s: float) -> float:
        """Turn the loop's time into seconds from the first request, which this may be."""
        if self._first_s is None:
            self._first_s = now_s
        return now_s - self._first_s

    def waits_s(self, arrival_s: float) -> float:
        """Return how long a request that arrives at a time waits for its response."""
        stall_end_s = self._stall_at_s + self._stall_s
        if self._stall_at_s <= arrival_s < stall_end_s:
            return stall_end_s - arrival_s
        return self._latency_s


class _Connection(asyncio.Protocol):
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._pending = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what a TCP server makes
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while (size_bytes := _request_bytes(self._pending)) and len(self._pending) >= size_bytes:
            del self._pending[:size_bytes]
            arrival_s = self._plan.since_first(self._loop.time())
            self._loop.call_later(self._plan.waits_s(arrival_s), self._answer, arrival_s)

    def _answer(self, arrival_s: float) -> None:
        self._transport.write(_ANSWER)
        self._plan.seen.append((arrival_s, self._plan.since_first(self._loop.time())))


def _request_bytes(data: bytearray) -> int:
    """Return the size of the first request; 0 while its head is incomplete."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head = bytes(data[:end]).lower() + b"\r\n"
    at = head.find(_LENGTH)
    return end + 4 + (int(head[at + len(_LENGTH) : head.index(b"\r\n", at + 2)]) if at >= 0 else 0)


async def _serve(plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(plan), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(plan.seen))


def main() -> None:
    """Print the port, serve until standard input ends, and print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load_tools.server")
    parser.add_argument("--latency-s", type=float, default=0.2)
    parser.add_argument("--stall-at-s", type=float, default=0.0)
    parser.add_argument("--stall-s", type=float, default=0.0)
    args = parser.parse_args()
    asyncio.run(_serve(Plan(latency_s=args.latency_s, stall_at_s=args.stall_at_s, stall_s=args.stall_s)))


if __name__ == "__main__":
    main()
