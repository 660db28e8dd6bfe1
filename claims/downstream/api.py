"""The client for downstream APIs: a GET with a cached token, with limits on everything but time, which the caller sets.

A downstream may answer anything, so the status must be 200 or 404 and the body a JSON object of limited size. Errors
name the rule that was broken and never quote the answer. Connections stay open between sign-ins, because a TLS
handshake costs as much as the call. The client, aiohttp, is imported off the event loop.
"""

import asyncio
import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import ProviderFailed
from claims.provider import ProviderContext
from claims.wire import strict_json
from claims.wire.fetch import AnswerTooLarge, FetchError
from claims.wire.own_thread import in_own_thread

if TYPE_CHECKING:
    from claims.wire.http_client import Answer, HttpClient

MAX_ANSWER_BYTES: Final = 64 * 1024

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
        self._max_answer_bytes = max_answer_bytes
        self._opening: asyncio.Task[HttpClient] | None = None

    def start(self) -> None:
        """Fetch the first token and import the client in the background, before a request needs them."""
        if self._tokens is not None:
            self._tokens.start()
        _ = self._open()

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
            client = (await asyncio.gather(self._opening, return_exceptions=True))[0]
            if not isinstance(client, BaseException):
                await client.aclose()
        if self._tokens is not None:
            await self._tokens.aclose()

    def _open(self) -> "asyncio.Task[HttpClient]":
        opening = self._opening
        # What failed once, for example for lack of memory, must not fail every later sign-in.
        if opening is None or (opening.done() and (opening.cancelled() or opening.exception() is not None)):
            opening = self._opening = asyncio.get_running_loop().create_task(_open_client(self._max_answer_bytes))
        return opening

    async def _authorized(self, url: str, context: ProviderContext, headers: Sequence[tuple[str, str]]) -> "Answer":
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

    async def _call(self, url: str, context: ProviderContext, headers: Sequence[tuple[str, str]]) -> "Answer":
        with context.phase("downstream_call"):
            try:
                client = await asyncio.shield(self._open())
                return await client.get(url, headers)
            except AnswerTooLarge as error:
                raise ProviderFailed("downstream_too_large", str(error)) from error
            except FetchError as error:
                raise ProviderFailed("downstream_unreachable", str(error)) from error


async def _open_client(max_answer_bytes: int) -> "HttpClient":
    module = await in_own_thread(importlib.import_module, "claims.wire.http_client")
    client: HttpClient = module.HttpClient(max_answer_bytes)
    return client


def _bearer(token: str) -> tuple[str, str]:
    return "authorization", f"Bearer {token}"
