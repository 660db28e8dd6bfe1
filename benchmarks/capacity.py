"""Capacity: what the measured figures mean for instances and GB-seconds of Azure's Flex Consumption plan.

``python -m benchmarks.capacity`` reads results.md and writes the tables of docs/capacity.md again.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Final, Self

from benchmarks.servers import OURS, ROOT
from benchmarks.table import RESULTS

PAGE: Final = ROOT / "docs" / "capacity.md"
_BLOCK: Final = re.compile(r"(<!-- computed: python -m benchmarks\.capacity -->\n).*?(<!-- end -->)", re.DOTALL)

#: The defaults of infra/main.bicep.
CONCURRENCY: Final = 16
ALWAYS_READY: Final = 2
MEMORY_GB: Final = 2.0
#: Source: Learn ``flex-consumption-plan`` ("Instance sizes", "Billing", "Regional subscription memory quotas").
CORES: Final = 1.0
SHORTEST_ACTIVITY_S: Final = 1.0
QUOTA_CORES: Final = 250
#: Source: Learn ``external-id/customers/reference-service-limits``: over all extensions of an external tenant.
EXTERNAL_TENANT_RATE: Final = 50.0

#: Of a processor, so that an instance still answers in time when its neighbor is replaced.
BUSY_SHARE: Final = 0.6
#: Of a day's sign-ins, in its busiest hour; and the busiest second over that hour's mean.
BUSIEST_HOUR: Final = 0.2
BUSIEST_SECOND: Final = 2.0
DAYS: Final = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
DATA_SOURCES_MS: Final = (20, 100, 500, 1_000)
#: The data source of the table of days.
_TYPICAL_MS: Final = 100
_DAY_S: Final = 86_400


class NotMeasured(Exception):
    """A figure is not in the results; the message says which part measures it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the computation needs of the results, in milliseconds.

    Attributes:
        cpu_ms: Processor time for each sign-in, of everything that runs on an instance.
        own_ms: The endpoint's own time at the median.
        cold_ms: From the start of the process to its first good answer.
        says: Where they come from.
    """

    cpu_ms: float
    own_ms: float
    cold_ms: float
    says: str

    @classmethod
    def of(cls, results: str) -> Self:
        """Read the results of the benchmarks.

        Raises:
            NotMeasured: A part that is always measured is missing.
        """
        worker_ms = _figure(results, "endpoint", "CPU ms each")
        own_ms = _figure(results, "endpoint", "p50 ms at 100/s")
        cold_ms = _figure(results, "cold-start", "first answer ms")
        cpu_ms, says = worker_ms, "the worker library alone; HOST=… measures Microsoft's host, too"
        with suppress(NotMeasured):
            of_host = [_figure(results, "microsoft-host", column) for column in ("worker CPU us", "host CPU us")]
            cpu_ms, says = sum(of_host) / 1000, "Microsoft's host and its worker"
        with suppress(NotMeasured):
            cpu_ms += _figure(results, "real-downstream", "CPU ms each") - worker_ms
            says += ", with a call of an API"
        return cls(cpu_ms, own_ms, cold_ms, says)

    def by_cpu(self) -> float:
        """Return the sign-ins a second that an instance's processor allows."""
        return BUSY_SHARE * CORES * 1000 / self.cpu_ms

    def by_concurrency(self, source_ms: float) -> float:
        """Return the sign-ins a second that the concurrency setting allows (Little's law)."""
        return CONCURRENCY * 1000 / (source_ms + self.own_ms)

    def of_instance(self, source_ms: float) -> float:
        """Return the sign-ins a second of one instance."""
        return min(self.by_cpu(), self.by_concurrency(source_ms))


def tables(results: str) -> str:
    """Return the computed part of the page.

    Raises:
        NotMeasured: See `Measured.of`.
    """
    measured = Measured.of(results)
    return "\n".join(
        (
            f"Processor time for each sign-in: {measured.cpu_ms:.2f} ms ({measured.says}).",
            f"The endpoint's own time at the median: {measured.own_ms:.1f} ms.",
            f"From the start of a process to its first answer: {measured.cold_ms:.0f} ms.",
            "",
            *_rows(
                ("data source answers in", "by processor", f"by {CONCURRENCY} at once", "sign-ins/s of an instance"),
                (_instance_row(measured, source_ms) for source_ms in DATA_SOURCES_MS),
            ),
            "",
            *_rows(
                (
                    "sign-ins a day",
                    "busiest second",
                    "instances",
                    "may meet a new instance",
                    "GB-s a day, always ready",
                    "GB-s a day, active, at most",
                    "limits",
                ),
                (_day_row(measured, a_day) for a_day in DAYS),
            ),
            "",
        )
    )


def _instance_row(measured: Measured, source_ms: float) -> tuple[str, ...]:
    rates = measured.by_cpu(), measured.by_concurrency(source_ms), measured.of_instance(source_ms)
    return f"{source_ms:,} ms", *(f"{rate:,.0f}" for rate in rates)


def _day_row(measured: Measured, a_day: int) -> tuple[str, ...]:
    peak = a_day * BUSIEST_HOUR / 3600 * BUSIEST_SECOND
    instances = max(ALWAYS_READY, ceil(peak / measured.of_instance(_TYPICAL_MS)))
    active_gb_s = min(a_day * SHORTEST_ACTIVITY_S, instances * _DAY_S) * MEMORY_GB
    limits = [
        *(["over an external tenant's 50 a second"] if peak > EXTERNAL_TENANT_RATE else []),
        *([f"over a region's {QUOTA_CORES} cores"] if instances * CORES > QUOTA_CORES else []),
    ]
    return (
        f"{a_day:,}",
        f"{peak:,.1f}/s",
        f"{instances:,}",
        f"{(instances - ALWAYS_READY) * CONCURRENCY:,}",
        f"{ALWAYS_READY * MEMORY_GB * _DAY_S:,.0f}",
        f"{active_gb_s:,.0f}",
        ", ".join(limits) or "none",
    )


def _rows(columns: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join('---:' for _ in columns)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _figure(results: str, part: str, column: str) -> float:
    """Return this endpoint's figure of the first table of a part that has such a column."""
    found = re.search(rf"<!-- {part} -->\n(.*?)<!-- end of {part} -->", results, re.DOTALL)
    columns: list[str] = []
    for line in found[1].splitlines() if found else ():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if column in cells:
            columns = cells
        elif columns and cells[0] == OURS.title:
            return float(cells[columns.index(column)])
    raise NotMeasured(f"no '{column}' in the results: run python -m benchmarks {part}")


def main() -> int:
    """Write the page again. Exit code 0; 2 when a part of the results is missing."""
    try:
        computed = tables(RESULTS.read_text(encoding="utf-8"))
    except NotMeasured as error:
        print(error, file=sys.stderr)
        return 2
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), computed), encoding="utf-8")
    return 0


def written(page: str, computed: str) -> str:
    """Return the page with its computed part replaced."""
    return _BLOCK.sub(lambda found: f"{found[1]}{computed}{found[2]}", page)


if __name__ == "__main__":
    sys.exit(main())
