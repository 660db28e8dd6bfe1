"""The browser, started once a module. Its tests share the event loop of their module: `loop_scope="module"`."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.chromium import MISSING, chromium, executable


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Start the browser, or skip with the way to install one."""
    path = executable()
    if path is None:
        pytest.skip(MISSING)
    async with chromium(path) as started:
        yield started
