"""The verdict of ``check`` on an endpoint, as a reader sees it: the exit code and the first finding."""

import asyncio
import io
import json
import re
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from selftest.cli import main
from tests.foreign.running import Endpoint

_FINDING: Final = re.compile(
    r"^(?:FAIL|ERROR|warn) +(?P<id>[A-Z]\d+) +(?:expected: )?(?P<sentence>.*?)  \((?P<level>[a-z-]+)", re.MULTILINE
)
#: The groups that call an endpoint which runs elsewhere; the load is not needed for a verdict on what it validates.
GROUPS: Final = ("C", "T", "B")
#: The checks that tell the usual mistakes apart, for a run that has no time for all.
USUAL: Final = ("C0", "C97", "B80", "T01", "T80", "T88", "T100", "T101", "T111", "T113", "T115", "T120")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``check`` said.

    Attributes:
        exit_code: 0 passed, 1 failed, 2 could not run, 3 not enough evidence.
        first: The first finding, with its id; None if there is none.
        level: The level of the first finding.
        failed: The ids of the checks that failed, whatever their level.
        passed: The ids of those that passed; the others were not checked.
        report: The whole text, and the results as JSON.
    """

    exit_code: int
    first: str | None
    level: str | None
    failed: frozenset[str]
    passed: frozenset[str]
    report: str

    @property
    def counting(self) -> str | None:
        """Return the first finding if it is of a level that fails the run."""
        return self.first if self.level in {"sign-in", "security"} else None


async def check(url: str, authority_port: int, folder: Path, *more: str, groups: Sequence[str] = GROUPS) -> Verdict:
    """Run ``check`` on an endpoint that was started for this port of the emulated Entra; write into a folder."""
    results = folder / "results.json"
    results.unlink(missing_ok=True)
    target = ("--url", url, "--authority-port", str(authority_port))
    words = ("check", *groups, *target, "--json", str(results), *more)
    exit_code, report, said = await _run(*words)
    found = _FINDING.search(report)
    stored = results.read_text() if results.exists() else "{}"
    checks = json.loads(stored).get("checks", [])
    return Verdict(
        exit_code=exit_code,
        first=None if found is None else f"{found['id']} {found['sentence']}",
        level=None if found is None else found["level"],
        failed=frozenset(check["id"] for check in checks if check["status"] in {"fail", "error"}),
        passed=frozenset(check["id"] for check in checks if check["status"] == "pass"),
        report=report + said + stored,
    )


async def signs_in(url: str, authority_port: int) -> bool:
    """Return whether a sign-in at the endpoint gets its token."""
    exit_code, _, _ = await _run("signin", "--url", url, "--authority-port", str(authority_port))
    return exit_code == 0


async def _run(*words: str) -> tuple[int, str, str]:
    """Run a command in a thread: starting a process for it costs as much as most of its checks."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        exit_code = await asyncio.to_thread(main, words)
    return exit_code, out.getvalue(), err.getvalue()


def log_of(endpoint: Endpoint) -> tuple[str, str]:
    """Return the arguments with which ``check`` reads what the endpoint writes."""
    return ("--app-log", str(endpoint.log))
