"""The token for one scope of a downstream API: fetched ahead of time, and once for all requests.

A request uses the token that is held. It waits only if there is no valid one, and then for the single fetch in
progress. After a failed fetch, requests fail at once, with the reason, until the next attempt is due: Azure drops what
is logged outside a request, so the reason has to reach the request's own line.

Durations are measured on the monotonic clock, so a wall clock that is set back extends no token's lifetime. A wall
clock that jumps ahead, as after a machine was suspended, is noticed by the next request.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Self

from claims.downstream.issued_token import (
    DownstreamToken,
    TokenFetchError,
    TokenSource,
    back_off_s,
    checked,
    refresh_in_s,
    usable_s,
)
from claims.errors import TokenUnavailable
from claims.provider import ProviderContext

if TYPE_CHECKING:
    # Only the Azure SDK needs it, and has loaded it when it calls.
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

#: For one fetch, including the imports of the first one. Longer than any budget, so that Entra's retry finds it done.
FETCH_TIMEOUT_S: Final = 10.0
#: Between two background fetches, whatever the tokens' lifetimes and the issuer's advice.
MIN_PAUSE_S: Final = 1.0
#: Between two tokens dropped because the downstream refused them. A downstream that refuses every token must not cost
#: one fetch for each request.
REFUSAL_COOL_DOWN_S: Final = 5.0
#: Of the reason of a failed fetch, so that a request's detail stays below 300 characters.
MAX_REASON_CHARACTERS: Final = 240


class DownstreamTokenCache:
    """Keeps a bearer token for one scope; also an azure-core ``AsyncTokenCredential``.

    Nothing runs before `start` or the first `token`. From then on a task of that event loop keeps the token fresh,
    until `aclose`.

    Args:
        scope: What the token is for.
        fetch: Fetches a new token (`claims.downstream.credentials.token_source`).
        clock: Wall-clock seconds since the epoch (``time.time``).
        sleep: Waits, in the background only (``asyncio.sleep``).
        rng: Returns 0 to 1, for the jitter (``random.random``).
        monotonic: Seconds that only increase.
    """

    def __init__(
        self,
        scope: str,
        fetch: TokenSource,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        rng: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scope = scope
        self._fetch = fetch
        self._clock = clock
        self._sleep = sleep
        self._rng = rng
        self._monotonic = monotonic
        self._held: DownstreamToken | None = None
        self._held_until_s = self._due_s = self._retry_s = self._dropped_s = float("-inf")
        self._due_wall_s = float("inf")
        self._failures = 0
        self._last_failure = ""
        self._flight: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def cached(self) -> bool:
        """Whether `token` would return at once."""
        return self._valid() is not None

    def report(self, context: ProviderContext) -> None:
        """Put into the request's line whether a token is held and, if it could not be refreshed, why."""
        context.cache_hit("downstream_token", self.cached)
        if self._failures and self.cached:
            context.note_failing("downstream_token", self._last_failure)

    def start(self) -> None:
        """Start to keep the token fresh, on the running loop, unless that is already done.

        Raises:
            TokenUnavailable: It was closed.
        """
        if self._closed:
            raise TokenUnavailable("downstream_token_closed", "the endpoint is closing")
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.get_running_loop().create_task(self._keep_fresh())

    async def token(self) -> DownstreamToken:
        """Return a valid token, at once if one is held.

        Raises:
            TokenUnavailable: There is none, and the fetch failed or must not be repeated yet; the detail gives the
                reason of the last failure.
        """
        self.start()
        back_off_left_s = self._retry_s - self._monotonic()
        if (held := self._valid()) is not None:
            if self._clock() >= self._due_wall_s and back_off_left_s <= 0:
                _ = self._fetching()  # in the background
            return held
        if back_off_left_s > 0:
            next_fetch = f"the next fetch is in {back_off_left_s:.1f} s"
            raise TokenUnavailable("downstream_token_backing_off", f"{next_fetch}; the last one: {self._last_failure}")
        flight = self._fetching()
        await asyncio.wait({flight})
        if self._closed or flight.cancelled():
            raise TokenUnavailable("downstream_token_closed", "the endpoint is closing")
        if (held := self._valid()) is None:
            raise TokenUnavailable("downstream_token_unavailable", self._last_failure)
        return held

    def refused(self, token: str) -> None:
        """Drop a token that the downstream answered with 401, so that the next `token` fetches one.

        Nothing happens if another token is held by now, or if one was dropped less than 5 seconds ago: a downstream
        that refuses a new token will refuse the next one too.
        """
        now_s = self._monotonic()
        if self._held is not None and self._held.token == token and now_s - self._dropped_s >= REFUSAL_COOL_DOWN_S:
            self._held, self._dropped_s = None, now_s

    async def aclose(self) -> None:
        """Stop the background work and forget the token; `token` raises `TokenUnavailable` from now on."""
        self._closed = True
        tasks = [task for task in (self._keeper, self._flight) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._held = self._keeper = self._flight = None

    async def get_token_info(self, *scopes: str, options: "TokenRequestOptions | None" = None) -> "AccessTokenInfo":
        """Return the token for an Azure SDK client, as azure-core's ``AsyncSupportsTokenInfo`` does.

        The tenant is the configured one and a token never promises continuous access evaluation, so ``tenant_id`` and
        ``enable_cae`` change nothing, as with a managed identity.

        Raises:
            TokenUnavailable: As in `token`, or ``claims`` asks for what a cached token cannot have.
            ValueError: Another scope than this cache's.
        """
        from azure.core.credentials import AccessTokenInfo  # noqa: PLC0415 (the calling SDK has loaded it)

        if scopes != (self.scope,):
            raise ValueError(f"this credential is for the scope {self.scope} alone")
        if (options or {}).get("claims"):
            raise TokenUnavailable("downstream_token_claims_challenge", "the downstream asks for more claims")
        token = await self.token()
        refresh_on = None if token.refresh_on_s is None else int(token.refresh_on_s)
        return AccessTokenInfo(token.token, int(token.expires_on_s), refresh_on=refresh_on)

    async def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> "AccessToken":
        """Return the token as `get_token_info` does, in the form of azure-core's ``AsyncTokenCredential``."""
        from azure.core.credentials import AccessToken  # noqa: PLC0415 (the calling SDK has loaded it)

        info = await self.get_token_info(*scopes, options={"claims": claims} if claims else None)
        return AccessToken(info.token, info.expires_on)

    close = aclose  # azure-core's name

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _valid(self) -> DownstreamToken | None:
        """Return the held token if it is valid by both clocks."""
        held = self._held
        valid = held is not None and self._monotonic() < self._held_until_s and self._clock() < held.expires_on_s
        return held if valid else None

    def _fetching(self) -> asyncio.Task[None]:
        """Return the fetch in progress, or a new one."""
        if self._flight is None or self._flight.done():
            self._flight = asyncio.get_running_loop().create_task(self._fetch_once())
        return self._flight

    async def _keep_fresh(self) -> None:
        while True:
            # A request may have fetched meanwhile.
            if self._due_s <= self._monotonic():
                await asyncio.wait({self._fetching()})
            await self._sleep(max(self._due_s - self._monotonic(), MIN_PAUSE_S))

    async def _fetch_once(self) -> None:
        """Fetch and hold a token, or record the failure."""
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_S):
                fetched = await self._fetch(self.scope)
            now_s = self._clock()
            token = checked(fetched, now_s)
        except (Exception, asyncio.CancelledError, SystemExit) as error:  # whatever the source raises is one failure
            if self._closed:
                raise
            self._failed(error)
            return
        self._held, self._held_until_s = token, self._monotonic() + usable_s(token, now_s)
        self._failures, self._retry_s = 0, float("-inf")
        refresh_s = refresh_in_s(token, now_s, self._rng())
        self._due_s, self._due_wall_s = self._monotonic() + refresh_s, now_s + refresh_s

    def _failed(self, error: BaseException) -> None:
        self._failures += 1
        pause_s = back_off_s(self._failures, getattr(error, "retry_after_s", None), self._rng())
        self._due_s = self._retry_s = self._monotonic() + pause_s
        self._last_failure = _reason(error)[:MAX_REASON_CHARACTERS]


def _reason(error: BaseException) -> str:
    """Return why a fetch failed; only a `TokenFetchError` is known to say nothing secret."""
    if isinstance(error, TokenFetchError):
        return str(error)
    if isinstance(error, TimeoutError):
        return f"no answer within {FETCH_TIMEOUT_S:g} s"
    return f"unexpected {type(error).__name__}"
