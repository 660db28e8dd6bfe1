"""How a command ends: one of four words, each with its exit code."""

from collections.abc import Mapping
from typing import Final, Literal

from selftest.base.cannot_run import FAILED, INTERRUPTED, NOT_ENOUGH_EVIDENCE, PASSED

type RunOutcome = Literal["PASS", "FAIL", "INCONCLUSIVE", "INTERRUPTED"]

EXIT_CODES: Final[Mapping[RunOutcome, int]] = {
    "PASS": PASSED,
    "FAIL": FAILED,
    "INCONCLUSIVE": NOT_ENOUGH_EVIDENCE,
    "INTERRUPTED": INTERRUPTED,
}
