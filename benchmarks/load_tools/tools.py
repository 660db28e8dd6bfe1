"""The load tools that are held against the truth: how each is started for one rate, and how its answer is read.

Each is set up as its own documentation has it for a rate that is known and a latency that is expected: connections or
users by Little's law, and half as many again. That is what people do, and it is what hides a stall: when every
connection waits, nobody sends what was due.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final

from benchmarks.rounds import percentile

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parents[1]
PATH: Final = "/api/onTokenIssuanceStart"
#: What a user of these tools expects before the run, and what the server takes but for its stall.
EXPECTED_LATENCY_S: Final = 0.2
BUDGET_MS: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a tool is asked to do.

    Attributes:
        base_url: of the server.
        body: a file with the event.
    """

    base_url: str
    rate_per_s: float
    duration_s: int
    body: Path

    @property
    def connections(self) -> int:
        """Return rate times expected latency, plus a half."""
        return ceil(self.rate_per_s * EXPECTED_LATENCY_S * 1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What a tool says. None: it does not.

    Attributes:
        calls: how many it made.
        p99_ms: its 99th percentile.
        over_budget: how many calls took longer than 2,000 ms.
        lateness: how late it was in sending, in its own terms.
        lateness_p99_ms: the same as a number.
    """

    calls: int
    p99_ms: float
    over_budget: int | None
    lateness: str = ""
    lateness_p99_ms: float | None = None


class AbsentError(Exception):
    """The tool is not installed; the message says what would install it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One load tool.

    Attributes:
        name: in the table.
        command: for a job, with what it adds to the environment.
        read: its answer, from its standard output and the job.

    Raises:
        AbsentError: by ``command``.
    """

    name: str
    command: Callable[[Job], tuple[Sequence[str], dict[str, str]]]
    read: Callable[[str, Job], Reported]


def _nearest_rank_of_counts(buckets: Sequence[tuple[float, int]], percent: float) -> float:
    """Return a percentile of a histogram in ascending order."""
    rank = ceil(sum(count for _, count in buckets) * percent / 100)
    for value, count in buckets:
        rank -= count
        if rank <= 0:
            return value
    return 0.0


def _found(name: str, advice: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise AbsentError(f"not installed: {advice}")
    return path


def _locust() -> str:
    path = Path(os.environ.get("LOCUST", _ROOT / ".venv-bench" / "bin" / "locust"))
    if not path.exists():
        raise AbsentError("not installed: make .venv-bench")
    return str(path)


def _engine_command(job: Job) -> tuple[Sequence[str], dict[str, str]]:
    url = job.base_url + PATH
    command = (sys.executable, "-m", "benchmarks.load_tools.engine", url, "--rate", str(job.rate_per_s))
    return (*command, "--duration-s", str(job.duration_s), "--body", str(job.body)), {"PYTHONPATH": str(_ROOT)}


def _engine_read(output: str, _: Job) -> Reported:
    said = json.loads(output)
    latencies_ms = said["latencies_ms"]
    lateness_p99_ms = percentile(said["late_ms"], 99)
    return Reported(
        calls=len(latencies_ms),
        p99_ms=percentile(latencies_ms, 99),
        over_budget=sum(latency_ms > BUDGET_MS for latency_ms in latencies_ms),
        lateness=f"p99 {lateness_p99_ms:.1f} ms",
        lateness_p99_ms=lateness_p99_ms,
    )


def _locustfile_command(job: Job) -> tuple[Sequence[str], dict[str, str]]:
    options = ("--rate", str(job.rate_per_s), "--retries", "0", "--host", job.base_url + PATH)
    return _locust_headless(job, _ROOT / "selftest" / "load" / "locustfile.py", *options), {"ENTRA_TOKEN": "none"}


def _paced_command(job: Job) -> tuple[Sequence[str], dict[str, str]]:
    users = str(job.connections)
    options = ("--users", users, "--spawn-rate", users, "--host", job.base_url)
    environment = {
        "TRUTH_RATE_PER_USER": str(job.rate_per_s / job.connections),
        "TRUTH_BODY": str(job.body),
        "TRUTH_PATH": PATH,
    }
    return _locust_headless(job, _HERE / "locustfile.py", *options), environment


def _locust_headless(job: Job, locustfile: Path, *options: str) -> Sequence[str]:
    how = ("--headless", "--only-summary", "--json", "--loglevel", "ERROR", "--run-time", f"{job.duration_s}s")
    return (_locust(), "--locustfile", str(locustfile), *how, *options)


def _locust_read(output: str, _: Job) -> Reported:
    """Read Locust's own histogram, whose buckets above one second are 100 ms wide."""
    rows, _end = json.JSONDecoder().raw_decode(output[output.index("[") :])
    row = next(row for row in rows if row["name"] == "callout")
    buckets = sorted((float(bucket_ms), count) for bucket_ms, count in row["response_times"].items())
    late = re.search(r"(\d+) sent more than (\d+) ms late", output)
    over = sum(count for bucket_ms, count in buckets if bucket_ms > BUDGET_MS)
    return Reported(
        calls=row["num_requests"],
        p99_ms=_nearest_rank_of_counts(buckets, 99),
        over_budget=row["num_failures"] if late else over,
        lateness=f"{late[1]} over {late[2]} ms" if late else "",
    )


def _hey_command(job: Job) -> tuple[Sequence[str], dict[str, str]]:
    load = ("-z", f"{job.duration_s}s", "-c", str(job.connections), "-q", str(job.rate_per_s / job.connections))
    what = ("-m", "POST", "-T", "application/json", "-D", str(job.body), "-o", "csv")
    return (_found("hey", "apt-get install hey"), *load, *what, job.base_url + PATH), {}


def _hey_read(output: str, _: Job) -> Reported:
    latencies_ms = [float(line.split(",", 1)[0]) * 1000 for line in output.splitlines()[1:] if line]
    return Reported(
        calls=len(latencies_ms),
        p99_ms=percentile(latencies_ms, 99),
        over_budget=sum(latency_ms > BUDGET_MS for latency_ms in latencies_ms),
    )


def _wrk_command(job: Job) -> tuple[Sequence[str], dict[str, str]]:
    # wrk has no rate: as many connections as make the rate at the expected latency.
    connections = max(1, round(job.rate_per_s * EXPECTED_LATENCY_S))
    load = ("-t1", f"-c{connections}", f"-d{job.duration_s}s", "--timeout", "10s")
    script = ("-s", str(_HERE / "wrk.lua"))
    return (_found("wrk", "apt-get install wrk"), *load, *script, job.base_url + PATH), {"TRUTH_BODY": str(job.body)}


def _wrk_read(output: str, _: Job) -> Reported:
    line = next(line for line in output.splitlines() if line.startswith("distribution "))
    pairs = json.loads(line.removeprefix("distribution "))
    return Reported(
        calls=sum(count for _, count in pairs),
        p99_ms=_nearest_rank_of_counts(pairs, 99) / 1000,
        over_budget=sum(count for value_us, count in pairs if value_us > BUDGET_MS * 1000),
    )


ENGINE: Final = Tool(name="this load engine", command=_engine_command, read=_engine_read)
LOCUSTFILE: Final = Tool(name="Locust, this locustfile", command=_locustfile_command, read=_locust_read)
TOOLS: Final = (
    ENGINE,
    LOCUSTFILE,
    Tool(name="Locust, paced users", command=_paced_command, read=_locust_read),
    Tool(name="hey", command=_hey_command, read=_hey_read),
    Tool(name="wrk", command=_wrk_command, read=_wrk_read),
)
