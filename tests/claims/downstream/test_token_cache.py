"""The token cache: a token is there before it is needed, fetched once for all requests; a failing issuer is spared."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from claims.downstream.credentials import token_source
from claims.downstream.issued_token import MAX_RETRY_AFTER_S, DownstreamToken, TokenFetchError
from claims.downstream.token_cache import REFUSAL_COOL_DOWN_S, DownstreamTokenCache
from claims.errors import ProviderFailed, TokenUnavailable
from claims.provider import ProviderContext
from tests.claims.downstream.issuer import CLIENT_SECRET, SCOPE, answer, running_issuer
from tests.claims.site import NOW_S, Clock, settle

HOUR_S = 3600.0
REFRESH_S = HOUR_S - 300


@dataclass
class Source:
    """An issuer in memory: numbers its tokens, fails and stalls on demand."""

    clock: Clock
    wall: Clock
    life_s: float = HOUR_S
    refresh_after_s: float | None = None
    error: BaseException | None = None
    stall: asyncio.Event | None = None
    fetches: list[str] = field(default_factory=list)

    async def __call__(self, scope: str) -> DownstreamToken:
        self.fetches.append(scope)
        number = len(self.fetches)
        if self.stall is not None:
            await self.stall.wait()
        if self.error is not None:
            raise self.error
        refresh_on_s = None if self.refresh_after_s is None else self.wall() + self.refresh_after_s
        return DownstreamToken(f"token {number}", self.wall() + self.life_s, refresh_on_s)

    async def tick(self, seconds: float) -> None:
        """Let both clocks run, once everybody who is about to sleep does."""
        for _ in range(10):
            await asyncio.sleep(0)
        self.wall.now_s += seconds
        await self.clock.tick(seconds)


@pytest.fixture
def source(clock: Clock) -> Source:
    """Give an issuer whose tokens live for an hour."""
    wall = Clock()
    wall.now_s = NOW_S
    return Source(clock, wall)


@pytest.fixture
async def tokens(source: Source) -> AsyncIterator[DownstreamTokenCache]:
    """Give the cache, without jitter."""
    cache = DownstreamTokenCache(
        "s", source, clock=source.wall, sleep=source.clock.sleep, rng=lambda: 0.0, monotonic=source.clock
    )
    yield cache
    await cache.aclose()


async def test_one_fetch_for_all(tokens: DownstreamTokenCache, source: Source) -> None:
    """A hundred requests that find no token cost one fetch; what comes after costs none."""
    got = await asyncio.gather(*(tokens.token() for _ in range(100)))
    assert {token.token for token in got} == {"token 1"}
    assert tokens.cached
    assert await tokens.token() == got[0]
    assert source.fetches == ["s"]


async def test_start_fetches_before_the_first_request(tokens: DownstreamTokenCache, source: Source) -> None:
    """The start begins the fetch, which a request joins; a second start does nothing."""
    source.stall = asyncio.Event()
    tokens.start()
    tokens.start()
    await settle()
    assert not tokens.cached
    waiting = asyncio.create_task(tokens.token())
    await settle()
    source.stall.set()
    assert (await waiting).token == "token 1"
    assert source.fetches == ["s"]


async def test_refreshed_without_any_request(tokens: DownstreamTokenCache, source: Source) -> None:
    """An idle endpoint has a fresh token at any time, and takes the new one once it is there."""
    await tokens.token()
    for number in (1, 2, 3):
        await source.tick(REFRESH_S - 0.01)
        assert len(source.fetches) == number
        await source.tick(0.01)
        assert len(source.fetches) == number + 1
        assert (await tokens.token()).token == f"token {number + 1}"


async def test_refreshed_when_the_issuer_says(tokens: DownstreamTokenCache, source: Source) -> None:
    """A day-long token is replaced at the issuer's time, not at its end."""
    source.life_s, source.refresh_after_s = 24 * HOUR_S, 12 * HOUR_S
    await tokens.token()
    await source.tick(12 * HOUR_S)
    assert (await tokens.token()).token == "token 2"


