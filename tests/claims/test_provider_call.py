"""The call of the provider: an answer in time whatever it does, done once however often the event is delivered."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NoReturn

import pytest

from claims.errors import Overloaded, ProviderFailed, ProviderLate, TokenUnavailable
from claims.event import TokenIssuanceStart, parse_event
from claims.measurements import Measurements
from claims.provider import ProviderContext
from claims.provider_call import JOIN_S, Delivery, Outcome, ProviderCalls
from claims.reply import Reply
from tests.claims.site import Clock, good_event

BUDGET_MS = 20
#: The answer is due at the budget; a busy machine gets some more before the test calls it a hang.
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


def _measured(budget_ms: int = BUDGET_MS) -> Measurements:
    return Measurements(budget_ms=budget_ms, clock=time.monotonic)


def _claims_of(outcome: Outcome) -> dict[str, object]:
    assert isinstance(outcome, Reply), outcome
    claims = json.loads(outcome.body)["data"]["actions"][0]["claims"]
    assert isinstance(claims, dict)
    return claims


async def _outcome(
    calls: ProviderCalls, event: TokenIssuanceStart | None = None, budget_ms: int = BUDGET_MS
) -> Outcome:
    return (await calls.deliver(event or _event(), _measured(budget_ms))).outcome


@pytest.fixture
def provider() -> Scripted:
    """Give a provider to script."""
    return Scripted()


@pytest.fixture
async def calls(provider: Scripted) -> AsyncIterator[ProviderCalls]:
    """Give the calls of the provider, two at once."""
    made = ProviderCalls(provider, budget_ms=BUDGET_MS, max_running=2, clock=time.monotonic)
    yield made
    await made.aclose()


def _sleeping(seconds: float) -> Callable[[], Awaitable[Mapping[str, object]]]:
    async def script() -> Mapping[str, object]:
        await asyncio.sleep(seconds)
        return {"slept": seconds}

    return script


async def test_returns_what_the_provider_returns(calls: ProviderCalls) -> None:
    """A provider in time is answered with its claims."""
    assert _claims_of(await _outcome(calls)) == {"a": "1"}


async def test_the_whole_budget_is_the_providers_where_nobody_looks(provider: Scripted) -> None:
    """The time before the end is kept for a look at a shared cache, and there is none."""
    provider.script = _sleeping(0.02)
    calls = ProviderCalls(provider, budget_ms=10_000, max_running=1, clock=time.monotonic, slow_s=10)
    assert _claims_of(await _outcome(calls, budget_ms=10_000)) == {"slept": "0.02"}
    await calls.aclose()


async def test_the_end_of_the_call_wakes_every_delivery(calls: ProviderCalls, provider: Scripted) -> None:
    """None waits for the end of its budget."""
    provider.script = _sleeping(0.05)
    async with asyncio.timeout(20):
        outcomes = await asyncio.gather(*(_outcome(calls, budget_ms=60_000) for _ in range(3)))
    assert [_claims_of(outcome) for outcome in outcomes] == [{"slept": "0.05"}] * 3
    assert provider.calls == 1


async def test_slow_provider_is_late(calls: ProviderCalls, provider: Scripted) -> None:
    """A provider that sleeps past the budget is left."""
    provider.script = _sleeping(30)
    async with asyncio.timeout(20):
        assert isinstance(await _outcome(calls), ProviderLate)


async def test_second_delivery_joins_the_call_under_way(calls: ProviderCalls, provider: Scripted) -> None:
    """What the first delivery could not wait for, the second one gets; the provider is asked once."""
    provider.script = _sleeping(2.5 * BUDGET_MS / 1000)
    assert isinstance(await _outcome(calls), ProviderLate)
    second = await calls.deliver(_event(), _measured(500))
    assert "slept" in _claims_of(second.outcome)
    assert (second.joined, provider.calls) == (True, 1)


async def test_second_delivery_gets_the_finished_reply(provider: Scripted, clock: Clock) -> None:
    """A finished reply is sent again for a few seconds, and no longer, and it is the same object."""
    calls = ProviderCalls(provider, budget_ms=BUDGET_MS, max_running=2, clock=clock, later=clock.later)
    outcomes = [(await calls.deliver(_event(), Measurements(budget_ms=500, clock=clock))).outcome for _ in range(3)]
    assert outcomes[0] is outcomes[1] is outcomes[2]
    assert provider.calls == 1
    await clock.tick(JOIN_S)
    again = await calls.deliver(_event(), Measurements(budget_ms=500, clock=clock))
    assert (provider.calls, again.joined) == (2, False)


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
    change: dict[str, object], calls: ProviderCalls, provider: Scripted
) -> None:
    """For another sign-in, user or resource the provider is called again: nobody gets another's claims."""
    await _outcome(calls)
    delivery = await calls.deliver(_event(**change), _measured())
    assert (provider.calls, delivery.joined) == (2, False)


