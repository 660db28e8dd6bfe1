"""The verdict of ``check`` on an endpoint, as a reader sees it: the exit code and the first finding."""

import asyncio
import re
import sys
from dataclasses import dataclass
from typing import Final

from tests.checkout import ROOT
from tests.foreign.running import Endpoint

_FINDING: Final = re.compile(
    r"^(?:FAIL|ERROR|warn) +(?P<id>[A-Z]\d+) +(?P<sentence>.*?)  \((?P<level>[a-z-]+)", re.MULTILINE
)
_OTHERS: Final = re.compile(r"^also +[a-z-]+: (.*)$", re.MULTILINE)
#: The groups that call an endpoint which runs elsewhere; the load is not needed for a verdict on what it validates.
_GROUPS: Final = ("C", "T", "B")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What ``check`` said.

    Attributes:
        exit_code: 0 passed, 1 failed, 2 could not run, 3 not enough evidence.
        first: The first finding, with its id; None if there is none.
        level: The level of the first finding.
        report: The whole text.
    """

    exit_code: int
    first: str | None
    level: str | None
    report: str

    @property
    def counting(self) -> str | None:
        """Return the first finding if it is of a level that fails the run."""
        return self.first if self.level in {"sign-in", "security"} else None

    @property
    def others(self) -> set[str]:
        """Return the ids of the findings that are named only."""
        return {check for line in _OTHERS.findall(self.report) for check in line.split()}


async def check(url: str, authority_port: int, *more: str) -> Verdict:
    """Run ``check`` on an endpoint that was started for this port of the emulated Entra."""
    words = ("check", *_GROUPS, "--url", url, "--authority-port", str(authority_port), *more)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "selftest",
        *words,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    report = out.decode()
    found = _FINDING.search(report)
    return Verdict(
        exit_code=process.returncode if process.returncode is not None else -1,
        first=None if found is None else f"{found['id']} {found['sentence']}",
        level=None if found is None else found["level"],
        report=report + err.decode(),
    )


def log_of(endpoint: Endpoint) -> tuple[str, str]:
    """Return the arguments with which ``check`` reads what the endpoint writes."""
    return ("--app-log", str(endpoint.log))
