"""The user's own thresholds for a load run, written as in k6: ``p95<300``, ``errors<1%``.

A time is in milliseconds or has a unit. A share is a fraction or a percentage: ``errors`` of the first calls that
failed or were not answered, ``missed`` of those and the late ones, ``lost`` of the sign-ins without a token.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from selftest.report.load_result import AttemptOutcome, LoadCounts, LoadThreshold, Percentiles
from selftest.report.units import milliseconds, percent

_PERCENTILES: Final[Mapping[str, str]] = {
    "p50": "p50_ms",
    "p90": "p90_ms",
    "p95": "p95_ms",
    "p99": "p99_ms",
    "p99.9": "p99_9_ms",
    "max": "max_ms",
}
#: The schema of the results file has the same pattern.
PATTERN: Final = (
    r"^((p50|p90|p95|p99|p99\.9|max)<=?[0-9]{1,9}(\.[0-9]{1,6})?(ms|s)?"
    r"|(errors|missed|lost)<=?[0-9]{1,9}(\.[0-9]{1,6})?%?)$"
)
_PARTS: Final = re.compile(r"(.+?)(<=?)([0-9.]+)(\D*)")
_FACTORS: Final[Mapping[str, float]] = {"": 1, "ms": 1, "s": 1000, "%": 0.01}


def threshold(text: str) -> str:
    """Return a threshold without the spaces and parentheses of k6's ``p(95) < 300``.

    Raises:
        ValueError: The text is not a threshold.
    """
    plain = re.sub(r"[\s()]", "", text)
    if re.match(PATTERN, plain) is None:
        raise ValueError(f"expected a threshold such as p95<300, p99.9<=1.5s, errors<1% or lost<=0, got {text!r}")
    return plain


def judged(
    expressions: tuple[str, ...],
    counts: LoadCounts,
    endings: Mapping[AttemptOutcome, int],
    latency: Percentiles | None,
) -> Iterator[LoadThreshold]:
    """Yield each threshold with the measured value; one without a value does not hold."""
    calls = counts.signins - counts.dropped
    shares = {
        "errors": (endings.get("failed", 0) + endings.get("unanswered", 0), calls),
        "missed": (counts.first_calls_missed, calls),
        "lost": (counts.signins - counts.minted, counts.signins),
    }
    for expression in expressions:
        parts = _PARTS.fullmatch(expression)
        assert parts is not None  # noqa: S101 - it was validated when it was read
        name, comparison, limit = parts[1], parts[2], float(parts[3]) * _FACTORS[parts[4]]
        value: float | None = None
        if name in shares:
            part, whole = shares[name]
            value = part / whole if whole else None
        elif latency is not None:
            value = getattr(latency, _PERCENTILES[name])
        held = value is not None and (value <= limit if comparison == "<=" else value < limit)
        shown = "no value" if value is None else percent(value) if name in shares else milliseconds(value)
        yield LoadThreshold(expression=expression, measured=shown, held=held)
