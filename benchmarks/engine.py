"""Compare the load engine with other load tools: does each report the true latency of a server that has a known one?

`benchmarks.load_tools.truth` measures and judges; this module makes it a part of the results.
"""

from typing import Final

from benchmarks.load_tools import truth
from benchmarks.table import Part, Table

_METHOD: Final = """\
Each tool runs against a server of known latency, each on its own processor, configured as its documentation says for a
known rate and an expected latency. The truth is the latency from when a call is due, whether or not the tool sent it
then."""


def part() -> Part:
    """Measure, and return the part of the results."""
    rows = truth.measure()
    return Part(
        name="engine",
        title="Load tools against the truth",
        method=_METHOD,
        tables=(Table(title="", columns=truth.COLUMNS, rows=tuple(row.cells() for row in rows)),),
        musts=tuple(truth.musts(rows)),
    )
