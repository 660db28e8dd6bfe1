"""Writes the picture of the report that the README shows: `python -m tests.browser.screenshots [RESULTS]`.

Without a results file the run is the made-up one of the tests, so that the picture is the same on every machine.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

from selftest.load.measured.results_file import read_results
from selftest.report.html.page import page as report_page
from selftest.report.stored import ReportError
from tests.browser.chromium import MISSING, chromium, executable
from tests.selftest.report.html import runs

_PICTURE: Final = Path(__file__).parents[2] / "docs" / "images" / "report.png"
_WIDTH_PX: Final = 1200
_HEIGHT_PX: Final = 1330


async def take(html: str, browser_path: str) -> None:
    """Take the top of the page, in light."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "report.html"
        file.write_text(html, encoding="utf-8")
        async with chromium(browser_path) as browser:
            view = await browser.new_page(
                viewport={"width": _WIDTH_PX, "height": _HEIGHT_PX}, color_scheme="light", java_script_enabled=False
            )
            await view.goto(file.as_uri())
            await view.screenshot(path=_PICTURE)


def main() -> int:
    """Read the results, if a file is named, and take the picture."""
    path = executable()
    try:
        results = read_results(Path(sys.argv[1])) if len(sys.argv) > 1 else runs.held()
    except ReportError as error:
        print(f"screenshots: {error}", file=sys.stderr)  # noqa: T201 - a command says why it cannot
        return 2
    if path is None:
        print(f"screenshots: {MISSING}", file=sys.stderr)  # noqa: T201 - the same
        return 2
    asyncio.run(take(report_page(results), path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
