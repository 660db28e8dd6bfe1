"""Downstream tokens: there before they are needed, fetched once for all, and left alone when the issuer fails."""

import asyncio
import logging
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
from claims.downstream.scope_token import REFUSAL_COOL_DOWN_S
from claims.downstream.token import MAX_RETRY_AFTER_S
from claims.downstream.tokens import MAX_SCOPES, DownstreamToken, DownstreamTokens, TokenFetchError
from claims.errors import ProviderFailed, TokenUnavailable
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
async def tokens(source: Source) -> AsyncIterator[DownstreamTokens]:
    """Give the cache, without jitter."""
    cache = DownstreamTokens(
        source, clock=source.wall, sleep=source.clock.sleep, rng=lambda: 0.0, monotonic=source.clock
    )
    yield cache
    await cache.aclose()


async def test_one_fetch_for_all(tokens: DownstreamTokens, source: Source) -> None:
    """A hundred requests that find no token cost one fetch; what comes after costs none."""
    got = await asyncio.gather(*(tokens.token("s") for _ in range(100)))
    assert {token.token for token in got} == {"token 1"}
    assert tokens.cached("s")
    assert await tokens.token("s") == got[0]
    assert source.fetches == ["s"]


async def test_each_scope_has_its_own(tokens: DownstreamTokens, source: Source) -> None:
    """A token is never given out for another scope, nor its failure."""
    first = await tokens.token("s")
    source.error = TokenFetchError("down")
    with pytest.raises(TokenUnavailable):
        await tokens.token("other")
    assert await tokens.token("s") == first


async def test_warm_fetches_before_the_first_request(tokens: DownstreamTokens, source: Source) -> None:
    """Warming starts the fetch, which a request joins; a second warming does nothing."""
    source.stall = asyncio.Event()
    tokens.warm("s")
    tokens.warm("s")
    await settle()
    assert not tokens.cached("s")
    waiting = asyncio.create_task(tokens.token("s"))
    await settle()
    source.stall.set()
    assert (await waiting).token == "token 1"
    assert source.fetches == ["s"]


async def test_refreshed_without_any_request(tokens: DownstreamTokens, source: Source) -> None:
    """An idle endpoint has a fresh token at any time, and takes the new one once it is there."""
    await tokens.token("s")
    for number in (1, 2, 3):
        await source.tick(REFRESH_S - 0.01)
        assert len(source.fetches) == number
        await source.tick(0.01)
        assert len(source.fetches) == number + 1
        assert (await tokens.token("s")).token == f"token {number + 1}"


async def test_refreshed_when_the_issuer_says(tokens: DownstreamTokens, source: Source) -> None:
    """A day-long token is replaced at the issuer's time, not at its end."""
    source.life_s, source.refresh_after_s = 24 * HOUR_S, 12 * HOUR_S
    await tokens.token("s")
    await source.tick(12 * HOUR_S)
    assert (await tokens.token("s")).token == "token 2"


async def test_workers_do_not_refresh_together(source: Source) -> None:
    """Jitter brings a refresh forward, by up to a tenth."""
    async with DownstreamTokens(
        source, clock=source.wall, sleep=source.clock.sleep, rng=lambda: 0.999, monotonic=source.clock
    ) as tokens:
        await tokens.token("s")
        await source.tick(REFRESH_S * 0.91)
        assert len(source.fetches) == 2


async def test_nobody_waits_for_a_refresh_that_hangs(tokens: DownstreamTokens, source: Source) -> None:
    """While the old token is good it is given out at once, however long the refresh takes."""
    await tokens.token("s")
    source.stall = asyncio.Event()
    await source.tick(REFRESH_S)
    assert len(source.fetches) == 2
    assert (await tokens.token("s")).token == "token 1"
    await source.tick(290)
    assert (await tokens.token("s")).token == "token 1"
    assert len(source.fetches) == 2
    source.stall.set()
    await settle()
    assert (await tokens.token("s")).token == "token 2"


