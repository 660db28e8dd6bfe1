"""Fixtures for the endpoint's tests."""

from collections.abc import AsyncIterator

import pytest

from claims.settings.authority import Authority
from claims.token.keys import SigningKeys
from tests.claims.site import AUTHORITY, TENANT_ID, Clock, Site


@pytest.fixture
def site() -> Site:
    """Give an authority's documents in memory."""
    return Site()


@pytest.fixture
def clock() -> Clock:
    """Give a clock that moves only when told."""
    return Clock()


@pytest.fixture
async def keys(site: Site, clock: Clock) -> AsyncIterator[SigningKeys]:
    """Give the signing keys of the site, not yet loaded."""
    signing_keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], site, clock=clock, sleep=clock.sleep)
    yield signing_keys
    await signing_keys.aclose()
