"""Faults of the emulated Graph, for which requests and how often.

A write can be interrupted before or after it is executed: the client cannot see the difference, and has to find out.

Source: microsoft-graph-docs ``concepts/throttling.md``, ``concepts/errors.md``; RFC 9110 section 10.2.3.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

type Manner = Literal["answer", "hang", "cut", "lose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFault:
    """One fault.

    Attributes:
        manner: ``answer``: the answer below, and nothing is executed. ``hang``: no answer. ``cut``: the connection
            closes, and nothing is executed. ``lose``: it is executed, and the connection closes before the answer.
        path: The start of the affected paths, below the version.
        method: Of the affected requests; None: all.
        skip: The number of such requests that succeed first.
        count: How often it happens; None: always.
        status: Of the answer.
        headers: Of the answer.
        body: Of the answer.
    """

    manner: Manner = "answer"
    path: str = "/"
    method: str | None = None
    skip: int = 0
    count: int | None = 1
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def refused(status: int, code: str, *, path: str = "/", method: str | None = None, count: int | None = 1) -> GraphFault:
    """Return an error as Graph writes one."""
    return GraphFault(path=path, method=method, count=count, status=status, body=_error(code))


def forbidden(path: str = "/", *, count: int | None = None) -> GraphFault:
    """Return 403 for any token: the account has no directory role."""
    return refused(403, "Authorization_RequestDenied", path=path, count=count)


def throttled(
    path: str = "/", *, retry_after: str = "1", method: str | None = None, count: int | None = 1
) -> GraphFault:
    """Return 429 with ``Retry-After`` (seconds, or a date)."""
    return GraphFault(
        path=path,
        method=method,
        count=count,
        status=429,
        headers={"Retry-After": retry_after},
        body=_error("TooManyRequests"),
    )


def garbage(path: str = "/", *, body: bytes = b"<h1>It works!</h1>", count: int | None = 1) -> GraphFault:
    """Return 200 with a body that is not JSON, as a proxy's page."""
    return GraphFault(path=path, count=count, status=200, headers={"Content-Type": "text/html"}, body=body)


def killed_after(requests: int, *, manner: Literal["cut", "lose"] = "cut") -> GraphFault:
    """Return a fault that closes every connection after this many requests."""
    return GraphFault(manner=manner, skip=requests, count=None)


class FaultPlan:
    """The planned faults, in the order of their addition; the first that matches a request happens."""

    def __init__(self) -> None:
        self._due: list[tuple[GraphFault, list[int]]] = []

    def add(self, *faults: GraphFault) -> None:
        """Add faults that happen from now on."""
        # For each: how many requests still succeed, and how often it happened.
        self._due += [(fault, [fault.skip, 0]) for fault in faults]

    def clear(self) -> None:
        """Remove all faults."""
        self._due.clear()

    def take(self, method: str, path: str) -> GraphFault | None:
        """Return the fault of this request, and count it."""
        for fault, counts in self._due:
            if not path.startswith(fault.path) or fault.method not in {None, method}:
                continue
            if counts[0] > 0:
                counts[0] -= 1
            elif fault.count is None or counts[1] < fault.count:
                counts[1] += 1
                return fault
        return None


def _error(code: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": "Played by the emulated Graph.", "innerError": {}}}).encode()
