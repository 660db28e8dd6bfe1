"""Fixtures for the endpoint's tests."""

from collections.abc import AsyncIterator

import pytest

from claims.settings.authority import Authority
from claims.token import key_document
from claims.token import keys as keys_module
from claims.token.keys import SigningKeys
from tests.claims.site import AUTHORITY, TENANT_ID, Clock, Site


@pytest.fixture(autouse=True)
def _load_in_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no load of signing keys fail because the machine is busy."""
    monkeypatch.setattr(key_document, "LOAD_TIMEOUT_S", 60.0)
    monkeypatch.setattr(keys_module, "LOAD_TIMEOUT_S", 60.0)


@pytest.fixture
def site() -> Site:
    """Return an authority's documents in memory."""
    return Site()


@pytest.fixture
def clock() -> Clock:
    """Return a clock that moves only by `tick`."""
    return Clock()


@pytest.fixture
async def keys(site: Site, clock: Clock) -> AsyncIterator[SigningKeys]:
    """Return the signing keys of the site, not yet loaded."""
    signing_keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], site, clock=clock, sleep=clock.sleep)
    yield signing_keys
    await signing_keys.aclose()
