"""A player with the sample tenant: with a copy of the app, or with nobody at the other end."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from selftest.playground.player import SignInPlayer
from selftest.signin.tenant.directory import Directory
from selftest.signin.tenant.file import read_tenant_file
from tests.checkout import ROOT
from tests.selftest.failing_providers import copy_app


@pytest.fixture(scope="session")
def sample() -> Directory:
    """Return the tenant of the sample file."""
    return read_tenant_file(ROOT / "selftest" / "signin" / "tenant" / "sample.toml")


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    """Return a copy of the app."""
    return copy_app(tmp_path)


@pytest.fixture
async def nowhere(sample: Directory) -> AsyncIterator[SignInPlayer]:
    """Return a player whose endpoint does not listen: enough for whatever does not ask it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/api/onTokenIssuanceStart"
        async with SignInPlayer(sample, app_dir=None, url=url) as player:
            yield player
