"""The emulated Entra with people, apps and an extension, listening on a free loopback port."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import Directory
from selftest.signin.tenant.file import read_tenant_file
from tests.checkout import ROOT
from tests.clients.extension import Extension, running_extension
from tests.selftest.signin.plain_requests import Asking, Clock

SAMPLE = ROOT / "selftest" / "signin" / "tenant" / "sample.toml"


@pytest.fixture(scope="session")
def sample() -> Directory:
    """Return the tenant of the sample file."""
    return read_tenant_file(SAMPLE)


@pytest.fixture
async def extension() -> AsyncIterator[Extension]:
    """Return an extension that listens."""
    async with running_extension() as extension:
        yield extension


@pytest.fixture
def clock() -> Clock:
    """Return a clock that a test turns."""
    return Clock()


@pytest.fixture
async def asking(sample: Directory, extension: Extension, clock: Clock) -> AsyncIterator[Asking]:
    """Return a client of the emulated Entra with the sample tenant."""
    jar = aiohttp.CookieJar(unsafe=True)  # a cookie for 127.0.0.1 is kept
    async with (
        SignInServer(sample.with_target_url(extension.url), clock=clock) as server,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        yield Asking(server, session)
