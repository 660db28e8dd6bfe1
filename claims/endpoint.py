"""The endpoint: one event in, one answer out, always, and in time.

This is the complete path of a request: header, token, event, provider, reply. It knows no web framework;
`function_app.py` shows how little one needs to add.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from claims.errors import KeysUnavailable, ProviderFailed, RequestError, SettingsError, TokenRefused, place_of
from claims.event import parse_event, require_configured
from claims.failure_policy import LOOK_S, FailurePolicy
from claims.header import bearer_token, require_json
from claims.latency import LatencyWindow
from claims.loop_watch import LoopWatch
from claims.measurements import PROVIDER, Measurements
from claims.provider import Closes, Provider, default_claims
from claims.provider_call import ProviderCalls
from claims.provider_module import configure, load_provider
from claims.reply import Reply, build_reply
from claims.request_log import RequestLog, RequestRecord
from claims.settings.settings import ON_FAILURE, Settings
from claims.token.keys import SigningKeys
from claims.token.validator import TokenValidator
from claims.wire.fetch import HttpGet

if TYPE_CHECKING:
    from claims.shared_cache.replies import SharedReplies

_HEADERS: Final = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}


class Response(NamedTuple):
    """An HTTP response for any web host to send. The headers are by lower-case name, each once."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Endpoint:
    """Answers Entra's ``onTokenIssuanceStart`` event.

    Args:
        settings: The validated settings.
        keys: Entra's signing keys.
        provider: Returns the claims.
        clock: Monotonic seconds, for durations.
        wall_clock: Seconds since the epoch, for the token's times.
        renew_provider: Makes another provider for another event loop; None keeps the current one.
        first_budget_ms: A smaller budget until the first request of the process is answered, because a web host that
                starts uses a part of Entra's timeout.
        shared: Last good replies of all instances, with ``Claims__SharedCache``.
        on_settled: Called once, with the first answer 200 (claims, or what ``Claims__OnFailure`` sends instead); by
                then the objects exist that live as long as the process. `function_app.py` passes ``gc.freeze``.

    Raises:
        SettingsError: ``omit`` is set, and the provider's default claims cannot be sent.
    """

    def __init__(
        self,
        settings: Settings,
        keys: SigningKeys,
        provider: Provider,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        renew_provider: Callable[[], Provider] | None = None,
        first_budget_ms: int | None = None,
        on_settled: Callable[[], object] | None = None,
        shared: "SharedReplies | None" = None,
    ) -> None:
        self._settings = settings
        self._budget_ms = min(settings.budget_ms, first_budget_ms or settings.budget_ms)
        self._keys = keys
        self._provider = provider
        self._clock = clock
        self._validator = TokenValidator(settings, keys, wall_clock=wall_clock)
        self._shared = shared
        self._policy = FailurePolicy(
            settings.on_failure,
            default_reply=_default_reply(settings, provider),
            stale_s=settings.stale_s,
            clock=clock,
            wall_clock=wall_clock,
            shared=shared,
        )
        self._calls = ProviderCalls(
            provider,
            budget_ms=settings.budget_ms,
            max_running=settings.max_concurrent,
            clock=clock,
            on_reply=self._policy.remember,
            on_slow=self._policy.look if shared else None,
            slow_s=min(LOOK_S, settings.budget_ms / 1000 / 4),  # at most a quarter of a short budget
        )
        self._watch = LoopWatch(clock=clock)
        self._log = RequestLog(clock=clock, stalled_ms=self._watch.stalled_ms, warnings=settings.warnings)
        self._latencies = LatencyWindow()
        self._renew_provider = renew_provider
        self._on_settled = on_settled
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cold = True

    @classmethod
    def from_env(
        cls,
        environ: Mapping[str, str],
        *,
        first_budget_ms: int | None = None,
        on_settled: Callable[[], object] | None = None,
    ) -> Self:
        """Build the endpoint from the environment and, if a loop is running, begin to load the keys and the provider.

        The Functions worker imports the app on its event loop, so signing keys, downstream tokens and clients load
        while the host is still busy starting; elsewhere the first request begins it.

        Raises:
            SettingsError: Naming every setting at fault.
        """
        settings, provider = configure(environ)
        shared = None
        if settings.shared_cache and settings.on_failure == "stale":
            from claims.shared_cache.replies import create_shared_replies  # noqa: PLC0415 (only with the setting)

            shared = create_shared_replies(settings, settings.shared_cache, environ)
        endpoint = cls(
            settings,
            SigningKeys(settings.authorities, HttpGet(), clock=time.monotonic, sleep=asyncio.sleep),
            provider,
            renew_provider=lambda: load_provider(settings.provider, environ),
            first_budget_ms=first_budget_ms,
            on_settled=on_settled,
            shared=shared,
        )
        with contextlib.suppress(RuntimeError):  # no running loop: the first request calls `start`
            endpoint.start()
        return endpoint

    def start(self) -> None:
        """Begin what a first request should not wait for, on the running loop. Calling it again is cheap.

        Tasks and connections belong to one event loop. On another one they begin again, with a new provider; keys and
        replies in memory stay.

        Raises:
            RuntimeError: No loop is running.
        """
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._loop is None:
            self._keys.start()  # later requests load the keys that they need
        else:
            with contextlib.suppress(Exception):  # keep the old one: the failure policy answers when it fails
                self._provider = self._renew_provider() if self._renew_provider else self._provider
            self._calls.use(self._provider)
        self._loop = loop
        self._watch.start()
        if self._shared is not None:
            self._shared.start()
        with contextlib.suppress(Exception):  # retried at the first call
            self._calls.start()

    async def token_issuance_start(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer one event. Never raises.

        Args:
            headers: By lower-case name; repeated ones joined with a comma.
            body: The whole body, as it came.
        """
        measured = Measurements(budget_ms=self._budget_ms, clock=self._clock)
        record = RequestRecord(measured=measured, cold=self._cold)
        self._cold = False
        try:
            self.start()
            return await self._answer(headers, body, record)
        except RequestError as error:
            return self._refuse(error, record)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 (the last resort: no answer would be worse)
            return self._refuse(ProviderFailed("unexpected", place_of(error)), record)
        finally:
            self._budget_ms = self._settings.budget_ms

    async def health(self, headers: Mapping[str, str]) -> Response:
        """Answer whether tokens can be validated: 200 once signing keys are loaded, 503 before.

        A caller with a token that this endpoint accepts also gets the latencies of the last requests.
        """
        self.start()
        ready = await self._keys.ready()
        self._budget_ms = self._settings.budget_ms
        reason = "" if ready else self._keys.failing or "the first load is in progress"
        self._log.write_health(200 if ready else 503, reason)
        if not ready:
            return Response(503, b'{"status":"unavailable","reason":"the signing keys are not loaded"}', _HEADERS)
        health: dict[str, object] = {"status": "ok"}
        measured = Measurements(budget_ms=self._settings.budget_ms, clock=self._clock)
        with contextlib.suppress(RequestError):
            await self._validator.validate(bearer_token(headers), measured)
            health["latency_ms"] = self._latencies.percentiles_ms()
        return Response(200, json.dumps(health, separators=(",", ":")).encode(), _HEADERS)

    async def aclose(self) -> None:
        """Stop the background work and close the connections."""
        self._watch.stop()
        await self._keys.aclose()
        await self._calls.aclose()
        if self._shared is not None:
            await self._shared.aclose()
        if isinstance(self._provider, Closes):
            await self._provider.aclose()

    async def _answer(self, headers: Mapping[str, str], body: bytes, record: RequestRecord) -> Response:
        measured = record.measured
        await self._validator.validate(bearer_token(headers), measured)
        record.authenticated = True
        measured.begin("body")
        require_json(headers)
        event = parse_event(body)
        record.correlation_id, record.unknown_members = event.context.correlation_id, event.unknown_members
        require_configured(event, self._settings)
        measured.begin(PROVIDER)
        delivery = await self._calls.deliver(event, measured)
        measured.end()
        record.joined = delivery.joined
        if self._shared is not None and (reason := self._shared.news()):
            measured.failing["shared_cache"] = reason
        if isinstance(delivery.outcome, Reply):
            return self._send(delivery.outcome, record, "claims")
        fallback = await self._policy.fallback(event, measured, delivery.look)
        if fallback is None:
            return self._refuse(delivery.outcome, record)
        outcome, reply = fallback
        record.failure = delivery.outcome
        return self._send(reply, record, outcome)

    def _send(self, reply: Reply, record: RequestRecord, outcome: str) -> Response:
        record.reply = reply
        self._note_failing_keys(record)
        timings = record.measured.timings()
        self._log.write(record, timings, status=200, outcome=outcome)
        self._latencies.add(timings)
        if self._on_settled is not None:
            settled, self._on_settled = self._on_settled, None
            with contextlib.suppress(Exception):  # an error here must not replace the answer, which is ready
                settled()
        shown = "joined" if record.joined and outcome == "claims" else outcome
        headers = {**_HEADERS, "server-timing": timings.server_timing(), "x-claims-outcome": shown}
        return Response(200, reply.body, headers)

    def _note_failing_keys(self, record: RequestRecord) -> None:
        if reason := self._keys.failing:
            record.measured.failing["signing_keys"] = reason  # overwrites a provider's reason of the same name

    def _refuse(self, error: RequestError, record: RequestRecord) -> Response:
        """Answer an error in constant words, and log the real ones."""
        if not isinstance(error, KeysUnavailable):  # its detail has the reason
            self._note_failing_keys(record)
        timings = record.measured.timings()
        self._log.write(record, timings, status=error.status, outcome=error.code, detail=error.detail)
        headers = dict(_HEADERS)
        if isinstance(error, TokenRefused):
            # RFC 6750 section 3.1: no error code where no credentials were sent.
            headers["www-authenticate"] = "Bearer" if error.code == "token_missing" else 'Bearer error="invalid_token"'
        if record.authenticated:
            headers |= {"server-timing": timings.server_timing(), "x-claims-outcome": "failed"}
        body = json.dumps({"error": {"code": error.public_code, "message": error.public_message}})
        return Response(error.status, body.encode(), headers)


def _default_reply(settings: Settings, provider: Provider) -> Reply:
    """Build what ``omit`` sends, once, so that nothing can go wrong with it later."""
    if settings.on_failure != "omit":
        return build_reply({})
    try:
        return build_reply(default_claims(provider)())
    except Exception as error:
        why = error.detail if isinstance(error, ProviderFailed) else place_of(error)
        problem = f"{ON_FAILURE}=omit answers with the provider's default_claims(), which cannot be sent: {why}"
        raise SettingsError((problem,)) from error
