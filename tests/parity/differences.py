"""Where the stand-in is known to differ from Microsoft's host: one table, from which the page is made."""

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
        row=13,
        probes=("path, /",),
        microsoft="`/` is a page of 150 kB",
        stand_in="a page of one line",
        reason="Both answer 200 whether or not the app was loaded, so the page says nothing about it.",
    ),
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
