"""Where the stand-in is like Microsoft's host and where it differs: the tables from which the page is made."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Difference:
    """Probes that the two hosts answer differently.

    Attributes:
        row: Of the differences that were measured on Microsoft's host.
        probes: By name; each must still differ.
        microsoft: What Microsoft's host does.
        stand_in: What ``selftest host`` does.
        reason: Why that is so, and what it means for an app.
    """

    row: int
    probes: tuple[str, ...]
    microsoft: str
    stand_in: str
    reason: str


DIFFERENCES: Final[tuple[Difference, ...]] = (
    Difference(
        row=12,
        probes=("header folded", "body, the same length twice"),
        microsoft="A header that is continued on a second line and a repeated Content-Length are 400",
        stand_in="reads both",
        reason="h11, which reads the requests, allows them. No client of Entra's sends either.",
    ),
    Difference(
        row=12,
        probes=("HTTP/1.0", "nothing, then an end"),
        microsoft="500 with the customHeaders to HTTP/1.0 without a Host; waits for a request after an empty line",
        stand_in="500 without them; 400",
        reason="Only a program that is not an HTTP client sends this.",
    ),
)

#: By row, what both hosts do; each is played by the parity suite.
IMITATED: Final[tuple[tuple[int, str], ...]] = (
    (1, "Drops log records that are written while no function runs; the local host shows them, marked."),
    (2, "1,000 threads for synchronous handlers, unless `PYTHON_THREADPOOL_THREAD_COUNT` says otherwise."),
    (
        3,
        "A Content-Length too short: 500; too long: a cut answer. A function sets Transfer-Encoding: an endless body.",
    ),
    (3, "Any status that is a number goes out; a header that HTTP cannot carry: 500."),
    (
        4,
        "An app that cannot be imported is not served. The local host ends with exit code 2 and says what Azure shows.",
    ),
    (
        5,
        "Refused at the start, with what Azure would do: a route with a slash at an end, or that begins with admin.",
    ),
    (
        5,
        "The same: one route of two functions, a prefix with a slash, a wrong functionTimeout or version in host.json.",
    ),
    (6, "Comments and a last comma in host.json, `{x:length(2,3)}`, `{x=5}`."),
    (7, "functionTimeout: 500, and another worker."),
    (8, "A crash of the worker: 500 to running calls, and another worker; the third within a minute stops the host."),
    (9, "After SIGTERM the port is closed and running calls have 30 seconds."),
    (10, "Headers over 32 KiB, or more than 100: 431; a request line over 8 KiB: 414; a body over the limit: 500."),
    (11, "host.json's customHeaders, also on 404."),
    (12, "Requests that are not HTTP: an empty answer with `Server: Kestrel`, and the connection closed."),
    (
        13,
        "Answers are chunked; `/` is 200; `/admin`, `/runtime` are 401; an empty header next to a full one is dropped.",
    ),
)
#: By row, what only Microsoft's host does, and why.
NOT_IMITATED: Final[tuple[tuple[int, str, str], ...]] = (
    (
        1,
        "print and stderr are Information of the host, which host.json may hide",
        "the local host shows what is printed",
    ),
    (4, "404 on every route, or no answer, where an app cannot be imported", "a message and exit code 2 help more"),
    (
        10,
        "A body slower than 240 bytes a second is reset, a head slower than 30 s is 408",
        "no caller of an app does so",
    ),
    (11, "maxConcurrentRequests and maxOutstandingRequests", "the endpoint has a limit of its own"),
    (13, "The page at `/` has 150 kB", "one line says as much: both answer 200 whether or not the app was loaded"),
    (14, "App Service Authentication, with `WEBSITE_AUTH_ENABLED`", "it is not in the public source"),
)