async def test_failed_refresh_changes_nothing(tokens: DownstreamTokens, source: Source) -> None:
    """While refreshes fail the old token serves up to its end; then requests fail at once, and it heals by itself."""
    await tokens.token("s")
    source.error = TokenFetchError("down")
    await source.tick(REFRESH_S)
    for _ in range(100):
        assert (await tokens.token("s")).token == "token 1"
    assert len(source.fetches) == 2
    while source.wall() < NOW_S + HOUR_S - 10:
        await source.tick(10)
        assert (await tokens.token("s")).token == "token 1"
    await source.tick(10)
    with pytest.raises(TokenUnavailable):
        await tokens.token("s")
    source.error = None
    await source.tick(60)
    assert tokens.cached("s")


async def test_backing_off(tokens: DownstreamTokens, source: Source) -> None:
    """Without a token requests fail at once between the attempts, which come ever less often."""
    source.error = TokenFetchError("down")
    with pytest.raises(TokenUnavailable) as first:
        await tokens.token("s")
    assert (first.value.code, first.value.detail) == ("downstream_token_unavailable", "down")
    assert isinstance(first.value, ProviderFailed)
    for pause_s in (1, 2, 4, 8, 10, 10):
        before = len(source.fetches)
        await source.tick(pause_s - 0.01)
        for _ in range(100):
            with pytest.raises(TokenUnavailable, match=r"backing_off: the next fetch is in 0\.0 s"):
                await tokens.token("s")
        assert len(source.fetches) == before
        await source.tick(0.01)
        assert len(source.fetches) == before + 1
    source.error = None
    await source.tick(60)
    assert (await tokens.token("s")).token
    source.error = TokenFetchError("down again")
    await source.tick(HOUR_S)
    before = len(source.fetches)
    await source.tick(1)
    assert len(source.fetches) == before + 1, "a success starts the back-off anew"


@pytest.mark.parametrize(("asked_s", "kept_s"), [(30, 30), (86_400, MAX_RETRY_AFTER_S)])
async def test_retry_after(asked_s: float, kept_s: float, tokens: DownstreamTokens, source: Source) -> None:
    """The issuer is left alone for as long as it asks, within reason."""
    source.error = TokenFetchError("busy", retry_after_s=asked_s)
    tokens.warm("s")
    await settle()
    await source.tick(kept_s - 0.01)
    assert len(source.fetches) == 1
    source.error = None
    await source.tick(0.01)
    assert (await tokens.token("s")).token == "token 2"


async def test_a_request_retries_before_the_background_does(source: Source) -> None:
    """With full jitter the first back-off is half a second: a request then tries, the background a little later."""
    async with DownstreamTokens(
        source, clock=source.wall, sleep=source.clock.sleep, rng=lambda: 1.0, monotonic=source.clock
    ) as tokens:
        source.error = TokenFetchError("down")
        tokens.warm("s")
        await settle()
        source.error = None
        await source.tick(0.6)
        assert len(source.fetches) == 1
        assert (await tokens.token("s")).token == "token 2"
        await source.tick(0.6)
        assert len(source.fetches) == 2


