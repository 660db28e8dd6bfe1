"""Waiting for a target: a starting endpoint is waited for, and an unreachable one is reported once and soon."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from selftest.base.cannot_run import CannotRun
from selftest.checks.bench import target_environment
from selftest.checks.bench.target_environment import await_keys_read, require_answer
from tests.selftest.checks.planted_fault import Incoming, Outgoing, answers
from tests.selftest.checks.served_endpoint import ServedEndpoint, open_served_endpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def shared_endpoint() -> AsyncIterator[ServedEndpoint]:
    """Return one endpoint for all tests here."""
    async with open_served_endpoint() as served:
        yield served


async def test_an_endpoint_without_keys_is_waited_for(served: ServedEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 503 while the keys load is retried."""
    monkeypatch.setattr(target_environment, "_READY_POLL_S", 0.001)
    seen: list[Incoming] = []

    def starting(request: Incoming) -> bool:
        seen.append(request)
        return len(seen) < 3

    served.fault = answers(503, starting)
    await require_answer(served.env)
    assert len(seen) == 3


async def test_an_endpoint_that_stays_unready_is_checked_all_the_same(
    served: ServedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some seconds a 503 counts as a response; the checks report what is wrong."""
    monkeypatch.setattr(target_environment, "_READY_POLL_S", 0.001)
    served.fault = answers(503, lambda _: True)
    ticks = itertools.count()
    await require_answer(served.env, clock=lambda: next(ticks) * 4.0)
    assert next(ticks) < 6


@pytest.mark.parametrize("status", [200, 401, 500])
async def test_any_other_answer_ends_the_wait(served: ServedEndpoint, status: int) -> None:
    """Any other response ends the wait."""
    seen: list[Incoming] = []

    def once(request: Incoming) -> bool:
        seen.append(request)
        return True

    served.fault = answers(status, once)
    await require_answer(served.env)
    assert len(seen) == 1


async def test_a_closed_port_is_told_at_once(served: ServedEndpoint) -> None:
    """A refused connection is reported without waiting, and the message does not contain the query."""
    env = replace(served.env, url="http://127.0.0.1:1/api/x?code=secret")
    with pytest.raises(CannotRun, match=r"no response \(connection\).*explain 1003027") as raised:
        await require_answer(env)
    assert "secret" not in str(raised.value)


async def test_no_believed_token_is_needed(served: ServedEndpoint) -> None:
    """A deployed endpoint is called without a token."""
    seen: list[str | None] = []

    async def note(request: Incoming, _: object) -> Incoming | Outgoing:
        seen.append(request.header("authorization"))
        return request

    served.fault = replace(served.fault, before=note)
    await require_answer(replace(served.env, trusted=False))
    assert seen == [None]


async def test_keys_of_this_run_are_waited_for(served: ServedEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint in its cool-down is called until it has read this run's keys, with a single message."""
    monkeypatch.setattr(target_environment, "_COOL_DOWN_POLL_S", 0.001)
    hits = served.env.entra.hits.copy()
    served.env.entra.hits.clear()
    asked: list[Incoming] = []

    def reads_at_last(request: Incoming) -> bool:
        asked.append(request)
        if len(asked) == 3:
            served.env.entra.hits.update(hits)
        return True

    served.fault = answers(401, reads_at_last)
    said: list[str] = []
    await await_keys_read(served.env, say=said.append)
    assert (len(asked), len(said)) == (3, 1)


async def test_keys_that_are_never_read_are_told(served: ServedEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute the wait ends; the message has the authority's URL."""
    monkeypatch.setattr(target_environment, "_COOL_DOWN_POLL_S", 0.001)
    served.fault = answers(401, lambda _: True)
    hits = served.env.entra.hits.copy()
    served.env.entra.hits.clear()
    ticks = itertools.count()
    said: list[str] = []
    await await_keys_read(served.env, clock=lambda: next(ticks) * 20.0, say=said.append)
    served.env.entra.hits.update(hits)
    assert served.env.entra.authority_url in said[0]


@pytest.mark.parametrize("status", [200, 503])
async def test_an_endpoint_that_reads_no_keys_and_does_not_refuse_is_not_waited_for(
    served: ServedEndpoint, status: int
) -> None:
    """An endpoint that does not refuse is not waited for."""
    served.fault = answers(status, lambda _: True)
    hits = served.env.entra.hits.copy()
    served.env.entra.hits.clear()
    said: list[str] = []
    await await_keys_read(served.env, say=said.append)
    served.env.entra.hits.update(hits)
    assert said == []
