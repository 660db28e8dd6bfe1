"""The endpoint on more than one event loop, and with a loop that something blocks."""

import asyncio
import gc
import json
import logging
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from claims.endpoint import Endpoint
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.settings.authority import Authority
from claims.token.key_document import MAX_AGE_S
from claims.token.keys import SigningKeys
from selftest.entra.server import EntraServer
from tests.claims.site import AUTHORITY, ENVIRON, NOW_S, TENANT_ID, Clock, Site, good_event, good_token, settings

BODY = json.dumps(good_event()).encode()


class _Bound:
    """A provider whose resource belongs to the loop on which it was started."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[str] | None = None

    def start(self) -> None:
        """Make the resource."""
        self.ready = asyncio.get_running_loop().create_future()
        self.ready.set_result("yes")

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Use it."""
        del event, context
        assert self.ready is not None
        assert self.ready.get_loop() is asyncio.get_running_loop()
        return {"Ready": await self.ready}


def _body(number: int) -> bytes:
    return BODY.replace(b"55555555-5555-4555-8555-555555555555", f"55555555-5555-4555-8555-{number:012}".encode())


def test_each_request_on_a_loop_of_its_own() -> None:
    """A host that runs each request on another loop is served for longer than keys may live."""
    site, clock = Site(), Clock()
    keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], site, clock=clock, sleep=clock.sleep)
    endpoint = Endpoint(settings(), keys, _Bound(), clock=clock, wall_clock=lambda: NOW_S, renew_provider=_Bound)
    headers = {"authorization": f"Bearer {good_token(site.keys)}", "content-type": "application/json"}
    for hour in range(60):
        response = asyncio.run(endpoint.token_issuance_start(headers, _body(hour)))
        assert (response.status, clock.now_s) == (200, clock.now_s), f"after {hour / 2} hours"
        clock.now_s += 1800
    assert MAX_AGE_S < 60 * 1800
    assert sum(site.hits.values()) <= 4 * 31, "keys are fetched once an hour and not at each request"


def test_provider_that_cannot_be_made_again_fails_by_the_policy() -> None:
    """On another loop a broken ``create`` is a failure of the provider and not of the endpoint."""
    site, clock = Site(), Clock()
    keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], site, clock=clock, sleep=clock.sleep)
    changes = {"Claims__OnFailure": "omit"}

    def renew() -> _Bound:
        raise ZeroDivisionError

    endpoint = Endpoint(
        settings(**changes), keys, _Bound(), clock=clock, wall_clock=lambda: NOW_S, renew_provider=renew
    )
    headers = {"authorization": f"Bearer {good_token(site.keys)}", "content-type": "application/json"}
    outcomes = [asyncio.run(endpoint.token_issuance_start(headers, _body(number))) for number in range(2)]
    assert [response.status for response in outcomes] == [200, 200]
    assert asyncio.run(endpoint.health({})).status == 200


def test_dead_background_tasks_start_again(site: Site, keys: SigningKeys) -> None:
    """When something cancels the tasks of the loop, the next request starts them again."""
    endpoint = Endpoint(settings(), keys, _Bound(), wall_clock=lambda: NOW_S)
    headers = {"authorization": f"Bearer {good_token(site.keys)}", "content-type": "application/json"}

    async def play() -> None:
        assert (await endpoint.token_issuance_start(headers, BODY)).status == 200
        document = keys._documents["2.0"][0]
        dead = document._refreshing
        assert dead
        dead.cancel()
        await asyncio.gather(dead, return_exceptions=True)
        assert (await endpoint.token_issuance_start(headers, _body(2))).status == 200
        assert document._refreshing is not dead
        assert document._refreshing
        assert not document._refreshing.done()
        await endpoint.aclose()

    asyncio.run(play())


@contextmanager
def _served() -> Iterator[EntraServer]:
    """Serve an authority from a loop in a thread, which outlives the loops of the requests."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    entra = EntraServer()

    async def enter() -> None:
        await entra.__aenter__()
        started.set()

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(enter(), loop).result(5)
    try:
        yield entra
    finally:
        asyncio.run_coroutine_threadsafe(entra.__aexit__(None, None, None), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_real_connections_on_several_loops() -> None:
    """Connections of a loop that has ended are not used again."""
    with _served() as entra:
        endpoint = Endpoint.from_env({**ENVIRON, "AuthenticationEvents__AuthorityUrl": entra.authority_url})
        for number in range(4):
            entra.keys.rotate()
            token = entra.mint.callout_token()
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            endpoint._keys._documents["2.0"][0]._forced_s = float("-inf")  # a minute has passed
            response = asyncio.run(endpoint.token_issuance_start(headers, _body(number)))
            assert response.status == 200
        del endpoint
        with warnings.catch_warnings():  # connections of a loop that has ended cannot be closed, only collected
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


class _Blocking:
    """A provider that blocks the event loop."""

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Block, as a synchronous client does."""
        del event, context
        await asyncio.sleep(0.001)
        time.sleep(0.5)  # noqa: ASYNC251 (the mistake under test)
        return {}


async def test_stall_is_named_in_the_lines(site: Site, keys: SigningKeys, caplog: pytest.LogCaptureFixture) -> None:
    """The request that blocks the loop and those that it holds up carry the stall; one that comes later does not."""
    endpoint = Endpoint(settings(), keys, _Blocking(), wall_clock=lambda: NOW_S)
    headers = {"authorization": f"Bearer {good_token(site.keys)}", "content-type": "application/json"}
    await endpoint.token_issuance_start(headers, BODY)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        blocking = asyncio.create_task(endpoint.token_issuance_start(headers, _body(1)))
        await asyncio.sleep(0)
        held_up = asyncio.create_task(endpoint.token_issuance_start({}, b""))
        await asyncio.gather(blocking, held_up)
        await asyncio.sleep(0.1)
        await endpoint.token_issuance_start({"authorization": "Bearer x"}, b"")
    await endpoint.aclose()
    lines = {line["outcome"]: line.get("loop_stalled_ms", 0) for line in map(json.loads, caplog.messages)}
    assert lines["claims"] >= 400
    assert lines["token_segments"] < 400  # a busy machine stalls it, too