async def test_workers_do_not_refresh_together(source: Source) -> None:
    """Jitter brings a refresh forward, by up to a tenth."""
    async with DownstreamTokenCache(
        "s", source, clock=source.wall, sleep=source.clock.sleep, rng=lambda: 0.999, monotonic=source.clock
    ) as tokens:
        await tokens.token()
        await source.tick(REFRESH_S * 0.91)
        assert len(source.fetches) == 2


async def test_nobody_waits_for_a_refresh_that_hangs(tokens: DownstreamTokenCache, source: Source) -> None:
    """While the old token is good it is given out at once, however long the refresh takes."""
    await tokens.token()
    source.stall = asyncio.Event()
    await source.tick(REFRESH_S)
    assert len(source.fetches) == 2
    assert (await tokens.token()).token == "token 1"
    await source.tick(290)
    assert (await tokens.token()).token == "token 1"
    assert len(source.fetches) == 2
    source.stall.set()
    await settle()
    assert (await tokens.token()).token == "token 2"


async def test_failed_refresh_changes_nothing(tokens: DownstreamTokenCache, source: Source) -> None:
    """While refreshes fail the old token serves up to its end; then requests fail at once, and it heals by itself."""
    await tokens.token()
    source.error = TokenFetchError("down")
    await source.tick(REFRESH_S)
    for _ in range(100):
        assert (await tokens.token()).token == "token 1"
    assert len(source.fetches) == 2
    while source.wall() < NOW_S + HOUR_S - 10:
        await source.tick(10)
        assert (await tokens.token()).token == "token 1"
    await source.tick(10)
    with pytest.raises(TokenUnavailable):
        await tokens.token()
    source.error = None
    await source.tick(60)
    assert tokens.cached


async def test_backing_off(tokens: DownstreamTokenCache, source: Source) -> None:
    """Without a token requests fail at once between the attempts, which come ever less often."""
    source.error = TokenFetchError("down")
    with pytest.raises(TokenUnavailable) as first:
        await tokens.token()
    assert (first.value.code, first.value.detail) == ("downstream_token_unavailable", "down")
    assert isinstance(first.value, ProviderFailed)
    for pause_s in (1, 2, 4, 8, 10, 10):
        before = len(source.fetches)
        await source.tick(pause_s - 0.01)
        for _ in range(100):
            with pytest.raises(TokenUnavailable, match=r"backing_off: the next fetch is in 0\.0 s; the last one: down"):
                await tokens.token()
        assert len(source.fetches) == before
        await source.tick(0.01)
        assert len(source.fetches) == before + 1
    source.error = None
    await source.tick(60)
    assert (await tokens.token()).token
    source.error = TokenFetchError("down again")
    await source.tick(HOUR_S)
    before = len(source.fetches)
    await source.tick(1)
    assert len(source.fetches) == before + 1, "a success starts the back-off anew"


@pytest.mark.parametrize(("asked_s", "kept_s"), [(30, 30), (86_400, MAX_RETRY_AFTER_S)])
async def test_retry_after(asked_s: float, kept_s: float, tokens: DownstreamTokenCache, source: Source) -> None:
    """The issuer is left alone for as long as it asks, within reason."""
    source.error = TokenFetchError("busy", retry_after_s=asked_s)
    tokens.start()
    await settle()
    await source.tick(kept_s - 0.01)
    assert len(source.fetches) == 1
    source.error = None
    await source.tick(0.01)
    assert (await tokens.token()).token == "token 2"


async def test_a_request_retries_before_the_background_does(source: Source) -> None:
    """With full jitter the first back-off is half a second: a request then tries, the background a little later."""
    async with DownstreamTokenCache(
        "s", source, clock=source.wall, sleep=source.clock.sleep, rng=lambda: 1.0, monotonic=source.clock
    ) as tokens:
        source.error = TokenFetchError("down")
        tokens.start()
        await settle()
        source.error = None
        await source.tick(0.6)
        assert len(source.fetches) == 1
        assert (await tokens.token()).token == "token 2"
        await source.tick(0.6)
        assert len(source.fetches) == 2


