"""Sends a request to Graph on azure-core's pipeline, and retries it.

azure-core has the transport, the bearer token with its renewal, and Entra's claims challenges. Retrying is ours:
azure-core's ``AsyncRetryPolicy`` repeats a POST after 500 and 504, which would create a second object where there is no
unique name, waits for any ``Retry-After``, fails on one that it cannot parse, and measures a deadline in wall time.

A repeatable request is retried after everything that is temporary. A create is retried only if it cannot have been
executed: the connection was not made, or Graph answered that it is busy (429, 503). Otherwise the result is
`OutcomeUnknown`.

This module loads azure-core and aiohttp; `selftest.tenant.graph.client` imports it when a client is created.

Source: microsoft-graph-docs ``concepts/throttling.md`` (wait as long as ``Retry-After`` says, else exponentially),
``concepts/best-practices-concept.md``; azure-core 1.41 ``AsyncRetryPolicy``.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, cast

import aiohttp
from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, HeadersPolicy, RequestIdPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from yarl import URL

from selftest.tenant.graph.answer import Received, is_replication_lag, read_answer
from selftest.tenant.graph.credentials import GraphTokenSource
from selftest.tenant.graph.errors import AnswerUnusable, GraphError, OutcomeUnknown, Unreachable
from selftest.tenant.graph.patience import Patience

_HEADERS: Final = {
    "Accept": "application/json",
    # A compressed answer could be a thousand times as long as it looks.
    "Accept-Encoding": "identity",
    "User-Agent": "entra-claims-endpoint",
}
_NOT_EXECUTED: Final = frozenset({429, 503})


class GraphPipeline:
    """Sends requests to one Graph with a token.

    Args:
        local: Whether Graph is emulated on this machine: without TLS, and not through a proxy.
        clock: Monotonic seconds.
        wall_clock: Seconds since 1970.
        rng: Returns 0 to 1, so that clients that failed together do not come back together.
    """

    def __init__(
        self,
        credential: GraphTokenSource,
        scopes: Sequence[str],
        patience: Patience,
        *,
        local: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._bearer = AsyncBearerTokenCredentialPolicy[HttpRequest, AsyncHttpResponse](
            cast("Any", credential), *scopes
        )
        self._transport = AioHttpTransport(use_env_settings=not local)
        self._pipeline = AsyncPipelineClient[HttpRequest, AsyncHttpResponse](
            "",
            policies=[
                HeadersPolicy(_HEADERS),
                RequestIdPolicy(request_id_header_name="client-request-id"),
                self._bearer,
            ],
            transport=self._transport,
        )
        self._patience = patience
        self._options: dict[str, Any] = {"enforce_https": not local}
        self._clock = clock
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._rng = rng

    async def close(self) -> None:
        """Close the connections."""
        await self._pipeline.close()

    def deadline(self) -> float:
        """Return the time at which an operation that starts now is given up, on the monotonic clock."""
        return self._clock() + self._patience.deadline_s

    async def token(self) -> str:
        """Return the token that a request would be sent with now.

        Raises:
            NotSignedIn: The credential has none.
        """
        request = HttpRequest("GET", "https://graph")
        await self._bearer.on_request(PipelineRequest(request, PipelineContext(self._transport)))
        return request.headers["Authorization"].removeprefix("Bearer ")

    async def send(
        self, request: HttpRequest, *, what: str, deadline: float, repeatable: bool, replicating: bool = False
    ) -> Received:
        """Send a request until it is answered.

        Args:
            request: To Graph.
            what: Method and path, for messages.
            deadline: On the monotonic clock.
            repeatable: Whether sending it twice has the effect of sending it once.
            replicating: Whether a missing object may have been created a moment ago.

        Raises:
            GraphError: It was refused, or the last attempt failed.
        """
        delay_s = self._patience.first_delay_s
        while True:
            try:
                return await self._attempt(request, what, deadline)
            except GraphError as error:
                if not repeatable and _may_be_executed(error):
                    raise _unknown(error, request.method) from error
                if not isinstance(error, Unreachable) and not (replicating and is_replication_lag(error)):
                    raise
                asked_s = error.retry_after_s
                if asked_s is not None and asked_s > self._patience.max_retry_after_s:
                    raise
                # Up to a quarter more, and never less than Graph asked for.
                pause_s = (delay_s if asked_s is None else asked_s) * (1 + self._rng() / 4)
                if self._clock() + pause_s >= deadline:
                    raise
            await self._sleep(pause_s)
            delay_s = min(delay_s * 2, self._patience.max_delay_s)

    async def _attempt(self, request: HttpRequest, what: str, deadline: float) -> Received:
        left_s = min(self._patience.attempt_s, max(deadline - self._clock(), 0.001))
        try:
            async with asyncio.timeout(left_s):
                response = await self._pipeline.send_request(request, stream=True, **self._options)
                async with response:
                    return await read_answer(response, what, self._wall_clock)
        except (AzureError, OSError) as error:
            cause = f"no answer in {left_s:g} s" if isinstance(error, TimeoutError) else "the connection broke"
            raise _failure(error, what, URL(request.url).host, cause) from error


def _failure(error: Exception, what: str, host: str | None, cause: str) -> GraphError:
    """Return the error of an attempt without an answer."""
    inner = error.inner_exception if isinstance(error, AzureError) else error
    if isinstance(inner, aiohttp.ClientSSLError):
        reason = f"{what}: the certificate of {host} is not trusted"
        advice = "A proxy may inspect TLS: name its certificate in SSL_CERT_FILE, or bypass the proxy"
        return AnswerUnusable(reason, advice, sent=False)
    if isinstance(inner, aiohttp.ClientConnectorError):
        reason = f"{what}: no connection to {host} ({type(inner.os_error).__name__})"
        advice = "Check the network, its proxy (HTTPS_PROXY) and the address of Graph"
        return Unreachable(reason, advice, sent=False)
    return Unreachable(f"{what}: {cause}", "Check the network, and try again")


def _may_be_executed(error: GraphError) -> bool:
    """Whether Graph may have executed a request that ended with this error."""
    return isinstance(error, (Unreachable, AnswerUnusable)) and error.sent and error.status not in _NOT_EXECUTED


def _unknown(error: GraphError, method: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{error.reason}; whether it was executed is not known",
        f"Check whether the object exists before {method} is sent again: running the program again does that",
    )
