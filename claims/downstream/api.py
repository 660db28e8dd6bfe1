"""The client for downstream APIs: a GET with a cached token, with limits on everything but time, which the caller sets.

A downstream may answer anything, so the status must be 200 or 404 and the body a JSON object of limited size. Errors
name the rule that was broken and never quote the answer. Connections stay open between sign-ins, because a TLS
handshake costs as much as the call; a server may close one just as it is used again, so a GET whose connection broke
before the answer began is sent once more (RFC 9110 section 9.2.2).
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import ProviderFailed
from claims.provider import ProviderContext
from claims.wire import strict_json
from claims.wire.fetch import Answer, AnswerTooLarge, ConnectionLost, FetchError, HttpGet

MAX_ANSWER_BYTES: Final = 64 * 1024
#: More than 50 requests per second need if each call takes the whole budget.
_MAX_CONNECTIONS: Final = 100
#: Azure's front ends drop an idle connection after four minutes at the earliest.
_IDLE_S: Final = 120.0
#: Only so that no connection is held forever: the budget ends long before.
_STALL_S: Final = 10.0

_OK: Final = 200
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404


class Downstream:
    """Calls the APIs of one provider.

    Args:
        tokens: Where bearer tokens come from; None calls without a token.
        max_answer_bytes: The limit for one body.
    """

    def __init__(self, tokens: DownstreamTokenCache | None, *, max_answer_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._tokens = tokens
        self._http = HttpGet(max_answer_bytes, max_connections=_MAX_CONNECTIONS, idle_s=_IDLE_S, stall_s=_STALL_S)
        self._opening: asyncio.Task[object] | None = None

    def start(self) -> None:
        """Fetch the first token and read the system's certificates in the background, before a request needs them."""
        if self._tokens is not None:
            self._tokens.start()
        self._opening = asyncio.get_running_loop().create_task(self._http.open())

    async def get_object(
        self, url: str, context: ProviderContext, headers: Sequence[tuple[str, str]] = ()
    ) -> dict[str, Any] | None:
        """GET a JSON object; return None if the API answers 404.

        Args:
            url: In ASCII, on the host that the token is for.
            context: Of the request; it measures token and call.
            headers: In addition to Accept and Authorization.

        Raises:
            TokenUnavailable: There is no token.
            ProviderFailed: ``downstream_unreachable``, ``downstream_status``, ``downstream_too_large`` or
                ``downstream_shape``.
        """
        answer = await self._authorized(url, context, headers)
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
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._tokens is not None:
            await self._tokens.aclose()
        await self._http.aclose()

    async def _authorized(self, url: str, context: ProviderContext, headers: Sequence[tuple[str, str]]) -> Answer:
        if self._tokens is None:
            return await self._call(url, context, headers)
        self._tokens.report(context)
        token = await self._token(self._tokens, context)
        answer = await self._call(url, context, [*headers, _bearer(token)])
        if answer.status == _UNAUTHORIZED:
            self._tokens.refused(token)
            fresh = await self._token(self._tokens, context)
            if fresh != token:
                answer = await self._call(url, context, [*headers, _bearer(fresh)])
        return answer

    async def _token(self, tokens: DownstreamTokenCache, context: ProviderContext) -> str:
        with context.phase("downstream_token"):
            return (await tokens.token()).token

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
