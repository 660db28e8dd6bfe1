"""From the lines of the raw file to the results: one function for a run that goes on and for one that is read again."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final, Literal

from selftest.load.measured.samples import LineError, number
from selftest.load.measured.summary import LoadRecord, summarise
from selftest.load.plan.profiles import LoadPlan
from selftest.load.plan.schedule import Segment
from selftest.report.document import ReportError, require_fit
from selftest.report.load_result import ColdStart, LoadConfig, LoadResult, MemorySample
from selftest.report.results import SCHEMA_VERSION, CheckResult, Results, SignInResult, decide

type RawLine = Mapping[str, Any]

#: What the first line has to hold, each with its definition in the schema.
_RUN_TEXTS: Final = ("tool", "environment", "target")


class Collector:
    """Takes lines in their order, and gives the results at any time.

    Kinds that it does not know are passed over: a newer version may write more.
    """

    def __init__(self) -> None:
        self._run: RawLine | None = None
        self._end: RawLine | None = None
        self._load: LoadRecord | None = None
        self._checks: list[CheckResult] = []
        self._signins: list[SignInResult] = []
        self._lines = 0

    def take(self, line: RawLine) -> None:
        """Take one line.

        Raises:
            ReportError: It is not what its kind has to be; the message names the member at fault.
        """
        self._lines += 1
        kind = line.get("kind")
        if self._run is None and kind != "run":
            raise ReportError("the first line should be of kind run: this is no raw file, or its beginning is missing")
        members = {name: value for name, value in line.items() if name != "kind"}
        try:
            self._take(kind, line, members)
        except LineError as error:
            raise ReportError(f"a line of kind {str(kind)[:20]} is broken: {error}") from error

    def _take(self, kind: object, line: RawLine, members: dict[str, Any]) -> None:
        match kind:
            case "call":
                self._loading("call").samples.take(line)
            case "run":
                self._run = _run_line(line)
            case "load":
                # A load that was played again: the last one counts. Cold starts stay, they are measured apart.
                again = self._load
                self._load = _load_line(line)
                if again is not None:
                    self._load.cold_starts = again.cold_starts
            case "load_end":
                loading = self._loading("load_end")
                loading.elapsed_s, loading.wall_s = number(line, "elapsed_s"), number(line, "wall_s")
            case "memory":
                require_fit(members, "memory")
                self._loading("memory").memory.append(MemorySample(**members))
            case "cold_start":
                require_fit(members, "cold_start")
                self._loading("cold_start").cold_starts.append(ColdStart(**members))
            case "end":
                number(line, "duration_s")
                self._end = line
            case "check" | "signin" as found:
                require_fit(members, found)
                self._take_found(found, members)

    def _take_found(self, kind: Literal["check", "signin"], members: dict[str, Any]) -> None:
        if kind == "check":
            self._checks.append(CheckResult(**members))
        else:
            self._signins.append(SignInResult(**{**members, "warnings": tuple(members["warnings"])}))

    def _loading(self, kind: str) -> LoadRecord:
        if self._load is None:
            raise LineError(f"{kind} stands before any line of kind load")
        return self._load

    def load(self) -> LoadResult | None:
        """Give what the load run has found so far; None where there is none."""
        return None if self._load is None else summarise(self._load)

    def results(self) -> Results:
        """Give the results of what was taken; without an end line they are those of an interrupted run.

        Raises:
            ReportError: Not even the first line was there.
        """
        if self._run is None:
            raise ReportError("it is empty; a raw file starts with a line of kind run")
        run, end, load = self._run, self._end, self.load()
        checks = tuple(sorted(self._checks, key=lambda check: (check.id[0], int(check.id[1:]))))
        signins = tuple(self._signins)
        cut_off = "what was found so far is kept"
        if end is None:
            cut_off = f"the raw file ends after {self._lines:,} lines without its end line"
        return Results(
            tool=dict(run["tool"]),
            environment=dict(run["environment"]),
            target=dict(run["target"]),
            started_at=run["started_at"],
            duration_s=self._seen_s() if end is None else end["duration_s"],
            strict=run["strict"],
            checks=checks,
            signins=signins,
            verdict=decide(
                checks,
                signins,
                load,
                strict=run["strict"],
                interrupted=end is None or end.get("interrupted") is not False,
                cut_off=cut_off,
            ),
            load=load,
        )

    def _seen_s(self) -> float:
        """Give how long the run took at least, where nobody wrote it down."""
        loading = self._load
        return 0.0 if loading is None else round(loading.samples.last_sent_s, 3)


def results_of(lines: Iterable[RawLine]) -> Results:
    """Make the results of a run from its lines.

    Raises:
        ReportError: A line is not what its kind has to be; the message names it.
    """
    collector = Collector()
    for count, line in enumerate(lines, start=1):
        try:
            collector.take(line)
        except ReportError as error:
            raise ReportError(f"line {count}: {error}") from error
    return collector.results()


def load_line(plan: LoadPlan, scheduled: int) -> dict[str, Any]:
    """Write the line that a load run starts with."""
    return {
        "kind": "load",
        "config": {each.name: getattr(plan.config, each.name) for each in fields(plan.config)},
        "segments": [[segment.rate_per_s, segment.duration_s] for segment in plan.segments],
        "confidence": plan.confidence,
        "scheduled": scheduled,
    }


def _run_line(line: RawLine) -> RawLine:
    version = line.get("schema_version")
    if not isinstance(version, str) or not version.startswith("1."):
        raise LineError(f"schema_version is {str(version)[:20]!r}, this version reads {SCHEMA_VERSION}")
    for name in _RUN_TEXTS:
        require_fit(line.get(name), "texts")
    if not isinstance(line.get("strict"), bool):
        raise LineError("strict should be true or false")
    try:
        dt.datetime.fromisoformat(line["started_at"])
    except (KeyError, TypeError, ValueError) as error:
        raise LineError("started_at should be a moment in ISO 8601") from error
    return line


def _load_line(line: RawLine) -> LoadRecord:
    config, segments = line.get("config"), line.get("segments")
    require_fit(config, "load_config")
    require_fit(segments, "load_segments")
    confidence = number(line, "confidence")
    if not 0 < confidence < 1:
        raise LineError("confidence should be between 0 and 1")
    if not isinstance(config, dict) or not isinstance(segments, list):
        raise LineError("config and segments should be there")
    plan = LoadPlan(
        config=LoadConfig(**config),
        segments=tuple(Segment(rate_per_s=rate_per_s, duration_s=duration_s) for rate_per_s, duration_s in segments),
        confidence=confidence,
    )
    return LoadRecord(plan=plan, scheduled=int(number(line, "scheduled")))
