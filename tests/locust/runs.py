"""Runs Locust in its own process, because it patches the standard library on import."""

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LOCUSTFILE = ROOT / "selftest" / "load" / "locustfile.py"
EXECUTABLE = Path(os.environ.get("LOCUST", ROOT / ".venv-bench" / "bin" / "locust"))

#: Secrets and settings of whoever runs the tests stay out of them.
_FOREIGN = ("ENTRA_", "LOCUST_")
_TIMEOUT_S = 30

_ROW = re.compile(r"^(?:POST|ENTRA) +(?P<name>[a-z-]+) +(?P<requests>\d+) +(?P<failures>\d+)\(", re.MULTILINE)
_ERROR = re.compile(r"^(?P<count>\d+) +(?:POST|ENTRA) (?P<name>[a-z-]+): (?P<code>\d+) ", re.MULTILINE)

needs_locust = pytest.mark.skipif(
    not EXECUTABLE.exists(),
    reason="Locust is not installed: make .venv-bench, or name the executable in LOCUST",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of Locust's table."""

    requests: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The result of a run.

    Attributes:
        output: Its output.
        page: The HTML report.
        rows: The rows by name: callout, retry, sign-in.
        codes: How often each code was counted, by the name of the row and the code.
    """

    exit_code: int
    output: str
    page: str
    rows: dict[str, Row]
    codes: dict[tuple[str, str], int]

    @property
    def verdict(self) -> str:
        """Return the line of the verdict."""
        return next(line for line in self.output.splitlines() if line.startswith(("PASS", "FAIL", "INCONCLUSIVE")))


async def locust(folder: Path, *arguments: str, environ: dict[str, str] | None = None, generous: bool = True) -> Run:
    """Run Locust headless and return its result.

    Args:
        folder: An empty folder for its files.
        arguments: The arguments of its command line.
        environ: The environment; an invalid token if it is None.
        generous: Whether to accept a late generator, because the machine is busy with tests.
    """
    page = folder / "page.html"
    patience = ("--max-lateness-ms", "1000") if generous else ()
    command = ("--headless", "--html", str(page), "--only-summary", *patience, *arguments)
    process = await start(*command, environ={"ENTRA_TOKEN": "not-a-token"} if environ is None else environ)
    exit_code, output = await end_of(process)
    return Run(
        exit_code=exit_code,
        output=output,
        page=page.read_text() if page.exists() else "",
        rows={
            row["name"]: Row(requests=int(row["requests"]), failures=int(row["failures"]))
            for row in _ROW.finditer(output)
        },
        codes={(error["name"], error["code"]): int(error["count"]) for error in _ERROR.finditer(output)},
    )


async def start(*arguments: str, environ: dict[str, str]) -> asyncio.subprocess.Process:
    """Start Locust with the locustfile of this checkout."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return await asyncio.create_subprocess_exec(
        *(str(EXECUTABLE), "--locustfile", str(LOCUSTFILE), *arguments),
        env={**inherited, **environ},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def end_of(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """Wait for the end and return exit code and output; a process that hangs is killed, and the test fails."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output.decode()
