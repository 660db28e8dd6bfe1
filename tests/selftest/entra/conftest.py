"""The emulated Entra, listening on a free loopback port."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from selftest.entra.server import EntraServer


@pytest.fixture
async def entra() -> AsyncIterator[EntraServer]:
    """Return an emulated Entra that listens."""
    async with EntraServer() as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a client."""
    async with aiohttp.ClientSession() as session:
        yield session
