"""The browser, started once a module. Its tests share the event loop of their module: `loop_scope="module"`.

They share a tab as well, where they can: another one costs as much as loading the largest page four times.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.browser.chromium import MISSING, chromium, executable


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Start the browser, or skip with the way to install one."""
    path = executable()
    if path is None:
        pytest.skip(MISSING)
    async with chromium(path) as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(browser: Browser) -> AsyncIterator[Page]:
    """Open the tab that the tests of a module share."""
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()
