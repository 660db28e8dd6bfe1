"""A real browser for the pages of the harness: the Chromium of the system, driven by playwright.

Playwright's own browsers are not fetched. `CHROMIUM` names another executable than the one on the path.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright

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


@contextmanager
def heard(page: Page) -> Iterator[tuple[list[str], list[str]]]:
    """Return what a page complains of, and the addresses that it asks for, until the block ends."""
    said: list[str] = []
    asked: list[str] = []
    listeners: dict[str, Any] = {
        "console": lambda message: said.append(message.text),
        "pageerror": lambda error: said.append(str(error)),
        "request": lambda request: asked.append(request.url),
    }
    for event, listener in listeners.items():
        page.on(event, listener)  # type: ignore[call-overload] # one of the events above
    try:
        yield said, asked
    finally:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
