"""The emulated Entra, listening on a free loopback port: alone, and with people, apps and an extension."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from selftest.entra.directory import Directory
from selftest.entra.server import EntraServer
from selftest.entra.sign_in_server import SignInServer
from selftest.entra.tenant_file import read_tenant_file
from selftest.target import APP_DIR
from tests.clients.extension import Extension, running_extension
from tests.selftest.entra.asking import Asking, Clock

SAMPLE = Path(APP_DIR) / "selftest" / "tenant.sample.toml"


@pytest.fixture
async def entra() -> AsyncIterator[EntraServer]:
    """Give an emulated Entra that listens."""
    async with EntraServer() as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(scope="session")
def sample() -> Directory:
    """Give the tenant of the sample file."""
    return read_tenant_file(SAMPLE)


@pytest.fixture
async def extension() -> AsyncIterator[Extension]:
    """Give an extension that listens."""
    async with running_extension() as extension:
        yield extension


@pytest.fixture
def clock() -> Clock:
    """Give a clock that a test turns."""
    return Clock()


@pytest.fixture
async def asking(sample: Directory, extension: Extension, clock: Clock) -> AsyncIterator[Asking]:
    """Give a client of the emulated Entra with the sample tenant."""
    jar = aiohttp.CookieJar(unsafe=True)  # a cookie for 127.0.0.1 is kept
    async with (
        SignInServer(sample.aimed_at(extension.url), clock=clock) as server,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        yield Asking(server, session)