async def test_failure_is_not_joined(calls: ProviderCalls, provider: Scripted) -> None:
    """After a failure the second delivery tries again."""
    provider.script = _raising(LookupError())
    assert isinstance(await _outcome(calls), ProviderFailed)
    provider.script = _claims
    assert _claims_of(await _outcome(calls)) == {"a": "1"}


async def test_call_is_given_up_at_last(
    calls: ProviderCalls, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that no delivery can use any more is canceled."""
    monkeypatch.setattr(calls, "_limit_s", 0.03)
    ended = asyncio.Event()

    async def endless() -> Mapping[str, object]:
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()
        return {}

    provider.script = endless
    monkeypatch.setattr(Scripted, "provide", lambda self, _event, _context: self.script())
    assert isinstance(await _outcome(calls, budget_ms=500), ProviderLate)
    assert ended.is_set()


async def test_stubborn_provider_is_late_too(
    calls: ProviderCalls, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a provider that ignores its cancellation delays no answer, and its end makes no noise."""
    monkeypatch.setattr(calls, "_limit_s", 0.03)
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
    assert isinstance(await _outcome(calls), ProviderLate)
    assert not ended.is_set()
    await ended.wait()
    await asyncio.sleep(0)


async def test_no_budget_left(calls: ProviderCalls, provider: Scripted) -> None:
    """With nothing left the provider is late at once."""
    provider.script = _sleeping(30)
    assert isinstance(await _outcome(calls, budget_ms=0), ProviderLate)


def _raising(error: BaseException) -> Callable[[], Awaitable[Mapping[str, object]]]:
    async def script() -> Mapping[str, object]:
        raise error

    return script


class _Odd(ProviderFailed):
    """A failure that does not say why."""

    def __init__(self) -> None:
        """Leave out what the base class would set."""


class _Ending(ProviderFailed):
    """A failure whose code ends the process."""

    @property
    def code(self) -> str:  # type: ignore[override] # (the mistake under test)
        """Raise instead of returning."""
        raise SystemExit

    def __init__(self) -> None:
        """Leave out what the base class would set."""


class _Unreadable(ProviderFailed):
    """A failure whose code cannot be read."""

    code = property(lambda _self: 1 / 0)

    def __init__(self) -> None:
        """Leave out what the base class would set."""


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [
        (asyncio.CancelledError(), "provider_cancelled", "it raised CancelledError"),
        (TimeoutError(), "provider_error", "TimeoutError at tests/claims/test_provider_call.py"),
        (SystemExit(1), "provider_error", "SystemExit at tests/claims/test_provider_call.py"),
        (KeyboardInterrupt(), "provider_error", "KeyboardInterrupt at"),
        (GeneratorExit(), "provider_error", "GeneratorExit at"),
        (LookupError("someone@example.com"), "provider_error", "LookupError at tests/claims/test_provider_call.py"),
        (TokenUnavailable("downstream_status", "got 500"), "downstream_status", "got 500"),
        (ProviderFailed("x", LookupError("someone@example.com")), "x", "a value of type LookupError"),  # type: ignore[arg-type] # the mistake under test
        (ProviderFailed(None, b"x"), "a_value_of_type_NoneType", "a value of type bytes"),  # type: ignore[arg-type] # the same
        (ProviderFailed("c" * 999, "d" * 999), "c" * 64, "d" * 400),
        (_Odd(), "provider_error", "AttributeError at"),
        (_Unreadable(), "provider_error", "ZeroDivisionError at"),
        (_Ending(), "provider_error", "SystemExit at"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_whatever_is_raised_is_a_failure(
    error: BaseException, code: str, detail: str, calls: ProviderCalls, provider: Scripted
) -> None:
    """The failure has a code and a place, never a message, and neither the loop nor another sign-in ends."""
    provider.script = _raising(error)
    outcome = await _outcome(calls)
    assert isinstance(outcome, ProviderFailed)
    assert outcome.code == code
    assert outcome.detail.startswith(detail)
    assert "someone" not in str(outcome)


async def test_mapping_that_raises_while_it_is_read(calls: ProviderCalls, provider: Scripted) -> None:
    """What is returned is read where a failure is the provider's."""

    class Lazy(dict[str, object]):
        def items(self) -> NoReturn:
            raise OSError

    async def script() -> Mapping[str, object]:
        return Lazy(a=1)

    provider.script = script
    outcome = await _outcome(calls)
    assert isinstance(outcome, ProviderFailed)
    assert "OSError" in outcome.detail


@pytest.mark.parametrize(
    ("returned", "detail"),
    [
        (None, "expected a mapping, got a value of type NoneType"),
        ({"a": {}}, "a...: a value of type dict has no string form as a claim"),
    ],
)
async def test_what_cannot_be_sent_names_where_it_came_from(
    calls: ProviderCalls, provider: Scripted, returned: object, detail: str
) -> None:
    """No traceback leads to the provider, so its `provide` is named."""
    line = Scripted.provide.__code__.co_firstlineno

    async def script() -> Any:
        return returned

    provider.script = script
    outcome = await _outcome(calls)
    assert isinstance(outcome, ProviderFailed)
    assert outcome.detail == f"{detail}, from provide at tests/claims/test_provider_call.py:{line}"
    calls.use(Unwritten(script))
    assert str(await _outcome(calls)).endswith(detail)


async def test_a_provide_that_a_library_wrote_has_no_place(
    calls: ProviderCalls, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line without a file would lead nowhere."""

    async def nothing(*_: object) -> Any:
        return None

    nothing.__code__ = nothing.__code__.replace(co_filename="/app/site-packages/library.py")
    monkeypatch.setattr(provider, "provide", nothing)
    outcome = await _outcome(calls)
    assert isinstance(outcome, ProviderFailed)
    assert outcome.detail == "expected a mapping, got a value of type NoneType"


class Unwritten:
    """A provider whose ``provide`` is no function of its own."""

    def __init__(self, script: Callable[[], Awaitable[Any]]) -> None:
        self.provide = partial(_answer, script)


async def _answer(script: Callable[[], Awaitable[Any]], _event: object, _context: object) -> Any:
    return await script()


async def test_a_provider_s_object_is_not_shared(calls: ProviderCalls, provider: Scripted) -> None:
    """A provider that uses one object for everybody gives nobody another's claims."""
    shared: dict[str, object] = {}

    async def reuse() -> Mapping[str, object]:
        shared["user"] = provider.calls
        return shared

    provider.script = reuse
    first = await _outcome(calls)
    other = await _outcome(calls, _event(OTHER))
    shared["user"] = "changed"
    assert _claims_of(await _outcome(calls)) == _claims_of(first) == {"user": "1"}
    assert _claims_of(other) == {"user": "2"}


async def test_too_many_at_once_are_refused(calls: ProviderCalls, provider: Scripted) -> None:
    """One event more than the limit is refused at once; a second delivery of one under way is not."""
    provider.script = _sleeping(0.05)
    first = [asyncio.create_task(_outcome(calls, _event(), 500))]
    first += [asyncio.create_task(_outcome(calls, _event(OTHER), 500))]
    await asyncio.sleep(0)
    assert isinstance(await _outcome(calls, _event("88888888-8888-4888-8888-888888888888")), Overloaded)
    assert "slept" in _claims_of(await _outcome(calls, _event(OTHER), 500))
    await asyncio.gather(*first)
    assert provider.calls == 2


class _Starting(Scripted):
    """A provider that has something to prepare, and fails at it the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.starts = 0

    def start(self) -> None:
        """Fail the first time."""
        self.starts += 1
        if self.starts == 1:
            raise OSError


async def test_provider_that_cannot_start_fails_and_is_tried_again() -> None:
    """A failed start is a failure of the first call, which the policy answers, and not the end of the app."""
    provider = _Starting()
    calls = ProviderCalls(provider, budget_ms=BUDGET_MS, max_running=2, clock=time.monotonic)
    deliveries: list[Delivery] = [await calls.deliver(_event(), _measured()) for _ in range(3)]
    assert [type(delivery.outcome) for delivery in deliveries] == [ProviderFailed, Reply, Reply]
    assert (provider.starts, provider.calls) == (2, 1)
