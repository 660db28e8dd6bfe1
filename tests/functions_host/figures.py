"""What the endpoint does on Microsoft's host, as figures in docs/timing-budget.md.

``FUNCTIONS_HOST=… python -m tests.functions_host.figures`` runs all checks and a load of 200 a second for 20 s,
restarts the host under load, starts ten fresh processes, and writes what came out.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.server import EntraServer
from selftest.play.target import app_settings
from tests.checkout import ROOT
from tests.functions_host.microsoft_host import MicrosoftHost, copy_endpoint
from tests.functions_host.test_first_request import first_answers

_PAGE: Final = ROOT / "docs" / "timing-budget.md"
_FIGURES: Final = re.compile(
    r"(<!-- measured: python -m tests\.functions_host\.figures -->\n).*?(<!-- end -->)", re.DOTALL
)
_LOAD: Final = ("load", "--rate", "200", "--duration", "20s")
_RESTART_AFTER_S: Final = 8.0
#: Lines of a load's output that are figures.
_KEPT: Final = re.compile(r"^(PASS|FAIL|latency|.*sign-ins|.*minted|.*lost)", re.IGNORECASE)


def main() -> None:
    """Measure, and write the page."""
    lines = "\n".join(asyncio.run(_measured()))
    print(lines)  # noqa: T201 (a measurement prints its figures)
    _PAGE.write_text(_FIGURES.sub(lambda found: f"{found[1]}```text\n{lines}\n```\n{found[2]}", _PAGE.read_text()))


async def _measured() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        app = copy_endpoint(path / "app")
        async with EntraServer(DEFAULT_TENANT) as entra:
            settings, port = app_settings(entra), entra.authority_url.split(":")[2].split("/")[0]
        lines = []
        for words in (("check",), _LOAD):
            async with MicrosoftHost(settings, app_dir=app, state_dir=path, trace=False) as host:
                out = await asyncio.to_thread(_run, *words, "--url", host.url, "--authority-port", port)
            lines += [f"$ python -m selftest {' '.join(words)} --url …", *_figures(out)]
        lines += await _restarted(settings, app, path, port)
        lines.append("first request of ten fresh processes, with a data source that hangs, ms until 503:")
        try:
            answers = await first_answers(path)
            lines.append("  " + " ".join(f"{answer.latency_ms:.0f}" for answer in answers))
        except pytest.skip.Exception as busy:
            lines.append(f"  {busy}")
        return lines


async def _restarted(settings: dict[str, str], app: Path, path: Path, port: str) -> list[str]:
    """Replace the host while 50 sign-ins a second arrive: what the pause of one instance costs."""
    async with MicrosoftHost(settings, app_dir=app, state_dir=path, trace=False) as host:
        load = ("load", "--rate", "50", "--duration", "20s", "--url", host.url, "--authority-port", port)
        running = asyncio.create_task(asyncio.to_thread(_run, *load))
        await asyncio.sleep(_RESTART_AFTER_S)
        await host.stop()
        async with host:
            out = await running
    return [
        "$ python -m selftest load --rate 50 --duration 20s --url …  # the host is restarted meanwhile",
        *_figures(out),
    ]


def _run(*words: str) -> str:
    options = {"env": {**os.environ, "PYTHONPATH": str(ROOT)}, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "selftest", *words]
        return subprocess.run(command, cwd=folder, check=False, text=True, **options).stdout  # type: ignore[call-overload,no-any-return]  # noqa: S603


def _figures(output: str) -> Iterator[str]:
    return (f"  {line.strip()}" for line in output.splitlines() if _KEPT.match(line.strip()))


if __name__ == "__main__":
    main()
