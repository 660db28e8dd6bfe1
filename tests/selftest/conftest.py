"""Fixtures for the harness's tests."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from selftest.entra.server import EntraServer
from selftest.play.caller import caller_session


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Give the session that a caller needs."""
    async with caller_session() as session:
        yield session


@pytest.fixture
async def entra() -> AsyncIterator[EntraServer]:
    """Give an emulated Entra that listens."""
    async with EntraServer() as server:
        yield server
