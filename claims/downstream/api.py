"""The client of downstream APIs: a GET with a cached token, bounded in everything but the caller's time.

It faces a downstream that may say anything: the status must be 200 or 404, the body a JSON object of limited size. What
is wrong with an answer is told by a code, never by its content. It keeps connections open between sign-ins, because a
TLS handshake costs as much as the call; a server may close one just as it is used again, so a GET whose connection
broke before the answer began is sent once more (RFC 9110 section 9.2.2).
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from claims.downstream.tokens import DownstreamTokens
from claims.errors import ProviderFailed
from claims.provider import ProviderContext
from claims.wire import strict_json
from claims.wire.fetch import Answer, AnswerTooLarge, ConnectionLost, FetchError, HttpGet

MAX_ANSWER_BYTES: Final = 64 * 1024
#: More than 50 requests a second need when each call takes the whole budget.
_MAX_CONNECTIONS: Final = 100
#: Azure's front ends drop an idle connection after four minutes at the earliest.
_IDLE_S: Final = 120.0
#: Only so that no connection is held for ever: the budget is over long before.
_STALL_S: Final = 10.0

_OK: Final = 200
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404


class Downstream:
    """Calls the APIs of one provider.

    Args:
        tokens: where bearer tokens come from; None calls without one.
        scope: of those tokens.
        max_answer_bytes: of a body.
    """

    def __init__(
        self, tokens: DownstreamTokens | None, scope: str, *, max_answer_bytes: int = MAX_ANSWER_BYTES
    ) -> None:
        self._tokens = tokens
        self._scope = scope
        self._http = HttpGet(max_answer_bytes, max_connections=_MAX_CONNECTIONS, idle_s=_IDLE_S, stall_s=_STALL_S)
        self._opening: asyncio.Task[object] | None = None

    def start(self) -> None:
        """Get the first token and read the system's certificates in the background, before anyone waits for them."""
        if self._tokens is not None:
            self._tokens.warm(self._scope)
        self._opening = asyncio.get_running_loop().create_task(self._http.open())

    async def get_object(
        self, url: str, context: ProviderContext, headers: Sequence[tuple[str, str]] = ()
    ) -> dict[str, Any] | None:
        """GET a JSON object; None when the API answers 404.

        Args:
            url: in ASCII, on the host that the token is for.
            context: of the request, which measures token and call.
            headers: beside Accept and Authorization.

        Raises:
            TokenUnavailable: there is no token.
            ProviderFailed: ``downstream_unreachable``, ``downstream_status``, ``downstream_too_large`` or
                ``downstream_shape``.
        """
        answer = await self._authorised(url, context, headers)
        if answer.status == _NOT_FOUND:
            return None
        if answer.status != _OK:
            raise ProviderFailed("downstream_status", f"expected 200 or 404, got {answer.status}")
        try:
            return strict_json.parse_object(answer.body)
        except strict_json.StrictJsonError as error:
            raise ProviderFailed("downstream_shape", f"expected a JSON object: {error}") from error

    async def aclose(self) -> None:
        """Stop fetching tokens and close the connections."""
        if self._opening is not None:
            await asyncio.wait({self._opening})
        if self._tokens is not None:
            await self._tokens.aclose()
        await self._http.aclose()

    async def _authorised(self, url: str, context: ProviderContext, headers: Sequence[tuple[str, str]]) -> Answer:
        if self._tokens is None:
            return await self._call(url, context, headers)
        context.cache_hit("downstream_token", self._tokens.cached(self._scope))
        token = await self._token(self._tokens, context)
        answer = await self._call(url, context, [*headers, _bearer(token)])
        if answer.status == _UNAUTHORIZED:
            self._tokens.refused(self._scope, token)
            fresh = await self._token(self._tokens, context)
            if fresh != token:
                answer = await self._call(url, context, [*headers, _bearer(fresh)])
        return answer

    async def _token(self, tokens: DownstreamTokens, context: ProviderContext) -> str:
        with context.phase("downstream_token"):
            return (await tokens.token(self._scope)).token

    async def _call(self, url: str, context: ProviderContext, headers: Sequence[tuple[str, str]]) -> Answer:
        with context.phase("downstream_call"):
            try:
                try:
                    return await self._http.answer(url, headers)
                except ConnectionLost:
                    return await self._http.answer(url, headers)
            except AnswerTooLarge as error:
                raise ProviderFailed("downstream_too_large", str(error)) from error
            except FetchError as error:
                raise ProviderFailed("downstream_unreachable", str(error)) from error


def _bearer(token: str) -> tuple[str, str]:
    return "authorization", f"Bearer {token}"
