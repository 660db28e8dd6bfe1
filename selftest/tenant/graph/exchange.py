"""A request to Graph until it is answered, given up or refused: tokens, time, and what may be tried again.

What may be repeated without harm is repeated after everything that passes by itself. A create is repeated only when it
cannot have happened: the connection was not made, or Graph said that it is busy (429, 503). Otherwise, as two of
what has no unique name would be made, it ends with `OutcomeUnknown`.

Source: microsoft-graph-docs ``concepts/throttling.md`` (wait as long as ``Retry-After`` says, else exponentially),
``concepts/best-practices-concept.md``.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import aiohttp
from yarl import URL

from selftest.tenant.graph.answer import LAG_DETAILS, Received, read_answer
from selftest.tenant.graph.errors import (
    AnswerUnusable,
    GraphError,
    NotSignedIn,
    ObjectNotFound,
    OutcomeUnknown,
    RequestRefused,
    Unreachable,
)

#: A token this close to its end is not used for another request.
_TOKEN_MARGIN_S: Final = 300
_NEVER_DONE: Final = frozenset({429, 503})


class Token(Protocol):
    """A token and its end, as azure-core's ``AccessToken``."""

    @property
    def token(self) -> str:
        """Give the token itself."""

    @property
    def expires_on(self) -> int:
        """Give its end in seconds since 1970."""


class TokenCredential(Protocol):
    """Where tokens come from: the part of azure-core's ``AsyncTokenCredential`` that is used.

    It raises `NotSignedIn` when it has none, as those of `selftest.tenant.graph.credentials` do.
    """

    async def get_token(self, *scopes: str) -> Token:
        """Give a token for the scopes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to try. All in seconds.

    Attributes:
        deadline_s: for one operation with all its attempts and pages.
        attempt_s: for one attempt.
        first_delay_s: before the second attempt; it doubles each time.
        max_delay_s: between two attempts.
        max_retry_after_s: the longest ``Retry-After`` that is waited for.
    """

    deadline_s: float = 120.0
    attempt_s: float = 30.0
    first_delay_s: float = 0.5
    max_delay_s: float = 16.0
    max_retry_after_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request.

    Attributes:
        method: of HTTP.
        url: whole, and at Graph.
        what: method and path, for messages.
        body: a JSON object.
        headers: besides those of every request.
        repeatable: whether doing it twice is doing it once.
        replicating: whether an object that is missing may have been made a moment ago.
    """

    method: str
    url: URL
    what: str
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    replicating: bool = False


class Exchange:
    """Sends requests with a token.

    Args:
        session: as `graph_session` makes it.
        credential: where tokens come from.
        scopes: what tokens are asked for.
        patience: how long to try.
        clock: monotonic seconds.
        wall_clock: seconds since 1970.
        sleep: waits for seconds.
        rng: gives 0 to 1: clients that failed together do not come back together.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        credential: TokenCredential,
        scopes: Sequence[str],
        patience: Patience,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._session = session
        self._credential = credential
        self._scopes = tuple(scopes)
        self._patience = patience
        self._clock = clock
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._rng = rng
        self._token: Token | None = None
        self._fetching = asyncio.Lock()

    def deadline(self) -> float:
        """Give the moment at which an operation that starts now is given up, on the monotonic clock."""
        return self._clock() + self._patience.deadline_s

    async def token(self) -> str:
        """Give a token that is good for a while.

        Raises:
            NotSignedIn: the credential has none.
        """
        async with self._fetching:
            if self._token is None or self._token.expires_on - self._wall_clock() < _TOKEN_MARGIN_S:
                self._token = await self._credential.get_token(*self._scopes)
            return self._token.token

    async def send(self, call: Call, deadline: float) -> Received:
        """Send a request until it is answered.

        Raises:
            GraphError: it is refused, or the last attempt failed.
        """
        delay_s = self._patience.first_delay_s
        while True:
            try:
                return await self._attempt(call, deadline)
            except GraphError as error:
                if not _passes(error, call):
                    raise
                asked_s = error.retry_after_s
                if asked_s is not None and asked_s > self._patience.max_retry_after_s:
                    raise
                # Up to a quarter more; never less than Graph asked for.
                pause_s = (delay_s if asked_s is None else asked_s) * (1 + self._rng() / 4)
                if self._clock() + pause_s >= deadline:
                    raise
            await self._sleep(pause_s)
            delay_s = min(delay_s * 2, self._patience.max_delay_s)

    async def _attempt(self, call: Call, deadline: float) -> Received:
        left_s = min(self._patience.attempt_s, max(deadline - self._clock(), 0.001))
        headers = {"Authorization": f"Bearer {await self.token()}", "Accept": "application/json", **call.headers}
        try:
            async with (
                asyncio.timeout(left_s),
                self._session.request(
                    call.method, call.url, json=call.body, headers=headers, allow_redirects=False
                ) as response,
            ):
                return await read_answer(response, call.what, self._wall_clock)
        except NotSignedIn:
            self._token = None
            raise
        except aiohttp.ClientSSLError as error:
            reason = f"{call.what}: the certificate of {call.url.host} is not trusted"
            advice = "A proxy may look into TLS: name its certificate in SSL_CERT_FILE, or go around it"
            raise AnswerUnusable(reason, advice) from error
        except aiohttp.ClientConnectorError as error:
            reason = f"{call.what}: no connection to {call.url.host} ({type(error.os_error).__name__})"
            advice = "Check the network, its proxy (HTTPS_PROXY) and the address of Graph"
            raise Unreachable(reason, advice) from error
        except (Unreachable, AnswerUnusable) as error:
            if call.repeatable or error.status in _NEVER_DONE:
                raise
            raise _unknown(call, error.reason) from error
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            cause = f"no answer in {left_s:g} s" if isinstance(error, TimeoutError) else "the connection broke"
            reason = f"{call.what}: {cause}"
            if not call.repeatable:
                raise _unknown(call, reason) from error
            raise Unreachable(reason, "Check the network, and try again") from error


def graph_session(*, trust_env: bool = True) -> aiohttp.ClientSession:
    """Make the session that a client needs: no cookies, nothing packed, proxies from the environment.

    Args:
        trust_env: false for a Graph on this machine.
    """
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        # An answer that is packed could be a thousand times as long as it looks.
        headers={"Accept-Encoding": "identity", "User-Agent": "entra-claims-endpoint"},
        trust_env=trust_env,
        timeout=aiohttp.ClientTimeout(total=None),
    )


def _passes(error: GraphError, call: Call) -> bool:
    """Say whether what failed may go well by itself, and may be done again."""
    if isinstance(error, Unreachable):
        return True
    missing = isinstance(error, ObjectNotFound) or (isinstance(error, RequestRefused) and error.detail in LAG_DETAILS)
    return missing and call.replicating


def _unknown(call: Call, reason: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{reason}; whether it was done is not known",
        f"Look whether it is there before {call.method} is sent again: running the program again does",
    )
