"""A real browser for the pages of the harness: the Chromium of the system, driven by playwright.

Playwright's own browsers are not fetched. `CHROMIUM` names another executable than the one on the path.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, async_playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_QUIET: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
MISSING: Final = "no Chromium here: apt-get install chromium, or name one in CHROMIUM"


def executable() -> str | None:
    """Find the browser."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


@asynccontextmanager
async def chromium(path: str) -> AsyncIterator[Browser]:
    """Run it without a window, and without calling home."""
    # Root has no sandbox to run in; everybody else keeps theirs.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*_QUIET, *sandbox])
        try:
            yield browser
        finally:
            await browser.close()
