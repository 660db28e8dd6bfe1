"""The deadline: an answer in time, whatever the provider does."""

import asyncio
import time
from collections.abc import Mapping

import pytest

from claims.deadline import provide_within
from claims.errors import ProviderFailed, ProviderLate

BUDGET_S = 0.02
#: The answer is due at the budget; a busy machine gets some more before the test calls it a hang.
GRACE_S = 0.5


async def test_gives_what_the_provider_gives() -> None:
    """A provider in time is answered with its claims."""

    async def provide() -> Mapping[str, object]:
        return {"a": 1}

    assert await provide_within(provide(), BUDGET_S) == {"a": 1}


async def test_slow_provider_is_late() -> None:
    """A provider that sleeps past the budget is left."""
    start_s = time.monotonic()
    with pytest.raises(ProviderLate):
        await provide_within(_sleep(30), BUDGET_S)
    assert time.monotonic() - start_s < BUDGET_S + GRACE_S


async def test_provider_that_swallows_cancellation_is_late_too() -> None:
    """Even a provider that will not be cancelled does not hold the answer back, nor does its end make noise."""
    ended = asyncio.Event()

    async def stubborn() -> Mapping[str, object]:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(BUDGET_S)
        ended.set()
        raise ValueError

    with pytest.raises(ProviderLate):
        await provide_within(stubborn(), BUDGET_S)
    assert not ended.is_set()
    await ended.wait()
    await asyncio.sleep(0)


async def test_no_budget_left() -> None:
    """With nothing left the provider is late at once."""
    with pytest.raises(ProviderLate):
        await provide_within(_sleep(30), 0)


async def test_cancelled_error_from_within() -> None:
    """A CancelledError that the provider raises itself is a failure like any other."""

    async def provide() -> Mapping[str, object]:
        raise asyncio.CancelledError

    with pytest.raises(ProviderFailed, match="provider_cancelled"):
        await provide_within(provide(), BUDGET_S)


async def test_failure_names_the_place_and_not_the_message() -> None:
    """The log can lead to the line without repeating what the provider was looking at."""

    async def provide() -> Mapping[str, object]:
        message = "no such user: someone@example.com"
        raise LookupError(message)

    with pytest.raises(ProviderFailed) as failed:
        await provide_within(provide(), BUDGET_S)
    assert "LookupError at test_deadline.py:" in failed.value.detail
    assert "someone" not in str(failed.value)


async def _sleep(seconds: float) -> Mapping[str, object]:
    await asyncio.sleep(seconds)
    return {}
