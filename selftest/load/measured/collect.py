"""Makes results from the lines of the raw file, for a running run and for a stored one."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from selftest.load.measured.samples import LineError, number
from selftest.load.measured.summary import LoadRecord, summarize
from selftest.load.plan.profiles import LoadPlan
from selftest.load.plan.schedule import Segment
from selftest.report.decision import decide
from selftest.report.document import ReportError, fitted, require_fit
from selftest.report.load_result import CauseInLog, ColdStart, LoadConfig, LoadResult, MemorySample
from selftest.report.results import SCHEMA_MAJOR, SCHEMA_VERSION, CheckResult, Results, SignInResult

type RawLine = Mapping[str, Any]

#: The members of the first line that are objects of texts.
_RUN_TEXTS: Final = ("tool", "environment", "target")


class Collector:
    """Collects lines in their order, and makes the results at any time.

    Lines of unknown kinds are ignored, because a newer version may write more.
    """

    def __init__(self) -> None:
        self._run: RawLine | None = None
        self._end: RawLine | None = None
        self._load: LoadRecord | None = None
        self._checks: list[CheckResult] = []
        self._signins: list[SignInResult] = []
        self._lines = 0

    def take(self, line: RawLine) -> None:
        """Collect one line.

        Raises:
            ReportError: The line is invalid for its kind; the message names the member.
        """
        self._lines += 1
        kind = line.get("kind")
        if self._run is None and kind != "run":
            raise ReportError(
                "the first line should be of kind run: this is not a raw file, or its beginning is missing"
            )
        members = {name: value for name, value in line.items() if name != "kind"}
        try:
            self._take(kind, line, members)
        except LineError as error:
            raise ReportError(f"a line of kind {str(kind)[:20]} is invalid: {error}") from error

    def _take(self, kind: object, line: RawLine, members: dict[str, Any]) -> None:
        match kind:
            case "call":
                self._loading("call").samples.take(line)
            case "run":
                self._run = _run_line(line)
            case "load":
                # If a load was played again, the last one counts. Cold starts are kept; they are measured separately.
                kept = [] if self._load is None else self._load.cold_starts
                self._load = _load_line(line, kept)
            case "load_end" | "memory" | "cold_start" | "cause":
                self._take_of_load(kind, line, members)
            case "end":
                number(line, "duration_s")
                self._end = line
            case "check":
                self._checks.append(fitted(members, CheckResult, "check"))
            case "signin":
                self._signins.append(fitted(members, SignInResult, "signin"))

    def _take_of_load(self, kind: str, line: RawLine, members: dict[str, Any]) -> None:
        loading = self._loading(kind)
        match kind:
            case "memory":
                loading.memory.append(fitted(members, MemorySample, "memory"))
            case "cold_start":
                loading.cold_starts.append(fitted(members, ColdStart, "cold_start"))
            case "cause":
                loading.causes.append(fitted(members, CauseInLog, "cause"))
            case _:
                loading.elapsed_s, loading.wall_s = number(line, "elapsed_s"), number(line, "wall_s")

    def _loading(self, kind: str) -> LoadRecord:
        if self._load is None:
            raise LineError(f"{kind} comes before any line of kind load")
        return self._load

    def load(self) -> LoadResult | None:
        """Return the result of the load run so far, or None without a load run."""
        return None if self._load is None else summarize(self._load)

    def results(self) -> Results:
        """Return the results of the collected lines; without an end line, those of an interrupted run.

        Raises:
            ReportError: There is no line.
        """
        if self._run is None:
            raise ReportError("it is empty; a raw file starts with a line of kind run")
        run, end, load = self._run, self._end, self.load()
        checks = tuple(sorted(self._checks, key=lambda check: (check.id[0], int(check.id[1:]))))
        signins = tuple(self._signins)
        cut_off = "the results so far are kept"
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
        """Return the least duration of a run without an end line, in seconds."""
        loading = self._load
        return 0.0 if loading is None else round(loading.samples.last_sent_s, 3)


def results_of(lines: Iterable[RawLine]) -> Results:
    """Return the results of a run from its lines.

    Raises:
        ReportError: A line is invalid; the message has its number.
    """
    collector = Collector()
    for count, line in enumerate(lines, start=1):
        try:
            collector.take(line)
        except ReportError as error:
            raise ReportError(f"line {count}: {error}") from error
    return collector.results()


def load_line(plan: LoadPlan, scheduled: int) -> dict[str, Any]:
    """Return the first line of a load run."""
    return {
        "kind": "load",
        "config": {**asdict(plan.config), "thresholds": list(plan.config.thresholds)},
        "segments": [[segment.rate_per_s, segment.duration_s] for segment in plan.segments],
        "confidence": plan.confidence,
        "scheduled": scheduled,
    }


def _run_line(line: RawLine) -> RawLine:
    version = line.get("schema_version")
    if not isinstance(version, str) or not version.startswith(SCHEMA_MAJOR):
        raise LineError(f"schema_version is {str(version)[:20]!r}, this version reads {SCHEMA_VERSION}")
    for name in _RUN_TEXTS:
        require_fit(line.get(name), "texts")
    if not isinstance(line.get("strict"), bool):
        raise LineError("strict should be true or false")
    try:
        dt.datetime.fromisoformat(line["started_at"])
    except (KeyError, TypeError, ValueError) as error:
        raise LineError("started_at should be a time in ISO 8601") from error
    return line


def _load_line(line: RawLine, cold_starts: list[ColdStart]) -> LoadRecord:
    config = fitted(line.get("config"), LoadConfig, "load_config")
    segments = fitted(line.get("segments"), list[Any], "load_segments")
    confidence = number(line, "confidence")
    if not 0 < confidence < 1:
        raise LineError("confidence should be between 0 and 1")
    parts = tuple(Segment(rate_per_s=rate_per_s, duration_s=duration_s) for rate_per_s, duration_s in segments)
    plan = LoadPlan(config=config, segments=parts, confidence=confidence)
    return LoadRecord(plan=plan, scheduled=int(number(line, "scheduled")), cold_starts=cold_starts)
