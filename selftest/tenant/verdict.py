"""The verdict of a command that examines a tenant, and the exit code and the color that belong to it."""

from typing import Final, Literal

from selftest.base.cannot_run import FAILED, NOT_ENOUGH_EVIDENCE, PASSED

type TenantVerdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]

EXIT_CODES: Final[dict[TenantVerdict, int]] = {"PASS": PASSED, "FAIL": FAILED, "INCONCLUSIVE": NOT_ENOUGH_EVIDENCE}
COLORS: Final[dict[TenantVerdict, str]] = {"PASS": "green", "FAIL": "red", "INCONCLUSIVE": "yellow"}
