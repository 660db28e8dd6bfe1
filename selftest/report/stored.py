"""Results in a file: written whole or not at all, and believed only when they fit the schema.

A file may come from another machine or another version, so what is read is checked first, and a report that is made
from it can rely on every member.
"""

import json
import math
from pathlib import Path
from typing import Any, Final, Never

from jsonschema import Draft202012Validator

from selftest.report.results import SCHEMA_VERSION, CheckResult, Results, SignInResult, Verdict

SCHEMA_PATH: Final = Path(__file__).with_name("results.schema.json")
#: Ten times the largest run so far; more is not a results file.
MAX_FILE_BYTES: Final = 16 * 1024 * 1024


class ReportError(ValueError):
    """Raised when a file holds no results; the message says where in it and what was expected."""


def write_results(path: Path, results: Results) -> None:
    """Write the file; a reader never sees half of it.

    Raises:
        OSError: The directory cannot be written to.
    """
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(dump(results), encoding="utf-8")
    partial.replace(path)


def dump(results: Results) -> str:
    """Write results as JSON text."""
    return json.dumps(results.as_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_results(path: Path) -> Results:
    """Read a results file.

    Raises:
        ReportError: There is no such file, or it holds something else.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise ReportError(f"{path} has more than {MAX_FILE_BYTES} bytes; a results file has fewer")
    try:
        return parse(data)
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error


def parse(data: bytes) -> Results:
    """Read results from JSON text.

    Raises:
        ReportError: It is not JSON, or not of schema version 1; the message names the first member at fault.
    """
    try:
        members = json.loads(data, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"not JSON: {error}") from error
    if isinstance(members, dict) and not str(members.get("schema_version", "1.")).startswith("1."):
        version = str(members["schema_version"])[:20]
        raise ReportError(
            f"schema_version is {version!r}, this version reads {SCHEMA_VERSION}; use the one that wrote it"
        )
    validator = Draft202012Validator(json.loads(SCHEMA_PATH.read_bytes()))
    fault = min(validator.iter_errors(members), key=lambda error: list(map(str, error.absolute_path)), default=None)
    if fault is not None:
        raise ReportError(f"{fault.json_path}: {fault.message[:200]}")
    return _build(members)


def _build(members: dict[str, Any]) -> Results:
    return Results(
        **{
            **members,
            "checks": tuple(CheckResult(**check) for check in members["checks"]),
            "signins": tuple(
                SignInResult(**{**signin, "warnings": tuple(signin["warnings"])}) for signin in members["signins"]
            ),
            "verdict": Verdict(**members["verdict"]),
        }
    )


def _no_constant(name: str) -> Never:
    raise ValueError(f"the constant {name}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]}")
    return number
