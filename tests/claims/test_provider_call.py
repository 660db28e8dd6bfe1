"""The provider's work: an answer in time whatever it does, done once however often the event is delivered."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest

from claims.errors import KeysUnavailable, Overloaded, ProviderFailed, ProviderLate
from claims.event import TokenIssuanceStart, parse_event
from claims.provider import ProviderContext
from claims.provider_call import JOIN_S, ProviderWork
from claims.request_log import RequestRecord
from tests.claims.site import Clock, good_event

BUDGET_MS = 20
#: The answer is due at the budget; a busy machine gets some more before the test calls it a hang.
GRACE_S = 0.5
OTHER = "99999999-9999-4999-8999-999999999999"


class Scripted:
    """A provider that does what a test says, and counts."""

    def __init__(self) -> None:
        self.calls = 0
        self.script: Callable[[], Awaitable[Mapping[str, object]]] = _claims

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Follow the script."""
        del event
        self.calls += 1
        assert context.remaining_s() > BUDGET_MS / 1000
        return await self.script()


async def _claims() -> Mapping[str, object]:
    return {"a": 1}


def _event(correlation_id: str | None = None, /, **context: object) -> TokenIssuanceStart:
    event = good_event()
    event["data"]["authenticationContext"] |= context
    if correlation_id:
        event["data"]["authenticationContext"]["correlationId"] = correlation_id
    return parse_event(json.dumps(event).encode())


def _record(budget_ms: int = BUDGET_MS) -> RequestRecord:
    return RequestRecord(budget_ms=budget_ms, clock=time.monotonic, cold=False)


@pytest.fixture
def provider() -> Scripted:
    """Give a provider to script."""
    return Scripted()


@pytest.fixture
async def work(provider: Scripted) -> AsyncIterator[ProviderWork]:
    """Give the provider's work, two at once."""
    made = ProviderWork(provider, budget_ms=BUDGET_MS, max_running=2, clock=time.monotonic)
    yield made
    await made.aclose()


def _sleeping(seconds: float) -> Callable[[], Awaitable[Mapping[str, object]]]:
    async def script() -> Mapping[str, object]:
        await asyncio.sleep(seconds)
        return {"slept": seconds}

    return script


async def test_gives_what_the_provider_gives(work: ProviderWork) -> None:
    """A provider in time is answered with its claims."""
    assert await work.claims(_event(), _record()) == {"a": 1}


async def test_slow_provider_is_late(work: ProviderWork, provider: Scripted) -> None:
    """A provider that sleeps past the budget is left."""
    provider.script = _sleeping(30)
    start_s = time.monotonic()
    with pytest.raises(ProviderLate):
        await work.claims(_event(), _record())
    assert time.monotonic() - start_s < BUDGET_MS / 1000 + GRACE_S


async def test_second_delivery_joins_the_work_under_way(work: ProviderWork, provider: Scripted) -> None:
    """What the first delivery could not wait for, the second one gets; the provider is asked once."""
    provider.script = _sleeping(2.5 * BUDGET_MS / 1000)
    with pytest.raises(ProviderLate):
        await work.claims(_event(), _record())
    record = _record(budget_ms=500)
    assert "slept" in await work.claims(_event(), record)
    assert record.joined
    assert provider.calls == 1


async def test_second_delivery_joins_finished_work(provider: Scripted) -> None:
    """A finished answer is given again for a few seconds, and no longer."""
    clock = Clock()
    work = ProviderWork(provider, budget_ms=BUDGET_MS, max_running=2, clock=clock)
    for _ in range(3):
        await work.claims(_event(), _record())
    assert provider.calls == 1
    await clock.tick(JOIN_S)
    record = _record()
    await work.claims(_event(), record)
    assert (provider.calls, record.joined) == (2, False)


@pytest.mark.parametrize(
    "change",
    [
        {"correlationId": OTHER},
        {"user": None},
        {"user": {"id": OTHER}},
        {"clientServicePrincipal": None},
        {"clientServicePrincipal": {"appId": OTHER}},
        {"resourceServicePrincipal": None},
        {"resourceServicePrincipal": {"appId": OTHER}},
    ],
    ids=lambda change: str(change)[:40],
)
async def test_another_event_is_no_second_delivery(
    change: dict[str, object], work: ProviderWork, provider: Scripted
) -> None:
    """Another sign-in, user or resource is asked about anew: nobody gets another's claims."""
    await work.claims(_event(), _record())
    record = _record()
    await work.claims(_event(**change), record)
    assert (provider.calls, record.joined) == (2, False)


