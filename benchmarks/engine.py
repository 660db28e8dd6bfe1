"""The load engine beside other load tools: does each tell the truth of a server whose latency is known?

`benchmarks.truth` measures and judges; this makes it a part of the results.
"""

from typing import Final

from benchmarks import truth
from benchmarks.table import Must, Part, Table

_METHOD: Final = """\
Each tool is run against a server of known latency, on a processor of its own, set up as its documentation has it for a
known rate and an expected latency. The truth is what somebody meets who comes when the schedule says, whether or not
the tool managed to send then."""


def part() -> Part:
    """Measure, as a part of the results."""
    rows = truth.measure()
    claims = truth.claims(rows)
    return Part(
        name="engine",
        title="Load tools against the truth",
        method=_METHOD,
        tables=(Table(title="", columns=truth.COLUMNS, rows=tuple(row.cells() for row in rows)),),
        musts=tuple(
            Must(
                says=claim.says,
                measured=claim.measured,
                limit=claim.limit,
                judged=claim.holds or not claim.of_machine,
            )
            for claim in claims
        ),
    )
