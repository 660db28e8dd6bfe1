"""The endpoint: one event in, one answer out, always, and in time.

This is the whole way of a request: header, token, event, provider, reply. It knows no web framework; `function_app.py`
shows how little one needs to add.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from claims.deadline import provide_within
from claims.errors import ProviderFailed, RequestError, TokenRefused
from claims.event import parse_event, require_configured
from claims.fetch import HttpGet
from claims.header import bearer_token, require_json
from claims.keys import SigningKeys
from claims.provider import Provider, ProviderContext, load_provider
from claims.record import RequestRecord
from claims.reply import build_reply
from claims.settings import Settings
from claims.token import TokenValidator

_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
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
        self._provider = provider
        self._clock = clock
        self._validator = TokenValidator(settings, keys, wall_clock=wall_clock)
        self._closing = (keys.aclose, *closing)
        self._cold = True

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Build the endpoint from the environment and begin to load the signing keys if a loop is running.

        The Functions worker imports the app on its event loop, so the keys load while the host is still busy
        starting; elsewhere the first request begins it.

        Raises:
            SettingsError: naming every setting at fault.
        """
        settings = Settings.from_env(environ)
        for warning in settings.warnings:
            _log.warning("%s", warning)
        provider = load_provider(settings.provider, environ)
        get = HttpGet()
        keys = SigningKeys(settings.authorities, get, clock=time.monotonic, sleep=asyncio.sleep)
        endpoint = cls(settings, keys, provider, closing=[get.aclose])
        try:
            keys.start()
        except RuntimeError:
            _log.debug("no running loop: the first request loads the signing keys")
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

    async def health(self) -> Response:
        """Say whether tokens can be judged: 200 once signing keys are loaded, 503 before."""
        self._keys.start()
        if self._keys.count("2.0") or self._keys.count("1.0"):
            return Response(200, b'{"status":"ok"}', _HEADERS)
        return Response(503, b'{"status":"unavailable","reason":"the signing keys are not loaded"}', _HEADERS)

    async def aclose(self) -> None:
        """Stop the background work and close the connections."""
        for close in self._closing:
            await close()

    async def _answer(self, headers: Mapping[str, str], body: bytes, record: RequestRecord) -> Response:
        await self._validator.validate(bearer_token(headers), record)
        record.authenticated = True
        with record.phase("body"):
            require_json(headers)
            event = parse_event(body)
            record.correlation_id = event.context.correlation_id
            require_configured(event, self._settings)
        with record.phase("provider"):
            context = ProviderContext(remaining_s=record.remaining_s)
            provided = await provide_within(self._provider.provide(event, context), record.remaining_s())
        with record.phase("reply"):
            reply = build_reply(provided)
        record.claims_bytes, record.dropped_claims = reply.claims_bytes, reply.dropped
        record.write(status=200, outcome="claims")
        return Response(200, reply.body, {**_HEADERS, "Server-Timing": record.server_timing()})


def _refusal(error: RequestError, record: RequestRecord) -> Response:
    """Answer an error in constant words, and log the real ones."""
    record.write(status=error.status, outcome=error.code, detail=error.detail)
    headers = dict(_HEADERS)
    if isinstance(error, TokenRefused):
        # RFC 6750 section 3.1: no error code where no credentials were sent.
        headers["WWW-Authenticate"] = "Bearer" if error.code == "token_missing" else 'Bearer error="invalid_token"'
    if record.authenticated:
        headers["Server-Timing"] = record.server_timing()
    body = json.dumps({"error": {"code": error.public_code, "message": error.public_message}})
    return Response(error.status, body.encode(), headers)
