"""Read and write results files: written completely or not at all, and validated when they are read.

A file may come from another machine or another version. After validation a report can rely on every member.
"""

import json
from pathlib import Path
from typing import Final

from selftest.report.document import SCHEMA_PATH, ReportError, fitted, loads
from selftest.report.results import SCHEMA_MAJOR, SCHEMA_VERSION, Results

__all__ = ["SCHEMA_PATH", "ReportError", "dump", "parse", "read_stored", "write_results"]

#: Ten times the largest file so far.
MAX_FILE_BYTES: Final = 16 * 1024 * 1024


def write_results(path: Path, results: Results) -> None:
    """Write the file; a reader never sees part of it.

    Raises:
        OSError: The directory cannot be written to.
    """
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(dump(results), encoding="utf-8")
    partial.replace(path)


def dump(results: Results) -> str:
    """Return results as JSON text."""
    return json.dumps(results.as_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_stored(path: Path) -> Results:
    """Read a results file.

    Raises:
        OSError: The file cannot be read.
        ReportError: The file has other content.
    """
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ReportError(f"more than {MAX_FILE_BYTES} bytes; a results file has fewer")
    return parse(data)


def parse(data: bytes) -> Results:
    """Return the results in a JSON text.

    Raises:
        ReportError: The text is not JSON, or of another major version. The message names the first wrong member.
    """
    members = loads(data)
    if isinstance(members, dict) and not str(members.get("schema_version", SCHEMA_MAJOR)).startswith(SCHEMA_MAJOR):
        version = str(members["schema_version"])[:20]
        raise ReportError(
            f"schema_version is {version!r}, this version reads {SCHEMA_VERSION}; use the one that wrote it"
        )
    return fitted(members, Results)
