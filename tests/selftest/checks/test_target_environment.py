"""Waiting for a target: a starting endpoint is waited for, and an unreachable one is reported once and soon."""

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from selftest.base.cannot_run import CannotRun
from selftest.checks.bench import target_environment
from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest, RawResponse
from selftest.checks.bench.target_environment import await_keys_read, require_answer
from selftest.entra.key_fetches import KeyFetches
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


@pytest.fixture(name="unread")
def keys_not_yet_read(served: ServedEndpoint) -> Iterator[CheckEnvironment]:
    """Return an environment whose endpoint has not read this run's keys, with a record of its own."""
    hits = served.env.entra.hits.copy()
    served.env.entra.hits.clear()
    yield replace(served.env, fetches=KeyFetches())
    served.env.entra.hits.update(hits)
    served.env.entra.store.replaced = False


def _reads_at(served: ServedEndpoint, call: int) -> list[Incoming]:
    """Let the endpoint refuse all calls, and read the keys at one of them; return the calls."""
    asked: list[Incoming] = []

    def refuses(request: Incoming) -> bool:
        asked.append(request)
        if len(asked) == call:
            served.env.entra.hits["keys_v2"] += 1
        return True

    served.fault = answers(401, refuses)
    return asked


async def test_replaced_keys_are_waited_for(served: ServedEndpoint, unread: CheckEnvironment) -> None:
    """An endpoint that read other keys before reads the new ones only after its pause; the wait is said once."""
    served.env.entra.store.replaced = True
    unread.fetches.note(unread.entra.authority_url)
    asked = _reads_at(served, 30)
    said: list[str] = []
    await await_keys_read(unread, say=said.append)
    assert len(asked) >= 30
    (words,) = said
    assert "at most 305 s" in words
    assert "restart it" in words
    assert unread.fetches.forced_age_s(unread.url) is not None


async def test_an_endpoint_that_never_read_any_keys_is_not_waited_for(
    served: ServedEndpoint, unread: CheckEnvironment
) -> None:
    """It trusts another authority, or verifies nothing: new keys change nothing for it."""
    served.env.entra.store.replaced = True
    asked = _reads_at(served, 0)
    said: list[str] = []
    await await_keys_read(unread, say=said.append)
    assert len(asked) < 5
    assert said == []


async def test_a_library_that_refuses_while_it_reads_is_called_again(
    served: ServedEndpoint, unread: CheckEnvironment
) -> None:
    """The first call is refused while the keys are read in the background; the next one is not."""
    asked: list[Incoming] = []

    def refuses_once(request: Incoming) -> bool:
        asked.append(request)
        served.env.entra.hits["keys_v2"] = 1
        return len(asked) == 1

    served.fault = answers(401, refuses_once)
    await await_keys_read(unread)
    assert len(asked) == 2


@pytest.mark.parametrize("status", [200, 503])
async def test_an_endpoint_that_does_not_refuse_is_not_waited_for(
    served: ServedEndpoint, unread: CheckEnvironment, status: int
) -> None:
    """One call is enough."""
    asked: list[Incoming] = []

    def note(request: Incoming) -> bool:
        asked.append(request)
        return True

    served.fault = answers(status, note)
    await await_keys_read(unread)
    assert len(asked) == 1


async def test_an_endpoint_that_stopped_is_not_a_wrong_address(
    served: ServedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answered 503 and then refuses the connection: the message says so, and shows the end of the app's log."""
    monkeypatch.setattr(target_environment, "_READY_POLL_S", 0.001)
    statuses = iter([503])

    async def send(_: CheckEnvironment, request: RawRequest) -> RawResponse:
        status = next(statuses, None)
        return RawResponse(request=request, status=status, failure=None if status else "connection")

    env = replace(served.env, log=lambda: ["it ended 3 times\x1b[2J"])
    monkeypatch.setattr(CheckEnvironment, "send", send)
    with pytest.raises(CannotRun, match="was answering before, and stopped") as raised:
        await require_answer(env)
    assert "is the URL correct" not in str(raised.value)
    assert "the app's last line: it ended 3 times\\x1b[2J" in str(raised.value)


async def test_a_provider_that_fails_is_not_waited_for(served: ServedEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its line says that it raised; the keys were there, so no waiting helps."""
    seen: list[Incoming] = []
    lines: list[str] = []

    def raising(request: Incoming) -> bool:
        seen.append(request)
        correlation_id = request.json["data"]["authenticationContext"]["correlationId"]
        lines.append(json.dumps({"correlationId": correlation_id, "outcome": "provider_error", "status": 503}))
        return True

    served.fault = answers(503, raising)
    monkeypatch.setattr(target_environment, "_READY_POLL_S", 0.001)
    await require_answer(replace(served.env, log=lambda: lines))
    assert len(seen) == 1
