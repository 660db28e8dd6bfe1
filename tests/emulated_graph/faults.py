"""What goes wrong at the emulated Graph, for which requests and how often.

A write can be cut off before it is done or after: the program sees the same, and has to find out which it was.

Source: microsoft-graph-docs ``concepts/throttling.md``, ``concepts/errors.md``; RFC 9110 section 10.2.3.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

type Manner = Literal["answer", "hang", "cut", "lose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFault:
    """One thing that goes wrong.

    Attributes:
        manner: ``answer``: the answer below, and nothing is done. ``hang``: no answer. ``cut``: the connection closes,
            and nothing is done. ``lose``: it is done, and the connection closes before the answer.
        path: the start of the paths it happens at, below the version.
        method: of the requests it happens to; None: all.
        skip: so many such requests go well first.
        count: it happens so often; None: for ever.
        status: of the answer.
        headers: of the answer.
        body: of the answer.
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
    """Give an error as Graph writes one."""
    return GraphFault(path=path, method=method, count=count, status=status, body=_error(code))


def forbidden(path: str = "/", *, count: int | None = None) -> GraphFault:
    """Give 403, whatever the token says: the account has no directory role."""
    return refused(403, "Authorization_RequestDenied", path=path, count=count)


def throttled(
    path: str = "/", *, retry_after: str = "1", method: str | None = None, count: int | None = 1
) -> GraphFault:
    """Give 429 with ``Retry-After`` (seconds, or a date)."""
    return GraphFault(
        path=path,
        method=method,
        count=count,
        status=429,
        headers={"Retry-After": retry_after},
        body=_error("TooManyRequests"),
    )


def garbage(path: str = "/", *, body: bytes = b"<h1>It works!</h1>", count: int | None = 1) -> GraphFault:
    """Give 200 with what is no JSON, as a proxy's page is."""
    return GraphFault(path=path, count=count, status=200, headers={"Content-Type": "text/html"}, body=body)


def killed_after(requests: int, *, manner: Literal["cut", "lose"] = "cut") -> GraphFault:
    """Close every connection from this many requests on: for a program, the end of the world."""
    return GraphFault(manner=manner, skip=requests, count=None)


class FaultPlan:
    """The faults that are due, in the order in which they were added; the first that fits a request happens."""

    def __init__(self) -> None:
        self._due: list[tuple[GraphFault, list[int]]] = []

    def add(self, *faults: GraphFault) -> None:
        """Let faults happen from now on."""
        # For each: how many requests still go well, and how often it happened.
        self._due += [(fault, [fault.skip, 0]) for fault in faults]

    def clear(self) -> None:
        """Let everything go well."""
        self._due.clear()

    def take(self, method: str, path: str) -> GraphFault | None:
        """Give the fault of this request, and count it."""
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
