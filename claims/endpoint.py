"""The endpoint: one event in, one answer out, always, and in time.

This is the whole way of a request: header, token, event, provider, reply. It knows no web framework; `function_app.py`
shows how little one needs to add.
"""

import asyncio
import contextlib
import gc
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, cast

from claims.errors import ProviderFailed, RequestError, SettingsError, TokenRefused, Unavailable
from claims.event import parse_event, require_configured
from claims.failure_policy import FailurePolicy
from claims.header import bearer_token, require_json
from claims.latency import LatencyWindow
from claims.provider import Closes, Provider, Starts, default_claims, load_provider
from claims.provider_call import ProviderWork
from claims.reply import build_reply
from claims.request_log import RequestRecord
from claims.settings.settings import Settings, provider_name
from claims.token.keys import SigningKeys
from claims.token.validator import TokenValidator
from claims.wire.fetch import HttpGet

_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
type Outcome = Literal["claims", "omitted", "stale"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response for any web host to send."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Endpoint:
    """Answers Entra's ``onTokenIssuanceStart`` event.

    Args:
        settings: whom to believe and how long to take.
        keys: Entra's signing keys.
        provider: knows the claims.
        clock: monotonic seconds, for durations.
        wall_clock: seconds since the epoch, for the token's times.
        closing: what else to close with the endpoint.
    """

    def __init__(
        self,
        settings: Settings,
        keys: SigningKeys,
        provider: Provider,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._clock = clock
        self._validator = TokenValidator(settings, keys, wall_clock=wall_clock)
        self._work = ProviderWork(
            provider, budget_ms=settings.budget_ms, max_running=settings.max_concurrent, clock=clock
        )
        self._policy = FailurePolicy(settings, default_claims(provider), clock=clock)
        self._latencies = LatencyWindow()
        self._closing = (keys.aclose, self._work.aclose, *closing)
        self._cold = True
        self._settled = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Build the endpoint from the environment and, if a loop is running, begin to load the keys and the provider.

        The Functions worker imports the app on its event loop, so signing keys, downstream tokens and clients load
        while the host is still busy starting; elsewhere the first request begins it.

        Raises:
            SettingsError: naming every setting at fault.
        """
        settings, provider = _configure(environ)
        for warning in settings.warnings:
            _log.warning("%s", warning)
        get = HttpGet()
        keys = SigningKeys(settings.authorities, get, clock=time.monotonic, sleep=asyncio.sleep)
        closing = [get.aclose, provider.aclose] if isinstance(provider, Closes) else [get.aclose]
        endpoint = cls(settings, keys, provider, closing=closing)
        try:
            keys.start()
        except RuntimeError:
            _log.debug("no running loop: the first request loads the signing keys")
            return endpoint
        if isinstance(provider, Starts):
            provider.start()
        return endpoint

    async def token_issuance_start(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one event. Never raises.

        Args:
            headers: by lower-case name; repeated ones joined with a comma.
            body: the whole body, as it came.
        """
        record = RequestRecord(budget_ms=self._settings.budget_ms, clock=self._clock, cold=self._cold)
        self._cold = False
        try:
            response = await self._answer(headers, body, record)
        except RequestError as error:
            response = _refusal(error, record)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (the one edge: no answer would be worse)
            response = _refusal(ProviderFailed("unexpected", type(error).__name__), record)
        return response

    async def health(self, headers: Mapping[str, str]) -> Response:
        """Say whether tokens can be judged: 200 once signing keys are loaded, 503 before.

        A caller with a token that this endpoint accepts is told the latencies of the last requests, too.
        """
        if not await self._keys.ready():
            return Response(503, b'{"status":"unavailable","reason":"the signing keys are not loaded"}', _HEADERS)
        health: dict[str, object] = {"status": "ok"}
        record = RequestRecord(budget_ms=self._settings.budget_ms, clock=self._clock, cold=False)
        with contextlib.suppress(RequestError):
            await self._validator.validate(bearer_token(headers), cast("Any", record))
            health["latency_ms"] = self._latencies.percentiles_ms()
        return Response(200, json.dumps(health, separators=(",", ":")).encode(), _HEADERS)

    async def aclose(self) -> None:
        """Stop the background work and close the connections."""
        for close in self._closing:
            await close()

    async def _answer(self, headers: Mapping[str, str], body: bytes, record: RequestRecord) -> Response:
        await self._validator.validate(bearer_token(headers), cast("Any", record))
        record.authenticated = True
        with record.phase("body"):
            require_json(headers)
            event = parse_event(body)
            record.correlation_id = event.context.correlation_id
            require_configured(event, self._settings)
        outcome: Outcome = "claims"
        try:
            with record.phase("provider"):
                provided = await self._work.claims(event, record)
            with record.phase("reply"):
                reply = build_reply(provided)
            self._policy.remember(event, provided)
        except Unavailable as failure:
            record.failure = failure.code
            record.detail = failure.detail
            fallback = self._policy.fallback(event)
            if fallback is None:
                raise
            outcome = fallback.outcome
            with record.phase("reply"):
                reply = build_reply(fallback.claims)
        record.claims_bytes, record.dropped_claims = reply.claims_bytes, reply.dropped
        record.write(status=200, outcome=outcome)
        if not self._settled:
            self._settled = True
            # Now all that lives for ever is there. A full collection of garbage would walk it again and again, each
            # time for some 60 ms in which nobody is answered; frozen, it is passed over.
            gc.freeze()
        self._latencies.add(record.timings_ms)
        shown = "joined" if record.joined and outcome == "claims" else outcome
        headers = {**_HEADERS, "Server-Timing": record.server_timing(), "X-Claims-Outcome": shown}
        return Response(200, reply.body, headers)


def _configure(environ: Mapping[str, str]) -> tuple[Settings, Provider]:
    """Read the endpoint's settings and the provider's, and tell the problems of both at once."""
    try:
        settings = Settings.from_env(environ)
    except SettingsError as error:
        problems = list(error.problems)
        try:
            if (name := provider_name(environ)) is not None:
                load_provider(name, environ)
        except SettingsError as more:
            problems += more.problems
        raise SettingsError(tuple(dict.fromkeys(problems))) from error
    return settings, load_provider(settings.provider, environ)


def _refusal(error: RequestError, record: RequestRecord) -> Response:
    """Answer an error in constant words, and log the real ones."""
    record.failure = None  # it is the outcome now
    record.write(status=error.status, outcome=error.code, detail=error.detail)
    headers = dict(_HEADERS)
    if isinstance(error, TokenRefused):
        # RFC 6750 section 3.1: no error code where no credentials were sent.
        headers["WWW-Authenticate"] = "Bearer" if error.code == "token_missing" else 'Bearer error="invalid_token"'
    if record.authenticated:
        headers |= {"Server-Timing": record.server_timing(), "X-Claims-Outcome": "failed"}
    body = json.dumps({"error": {"code": error.public_code, "message": error.public_message}})
    return Response(error.status, body.encode(), headers)
