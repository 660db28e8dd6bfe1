"""Waivers: known findings of an endpoint, reported and not counted, each with a reason and the day on which it ends.

A file is TOML::

    [[waiver]]
    check = "T96"
    reason = "the gateway compares tid; ticket 4711"
    until = 2027-03-31
"""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from selftest.base.bounded_file import decoded
from selftest.base.cannot_run import CannotRun
from selftest.checks.registry import REGISTRY
from selftest.report.results import CheckResult

MAX_FILE_BYTES: Final = 1024 * 1024
_UNKNOWN: Final = "it has a member that is not known; it may have [[waiver]] with check, reason and until"


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One known finding; it counts again on the day after ``until``."""

    check: str
    reason: str
    until: dt.date

    def __str__(self) -> str:
        return f"{self.reason} (until {self.until})"

    def applied_to(self, result: CheckResult, today: dt.date) -> CheckResult:
        """Return a failed result as a waived one, or, after its day, with the note that the waiver ended."""
        if not result.bad:
            return result
        if today > self.until:
            return replace(result, actual=f"{result.actual} (its waiver ended on {self.until}: {self.reason})")
        return replace(result, waiver=str(self))


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    waiver: tuple[Waiver, ...] = ()


def read_waivers(path: Path) -> Mapping[str, Waiver]:
    """Return the waivers of a file by the id of their check.

    Raises:
        CannotRun: The file cannot be read, is no such TOML, or names an unknown check or one check twice.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise CannotRun(f"{path} has more than {MAX_FILE_BYTES} bytes; a waiver file has fewer")
        found = msgspec.convert(tomllib.loads(decoded(data)), _File).waiver
    except (OSError, ValueError) as error:
        # msgspec repeats the name of a member that it does not know, which may be any text.
        why = _UNKNOWN if str(error).startswith("Object contains unknown field") else error
        raise CannotRun(f"{path} is no waiver file: {why}") from error
    waivers = {waiver.check: waiver for waiver in found}
    unknown = [check for check in waivers if check not in REGISTRY]
    if unknown:
        raise CannotRun(f"{path} waives {unknown[0]!r}, which is no check; `check --list` lists all")
    if len(waivers) < len(found):
        raise CannotRun(f"{path} waives one check twice")
    return waivers