async def test_fetch_that_hangs_is_given_up(
    tokens: DownstreamTokens, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch ends after its time, and counts as a failure."""
    monkeypatch.setattr("claims.downstream.scope_token.FETCH_TIMEOUT_S", 0.01)
    source.stall = asyncio.Event()
    with pytest.raises(TokenUnavailable, match=r"no answer within 0\.01 s"):
        await tokens.token("s")
    with pytest.raises(TokenUnavailable, match="backing_off"):
        await tokens.token("s")


async def test_surprise_is_a_failure(
    tokens: DownstreamTokens, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a source raises is told by its name alone, and the next attempt comes."""
    source.error = ZeroDivisionError("secret")
    with pytest.raises(TokenUnavailable, match="unexpected ZeroDivisionError"):
        await tokens.token("s")
    source.error = None
    await source.tick(1)
    assert tokens.cached("s")
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("life_s", [0, -1, -86_400])
async def test_expired_token_is_a_failure(life_s: float, tokens: DownstreamTokens, source: Source) -> None:
    """A token that comes expired is not given out, and not asked for again at once."""
    source.life_s = life_s
    for _ in range(10):
        with pytest.raises(TokenUnavailable):
            await tokens.token("s")
    assert len(source.fetches) == 1


async def test_expiry_under_a_hundred_requests(tokens: DownstreamTokens, source: Source) -> None:
    """When the token ends while its refresh is under way, a hundred requests wait for that one."""
    await tokens.token("s")
    source.stall = asyncio.Event()
    await source.tick(HOUR_S)
    waiting = [asyncio.create_task(tokens.token("s")) for _ in range(100)]
    await settle()
    assert not any(task.done() for task in waiting)
    source.stall.set()
    assert {token.token for token in await asyncio.gather(*waiting)} == {"token 2"}
    assert len(source.fetches) == 2


async def test_a_request_that_is_cancelled_cancels_no_fetch(tokens: DownstreamTokens, source: Source) -> None:
    """One request's deadline is not the others' failure."""
    source.stall = asyncio.Event()
    waiting = [asyncio.create_task(tokens.token("s")) for _ in range(2)]
    await settle()
    waiting[0].cancel()
    await settle()
    source.stall.set()
    assert (await waiting[1]).token == "token 1"


async def test_refused_token_is_dropped_once(tokens: DownstreamTokens, source: Source) -> None:
    """A hundred requests with the same refused token cost one fetch."""
    refused = (await tokens.token("s")).token
    for _ in range(100):
        tokens.refused("s", refused)
        assert (await tokens.token("s")).token == "token 2"
    assert len(source.fetches) == 2


async def test_downstream_that_refuses_every_token(tokens: DownstreamTokens, source: Source) -> None:
    """Who refuses the new token too gets it again until the cool-down is over: no fetch a request."""
    for _ in range(100):
        tokens.refused("s", (await tokens.token("s")).token)
    assert (await tokens.token("s")).token == "token 2"
    assert len(source.fetches) == 2
    await source.tick(REFUSAL_COOL_DOWN_S)
    tokens.refused("s", "token 2")
    assert not tokens.cached("s")
    assert (await tokens.token("s")).token == "token 3"


async def test_refusing_the_unknown_does_nothing(tokens: DownstreamTokens, source: Source) -> None:
    """A scope that was never asked for, or a token that is no longer held, drops nothing and fetches nothing."""
    tokens.refused("s", "token 1")
    await settle()
    assert source.fetches == []
    await tokens.token("s")
    tokens.refused("s", "another")
    assert tokens.cached("s")


async def test_clock_set_back_lengthens_no_life(tokens: DownstreamTokens, source: Source) -> None:
    """A token ends when its time has passed, also when the wall clock was set back a day meanwhile."""
    await tokens.token("s")
    source.wall.now_s -= 86_400
    assert (await tokens.token("s")).token == "token 1"
    source.error = TokenFetchError("down")
    await source.clock.tick(HOUR_S)
    assert not tokens.cached("s")
    with pytest.raises(TokenUnavailable):
        await tokens.token("s")
    source.error = None
    await source.tick(60)
    assert tokens.cached("s")


async def test_clock_jumps_past_the_end(tokens: DownstreamTokens, source: Source) -> None:
    """After a machine slept past the token's end, the next requests share one fetch; set right again, nothing more."""
    await tokens.token("s")
    source.wall.now_s += 2 * HOUR_S
    got = await asyncio.gather(*(tokens.token("s") for _ in range(100)))
    assert {token.token for token in got} == {"token 2"}
    source.wall.now_s -= 2 * HOUR_S
    assert (await tokens.token("s")).token == "token 2"
    assert len(source.fetches) == 2


async def test_clock_jumps_past_the_refresh(tokens: DownstreamTokens, source: Source) -> None:
    """After a machine slept past the refresh, the next request starts it and does not wait for it."""
    await tokens.token("s")
    source.wall.now_s += REFRESH_S + 1
    source.error = TokenFetchError("down")
    for _ in range(10):
        assert (await tokens.token("s")).token == "token 1"
        await settle()
    assert len(source.fetches) == 2
    source.error = None
    await source.tick(1)
    assert (await tokens.token("s")).token == "token 1"
    await settle()
    assert (await tokens.token("s")).token == "token 3"


async def test_scopes_are_bounded(tokens: DownstreamTokens, source: Source) -> None:
    """The least recently used scope makes room, and is refreshed no longer."""
    await tokens.token("used")
    for number in range(MAX_SCOPES + 3):
        await tokens.token(f"s{number}")
        await tokens.token("used")
    assert tokens.cached("used")
    assert not tokens.cached("s0")
    source.fetches.clear()
    await source.tick(REFRESH_S)
    assert len(source.fetches) == MAX_SCOPES
    assert "s0" not in source.fetches


async def test_closing(tokens: DownstreamTokens, source: Source) -> None:
    """Who waits at the end is told so, nothing runs on, and nothing starts again."""
    source.stall = asyncio.Event()
    waiting = asyncio.create_task(tokens.token("s"))
    await settle()
    await tokens.close()
    with pytest.raises(TokenUnavailable, match="downstream_token_closed"):
        await waiting
    with pytest.raises(TokenUnavailable, match="downstream_token_closed"):
        await tokens.token("s")
    assert len(asyncio.all_tasks()) == 1


async def test_failures_are_logged(tokens: DownstreamTokens, source: Source, caplog: pytest.LogCaptureFixture) -> None:
    """A failed refresh, which no request notices, is told with its reason and the time of the next attempt."""
    caplog.set_level(logging.WARNING)
    source.error = TokenFetchError("client-secret: status 401 AADSTS7000215")
    tokens.warm("s")
    await settle()
    assert caplog.messages == ["no downstream token (s), next fetch in 1.0 s: client-secret: status 401 AADSTS7000215"]


async def test_azure_sdk_protocol(tokens: DownstreamTokens, source: Source) -> None:
    """The cache is a credential for any Azure SDK client, in both of azure-core's forms."""
    assert isinstance(tokens, AsyncTokenCredential)
    assert isinstance(tokens, AsyncSupportsTokenInfo)
    source.refresh_after_s = 100.5
    token = await tokens.get_token("s", tenant_id="any", enable_cae=True)
    assert token == ("token 1", int(NOW_S + HOUR_S))
    info = await tokens.get_token_info("s", options={"enable_cae": True})
    assert (info.token, info.expires_on, info.refresh_on) == ("token 1", int(NOW_S + HOUR_S), int(NOW_S + 100.5))
    source.refresh_after_s = None
    assert (await tokens.get_token_info("other")).refresh_on is None
    for scopes in ((), ("a", "b")):
        with pytest.raises(ValueError, match="exactly one scope"):
            await tokens.get_token(*scopes)
    with pytest.raises(TokenUnavailable, match="claims_challenge"):
        await tokens.get_token("s", claims="{}")


async def test_azure_sdk_clients_share_the_cache(tokens: DownstreamTokens, source: Source) -> None:
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


async def test_expiry_against_a_real_issuer(tmp_path: Path) -> None:
    """Over real sockets too, a hundred requests at the token's end cost one token request, and a failure heals."""
    async with running_issuer(tmp_path) as issuer:
        environ = {**issuer.environ, "AZURE_CLIENT_SECRET": CLIENT_SECRET}
        fetch = token_source("client-secret", environ, client_options=issuer.client_options)
        clock, wall = Clock(), Clock()
        async with DownstreamTokens(fetch, clock=wall, sleep=clock.sleep, rng=lambda: 0.0, monotonic=clock) as tokens:
            wall.now_s = time.time()
            first = await tokens.token(SCOPE)
            wall.now_s += HOUR_S
            issuer.faults = [answer(429, Retry_After="2")]
            with pytest.raises(TokenUnavailable, match="status 429"):
                await tokens.token(SCOPE)
            await clock.tick(1.9)
            with pytest.raises(TokenUnavailable, match="backing_off"):
                await tokens.token(SCOPE)
            wall.now_s -= HOUR_S - 1
            assert await tokens.token(SCOPE) == first
            tokens.refused(SCOPE, first.token)
            await clock.tick(0.1)
            got = await asyncio.gather(*(tokens.token(SCOPE) for _ in range(100)))
            assert len({token.token for token in got}) == 1
            assert got[0] != first
        assert len(issuer.paths) == 3