async def test_fetch_that_hangs_is_given_up(
    tokens: DownstreamTokenCache, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch ends after its time, and counts as a failure."""
    monkeypatch.setattr("claims.downstream.token_cache.FETCH_TIMEOUT_S", 0.01)
    source.stall = asyncio.Event()
    with pytest.raises(TokenUnavailable, match=r"no answer within 0\.01 s"):
        await tokens.token()
    with pytest.raises(TokenUnavailable, match="backing_off"):
        await tokens.token()


async def test_surprise_is_a_failure(tokens: DownstreamTokenCache, source: Source) -> None:
    """Whatever a source raises is told by its name alone, and the next attempt comes."""
    source.error = ZeroDivisionError("secret")
    with pytest.raises(TokenUnavailable) as raised:
        await tokens.token()
    assert raised.value.detail == "unexpected ZeroDivisionError"
    source.error = None
    await source.tick(1)
    assert tokens.cached


async def test_reason_is_bounded(tokens: DownstreamTokenCache, source: Source) -> None:
    """However much a source says, the request's detail stays below 300 characters, also during the back-off."""
    source.error = TokenFetchError("x" * 5000, retry_after_s=1e9)
    for code in ("unavailable", "backing_off"):
        with pytest.raises(TokenUnavailable, match="x" * 200) as failed:
            await tokens.token()
        assert failed.value.code == f"downstream_token_{code}"
        assert len(failed.value.detail) <= 300


@pytest.mark.parametrize("life_s", [0, -1, 1, -86_400])
async def test_expired_token_is_a_failure(life_s: float, tokens: DownstreamTokenCache, source: Source) -> None:
    """A token that comes expired is not given out, and not asked for again at once."""
    source.life_s = life_s
    for _ in range(10):
        with pytest.raises(TokenUnavailable):
            await tokens.token()
    assert len(source.fetches) == 1


async def test_expiry_under_a_hundred_requests(tokens: DownstreamTokenCache, source: Source) -> None:
    """When the token ends while its refresh is under way, a hundred requests wait for that one."""
    await tokens.token()
    source.stall = asyncio.Event()
    await source.tick(HOUR_S)
    waiting = [asyncio.create_task(tokens.token()) for _ in range(100)]
    await settle()
    assert not any(task.done() for task in waiting)
    source.stall.set()
    assert {token.token for token in await asyncio.gather(*waiting)} == {"token 2"}
    assert len(source.fetches) == 2


async def test_a_request_that_is_cancelled_cancels_no_fetch(tokens: DownstreamTokenCache, source: Source) -> None:
    """One request's deadline is not the others' failure."""
    source.stall = asyncio.Event()
    waiting = [asyncio.create_task(tokens.token()) for _ in range(2)]
    await settle()
    waiting[0].cancel()
    await settle()
    source.stall.set()
    assert (await waiting[1]).token == "token 1"


async def test_refused_token_is_dropped_once(tokens: DownstreamTokenCache, source: Source) -> None:
    """A hundred requests with the same refused token cost one fetch."""
    refused = (await tokens.token()).token
    for _ in range(100):
        tokens.refused(refused)
        assert (await tokens.token()).token == "token 2"
    assert len(source.fetches) == 2


async def test_downstream_that_refuses_every_token(tokens: DownstreamTokenCache, source: Source) -> None:
    """Who refuses the new token too gets it again until the cool-down is over: no fetch a request."""
    for _ in range(100):
        tokens.refused((await tokens.token()).token)
    assert (await tokens.token()).token == "token 2"
    assert len(source.fetches) == 2
    await source.tick(REFUSAL_COOL_DOWN_S)
    tokens.refused("token 2")
    assert not tokens.cached
    assert (await tokens.token()).token == "token 3"


async def test_refusing_the_unknown_does_nothing(tokens: DownstreamTokenCache, source: Source) -> None:
    """A token that is not held, or no longer, drops nothing and fetches nothing."""
    tokens.refused("token 1")
    await settle()
    assert source.fetches == []
    await tokens.token()
    tokens.refused("another")
    assert tokens.cached


async def test_clock_set_back_lengthens_no_life(tokens: DownstreamTokenCache, source: Source) -> None:
    """A token ends when its time has passed, also when the wall clock was set back a day meanwhile."""
    await tokens.token()
    source.wall.now_s -= 86_400
    assert (await tokens.token()).token == "token 1"
    source.error = TokenFetchError("down")
    await source.clock.tick(HOUR_S)
    assert not tokens.cached
    with pytest.raises(TokenUnavailable):
        await tokens.token()
    source.error = None
    await source.tick(60)
    assert tokens.cached


async def test_clock_jumps_past_the_end(tokens: DownstreamTokenCache, source: Source) -> None:
    """After a machine slept past the token's end, the next requests share one fetch; set right again, nothing more."""
    await tokens.token()
    source.wall.now_s += 2 * HOUR_S
    got = await asyncio.gather(*(tokens.token() for _ in range(100)))
    assert {token.token for token in got} == {"token 2"}
    source.wall.now_s -= 2 * HOUR_S
    assert (await tokens.token()).token == "token 2"
    assert len(source.fetches) == 2


async def test_clock_jumps_past_the_refresh(tokens: DownstreamTokenCache, source: Source) -> None:
    """After a machine slept past the refresh, the next request starts it and does not wait for it."""
    await tokens.token()
    source.wall.now_s += REFRESH_S + 1
    source.error = TokenFetchError("down")
    for _ in range(10):
        assert (await tokens.token()).token == "token 1"
        await settle()
    assert len(source.fetches) == 2
    source.error = None
    await source.tick(1)
    assert (await tokens.token()).token == "token 1"
    await settle()
    assert (await tokens.token()).token == "token 3"


async def test_closing(tokens: DownstreamTokenCache, source: Source) -> None:
    """Who waits at the end is told so, nothing runs on, and nothing starts again."""
    source.stall = asyncio.Event()
    waiting = asyncio.create_task(tokens.token())
    await settle()
    await tokens.close()
    with pytest.raises(TokenUnavailable, match="downstream_token_closed"):
        await waiting
    with pytest.raises(TokenUnavailable, match="downstream_token_closed"):
        await tokens.token()
    assert len(asyncio.all_tasks()) == 1


async def test_closing_forgets_the_token(tokens: DownstreamTokenCache, source: Source) -> None:
    """After the end nothing holds the token any longer, and closing again does nothing."""
    source.life_s = 1234.5
    await tokens.token()
    for times in (1, 0):
        gc.collect()
        held = [found for found in gc.get_objects() if isinstance(found, DownstreamToken)]
        assert [token.expires_on_s for token in held].count(NOW_S + source.life_s) == times
        del held
        await tokens.aclose()
    with pytest.raises(TokenUnavailable, match="downstream_token_closed"):
        tokens.start()


async def test_request_during_the_end_of_the_loop(tokens: DownstreamTokenCache, source: Source) -> None:
    """A fetch that is canceled before it begins, as when a loop ends, fails the request that waits for it."""
    waiting = asyncio.create_task(tokens.token())
    await asyncio.sleep(0)
    assert tokens._flight is not None
    tokens._flight.cancel()
    with pytest.raises(TokenUnavailable, match="downstream_token_closed"):
        await waiting
    assert source.fetches == []


def test_created_before_there_is_a_loop(source: Source) -> None:
    """The event loop is needed from the start on, not earlier."""
    tokens = DownstreamTokenCache(
        "s", source, clock=source.wall, sleep=source.clock.sleep, rng=lambda: 0.0, monotonic=source.clock
    )
    assert not tokens.cached

    async def use() -> str:
        async with tokens:
            return (await tokens.token()).token

    assert asyncio.run(use()) == "token 1"


async def test_failed_refresh_is_in_the_lines_of_requests_that_do_not_need_it(
    tokens: DownstreamTokenCache, source: Source
) -> None:
    """A refresh fails in the background while a token is held: each request notes why, until one succeeds."""

    def noted() -> list[tuple[str, str]]:
        notes: list[tuple[str, str]] = []
        tokens.report(ProviderContext(lambda: 1.0, note_failing=lambda name, reason: notes.append((name, reason))))
        return notes

    await tokens.token()
    assert noted() == []
    source.error = TokenFetchError("client-secret: status 401 AADSTS7000215")
    await source.tick(REFRESH_S)
    assert noted() == [("downstream_token", "client-secret: status 401 AADSTS7000215")]
    source.error = None
    await source.tick(60)
    assert noted() == []


async def test_azure_sdk_protocol(tokens: DownstreamTokenCache, source: Source) -> None:
    """The cache is a credential for any Azure SDK client, in both of azure-core's forms."""
    assert isinstance(tokens, AsyncTokenCredential)
    assert isinstance(tokens, AsyncSupportsTokenInfo)
    source.refresh_after_s = 100.5
    token = await tokens.get_token("s", tenant_id="any", enable_cae=True)
    assert token == ("token 1", int(NOW_S + HOUR_S))
    info = await tokens.get_token_info("s", options={"enable_cae": True})
    assert (info.token, info.expires_on, info.refresh_on) == ("token 1", int(NOW_S + HOUR_S), int(NOW_S + 100.5))
    source.refresh_after_s = None
    await source.tick(HOUR_S)
    assert (await tokens.get_token_info("s")).refresh_on is None
    for scopes in ((), ("other",), ("s", "other")):
        with pytest.raises(ValueError, match="this credential is for the scope s alone"):
            await tokens.get_token(*scopes)
    with pytest.raises(TokenUnavailable, match="claims_challenge"):
        await tokens.get_token("s", claims="{}")


async def test_azure_sdk_clients_share_the_cache(tokens: DownstreamTokenCache, source: Source) -> None:
    """Two clients of azure-core send the same token, after one fetch."""
    seen: list[str] = []
    # azure-core goes by the real clock.
    source.life_s += 1e9

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/", handle)
    async with TestServer(app, host="127.0.0.1") as server:
        for _ in range(2):
            policy = AsyncBearerTokenCredentialPolicy[HttpRequest, AsyncHttpResponse](tokens, "s")
            async with AsyncPipeline(AioHttpTransport(), policies=[policy]) as pipeline:
                await pipeline.run(HttpRequest("GET", str(server.make_url("/"))), enforce_https=False)
    assert seen == ["Bearer token 1"] * 2
    assert source.fetches == ["s"]


@pytest.mark.waits
async def test_expiry_against_a_real_issuer(tmp_path: Path) -> None:
    """Over real sockets too, a hundred requests at the token's end cost one token request, and a failure heals."""
    async with running_issuer(tmp_path) as issuer:
        environ = {**issuer.environ, "AZURE_CLIENT_SECRET": CLIENT_SECRET}
        fetch = token_source("client-secret", environ, client_options=issuer.client_options)
        clock, wall = Clock(), Clock()
        async with DownstreamTokenCache(
            SCOPE, fetch, clock=wall, sleep=clock.sleep, rng=lambda: 0.0, monotonic=clock
        ) as tokens:
            wall.now_s = time.time()
            first = await tokens.token()
            wall.now_s += HOUR_S
            issuer.faults = [answer(429, Retry_After="2")]
            with pytest.raises(TokenUnavailable, match="status 429"):
                await tokens.token()
            await clock.tick(1.9)
            with pytest.raises(TokenUnavailable, match="backing_off"):
                await tokens.token()
            wall.now_s -= HOUR_S - 1
            assert await tokens.token() == first
            tokens.refused(first.token)
            await clock.tick(0.1)
            got = await asyncio.gather(*(tokens.token() for _ in range(100)))
            assert len({token.token for token in got}) == 1
            assert got[0] != first
        assert len(issuer.paths) == 3
