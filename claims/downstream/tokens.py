"""Downstream tokens: one cache for every provider and every Azure SDK client, filled ahead of time.

One entry a scope, each with its own expiry. A request takes what is there; it waits only where there is no valid token
at all, and then for the one fetch under way. After a failure it is told so at once until the next attempt is due.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from cachetools import LRUCache, TLRUCache

from claims.downstream.scope_token import ScopeToken, Timing
from claims.downstream.token import DownstreamToken, TokenFetchError, TokenSource, usable_s
from claims.errors import TokenUnavailable

if TYPE_CHECKING:
    # The Azure SDK has loaded this module when it calls; nobody else needs it.
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

__all__ = ["DownstreamToken", "DownstreamTokens", "TokenFetchError", "TokenSource"]

#: A deployment has one scope a downstream, a handful. The least recently used one makes room.
MAX_SCOPES: Final = 16


class DownstreamTokens:
    """Gives out bearer tokens by scope; also an azure-core ``AsyncTokenCredential``.

    Everything runs on one event loop, and the tokens in use are refreshed there until `aclose`.

    Args:
        fetch: gets a new token for a scope (`claims.downstream.credentials.token_source`).
        clock: wall-clock seconds since the epoch (``time.time``).
        sleep: waits, in the background only (``asyncio.sleep``).
        rng: returns 0 to 1, for the jitter (``random.random``).
        monotonic: seconds that only go forward.
    """

    def __init__(
        self,
        fetch: TokenSource,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        rng: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._timing = Timing(clock=clock, monotonic=monotonic, sleep=sleep, rng=rng)
        self._scopes: LRUCache[str, ScopeToken] = LRUCache(MAX_SCOPES)
        self._tokens: TLRUCache[str, DownstreamToken] = TLRUCache(
            MAX_SCOPES, ttu=lambda _scope, token, now_s: now_s + usable_s(token, clock()), timer=monotonic
        )
        self._closed = False

    async def token(self, scope: str) -> DownstreamToken:
        """Return a valid token, at once where there is one.

        Raises:
            TokenUnavailable: there is none, and the fetch failed or must not be tried yet.
        """
        in_use = self._in_use(scope)
        if held := self._held(scope):
            in_use.refresh_if_due(self._timing.clock())
            return held
        return await in_use.wait()

    def cached(self, scope: str) -> bool:
        """Say whether `token` would answer at once with a token."""
        return self._held(scope) is not None

    def refused(self, scope: str, token: str) -> None:
        """Drop a token that the downstream answered with 401, so that the next `token` fetches one.

        Nothing happens when another token is held by now, or when one was dropped less than 5 seconds ago: what refuses
        a new token too will refuse the next.
        """
        held = self._tokens.get(scope)
        if held is not None and held.token == token and self._in_use(scope).may_drop():
            self._tokens.pop(scope, None)

    def warm(self, scope: str) -> None:
        """Begin to fetch in the background, on the running loop."""
        self._in_use(scope)

    async def aclose(self) -> None:
        """Stop the background work and forget the tokens; who waits for one, or asks later, gets `TokenUnavailable`."""
        self._closed = True
        tasks = [task for in_use in self._scopes.values() for task in in_use.stop()]
        self._scopes.clear()
        self._tokens.clear()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> "AccessToken":
        """Return a token for an Azure SDK client, as azure-core's ``AsyncTokenCredential`` has it.

        The tenant is the configured one and a token never promises continuous access evaluation, so ``tenant_id`` and
        ``enable_cae`` change nothing, as with a managed identity.

        Raises:
            TokenUnavailable: as in `token`, or ``claims`` asks for what a cached token cannot have.
            ValueError: not exactly one scope.
        """
        del tenant_id, enable_cae
        from azure.core.credentials import AccessToken  # noqa: PLC0415 (the calling SDK has loaded it)

        token = await self._for_sdk(scopes, claims)
        return AccessToken(token.token, int(token.expires_on_s))

    async def get_token_info(self, *scopes: str, options: "TokenRequestOptions | None" = None) -> "AccessTokenInfo":
        """Return a token for an Azure SDK client, as azure-core's ``AsyncSupportsTokenInfo`` has it.

        Raises:
            TokenUnavailable, ValueError: as in `get_token`.
        """
        from azure.core.credentials import AccessTokenInfo  # noqa: PLC0415 (the calling SDK has loaded it)

        token = await self._for_sdk(scopes, (options or {}).get("claims"))
        refresh_on = None if token.refresh_on_s is None else int(token.refresh_on_s)
        return AccessTokenInfo(token.token, int(token.expires_on_s), refresh_on=refresh_on)

    async def close(self) -> None:
        """Close, under the name that azure-core uses."""
        await self.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        await self.aclose()

    async def _for_sdk(self, scopes: tuple[str, ...], claims: str | None) -> DownstreamToken:
        if len(scopes) != 1:
            raise ValueError(f"exactly one scope is needed, got {len(scopes)}")
        if claims:
            raise TokenUnavailable("downstream_token_claims_challenge", "the downstream asks for more claims")
        return await self.token(scopes[0])

    def _held(self, scope: str) -> DownstreamToken | None:
        """Find a token that is valid by both clocks: the cache goes by the monotonic one."""
        held = self._tokens.get(scope)
        return held if held is not None and self._timing.clock() < held.expires_on_s else None

    def _in_use(self, scope: str) -> ScopeToken:
        if (in_use := self._scopes.get(scope)) is not None:
            return in_use
        if self._closed:
            raise TokenUnavailable("downstream_token_closed", "the endpoint is closing")
        if len(self._scopes) == MAX_SCOPES:
            _, least_used = self._scopes.popitem()
            least_used.stop()

        def keep(token: DownstreamToken) -> None:
            self._tokens[scope] = token

        self._scopes[scope] = ScopeToken(scope, self._fetch, keep, self._timing)
        return self._scopes[scope]
