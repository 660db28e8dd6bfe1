"""Fixtures for the providers' tests."""

from collections.abc import AsyncIterator

import pytest

from claims.downstream.token_cache import DownstreamTokenCache
from tests.claims.providers.desk import Api, Issuer, cache_of, serving


@pytest.fixture
def issuer() -> Issuer:
    """Give an issuer of tokens that counts."""
    return Issuer()


@pytest.fixture
async def tokens(issuer: Issuer) -> AsyncIterator[DownstreamTokenCache]:
    """Give a token cache."""
    async with cache_of(issuer) as cache:
        yield cache


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """Give an API on loopback."""
    async with serving(Api()) as running:
        yield running