async def test_failure_is_not_joined(work: ProviderWork, provider: Scripted) -> None:
    """After a failure the second delivery tries again."""

    async def broken() -> Mapping[str, object]:
        raise LookupError

    provider.script = broken
    with pytest.raises(ProviderFailed):
        await work.claims(_event(), _record())
    provider.script = _claims
    assert await work.claims(_event(), _record()) == {"a": 1}


async def test_work_is_given_up_at_last(
    work: ProviderWork, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that no delivery can use any more is cancelled."""
    monkeypatch.setattr(work, "_limit_s", 0.03)
    ended = asyncio.Event()

    async def endless() -> Mapping[str, object]:
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()
        return {}

    provider.script = endless
    monkeypatch.setattr(Scripted, "provide", lambda self, _event, _context: self.script())
    with pytest.raises(ProviderLate):
        await work.claims(_event(), _record(budget_ms=500))
    assert ended.is_set()


async def test_stubborn_provider_is_late_too(
    work: ProviderWork, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a provider that will not be cancelled holds no answer back, and its end makes no noise."""
    monkeypatch.setattr(work, "_limit_s", 0.03)
    monkeypatch.setattr(Scripted, "provide", lambda self, _event, _context: self.script())
    ended = asyncio.Event()

    async def stubborn() -> Mapping[str, object]:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)
        ended.set()
        raise ValueError

    provider.script = stubborn
    with pytest.raises(ProviderLate):
        await work.claims(_event(), _record())
    assert not ended.is_set()
    await ended.wait()
    await asyncio.sleep(0)


async def test_no_budget_left(work: ProviderWork, provider: Scripted) -> None:
    """With nothing left the provider is late at once."""
    provider.script = _sleeping(30)
    record = RequestRecord(budget_ms=0, clock=time.monotonic, cold=False)
    with pytest.raises(ProviderLate):
        await work.claims(_event(), record)


async def test_cancelled_error_from_within(work: ProviderWork, provider: Scripted) -> None:
    """A CancelledError that the provider raises itself is a failure like any other."""

    async def cancelled() -> Mapping[str, object]:
        raise asyncio.CancelledError

    provider.script = cancelled
    with pytest.raises(ProviderFailed, match="provider_cancelled"):
        await work.claims(_event(), _record())


async def test_timeout_of_its_own_is_no_lateness(work: ProviderWork, provider: Scripted) -> None:
    """A provider whose own time-out fires has failed; the budget had nothing to do with it."""

    async def impatient() -> Mapping[str, object]:
        raise TimeoutError

    provider.script = impatient
    with pytest.raises(ProviderFailed, match="TimeoutError"):
        await work.claims(_event(), _record())


async def test_own_code_of_a_failure_is_kept(work: ProviderWork, provider: Scripted) -> None:
    """A provider may say itself what failed."""

    async def unavailable() -> Mapping[str, object]:
        raise KeysUnavailable("downstream_status")

    provider.script = unavailable
    with pytest.raises(KeysUnavailable, match="downstream_status"):
        await work.claims(_event(), _record())


async def test_failure_names_the_place_and_not_the_message(work: ProviderWork, provider: Scripted) -> None:
    """The log can lead to the line without repeating what the provider was looking at."""

    async def broken() -> Mapping[str, object]:
        message = "no such user: someone@example.com"
        raise LookupError(message)

    provider.script = broken
    with pytest.raises(ProviderFailed) as failed:
        await work.claims(_event(), _record())
    assert "LookupError at test_provider_call.py:" in failed.value.detail
    assert "someone" not in str(failed.value)


async def test_too_many_at_once_are_refused(work: ProviderWork, provider: Scripted) -> None:
    """One event more than the limit is refused at once; a second delivery of one under way is not."""
    provider.script = _sleeping(0.05)
    first = [asyncio.create_task(work.claims(_event(), _record(500)))]
    first += [asyncio.create_task(work.claims(_event(OTHER), _record(500)))]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await work.claims(_event("88888888-8888-4888-8888-888888888888"), _record())
    assert "slept" in await work.claims(_event(OTHER), _record(500))
    await asyncio.gather(*first)
    assert provider.calls == 2
