"""Read and write results files: written completely or not at all, and validated when they are read.

A file may come from another machine or another version. After validation a report can rely on every member.
"""

import json
from pathlib import Path
from typing import Any, Final

from selftest.report.document import SCHEMA_PATH, ReportError, loads, require_fit
from selftest.report.load_result import (
    ColdStart,
    LoadConfig,
    LoadCounts,
    LoadFault,
    LoadResult,
    MemorySample,
    Percentiles,
    Point,
    RateStep,
    Slice,
    TimingPhase,
)
from selftest.report.results import SCHEMA_MAJOR, SCHEMA_VERSION, CheckResult, Results, RunVerdict, SignInResult

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
    require_fit(members)
    return _build(members)


def _build(members: dict[str, Any]) -> Results:
    load = members.get("load")
    return Results(
        **{
            **members,
            "checks": tuple(CheckResult(**check) for check in members["checks"]),
            "signins": tuple(
                SignInResult(**{**signin, "warnings": tuple(signin["warnings"])}) for signin in members["signins"]
            ),
            "verdict": RunVerdict(**members["verdict"]),
            "load": None if load is None else _build_load(load),
        }
    )


def _build_load(members: dict[str, Any]) -> LoadResult:
    def several[T](name: str, build: type[T]) -> tuple[T, ...]:
        return tuple(build(**each) for each in members[name])

    percentiles = {
        name: None if members[name] is None else Percentiles(**members[name])
        for name in ("latency", "missed_latency", "service", "lateness", "warmup")
    }
    return LoadResult(
        **{
            **members,
            **percentiles,
            "config": LoadConfig(**members["config"]),
            "counts": LoadCounts(**members["counts"]),
            "curve": tuple((share, ms) for share, ms in members["curve"]),
            "faults": several("faults", LoadFault),
            "points": several("points", Point),
            "slices": several("slices", Slice),
            "phases": several("phases", TimingPhase),
            "steps": several("steps", RateStep),
            "memory": several("memory", MemorySample),
            "cold_starts": several("cold_starts", ColdStart),
        }
    )
