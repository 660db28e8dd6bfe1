"""What the tests share: a tenant in memory, a clock that moves only by `tick`, tokens of any content."""

import asyncio
import json
import os
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from claims.contract import EVENT_SERVICE_APP_ID
from claims.settings.settings import Settings
from claims.wire.fetch import FetchError
from selftest.entra.signing import KeySet, sign_compact

TENANT_ID = "11111111-1111-4111-8111-111111111111"
AUDIENCE = "22222222-2222-4222-8222-222222222222"
EXTENSION_ID = "44444444-4444-4444-8444-444444444444"
APPLICATION_ID_URI = f"api://localhost/{AUDIENCE}"
AUTHORITY = f"https://login.microsoftonline.com/{TENANT_ID}"
ISSUERS = {"2.0": f"{AUTHORITY}/v2.0", "1.0": f"https://sts.windows.net/{TENANT_ID}/"}
NOW_S = 1_800_000_000.0

ENVIRON = {
    "AuthenticationEvents__AuthorityUrl": AUTHORITY,
    "AuthenticationEvents__AudienceAppId": AUDIENCE,
    "Claims__ApplicationIdUri": APPLICATION_ID_URI,
    "Claims__AllowedExtensionIds": EXTENSION_ID,
}


def settings(**changes: str) -> Settings:
    """Build settings; a change's name has ``__`` as in the environment."""
    return Settings.from_env({**ENVIRON, **changes})


class Clock:
    """Monotonic seconds that pass only by `tick`; a sleep ends when they have passed."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was ticked this far."""
        event = asyncio.Event()
        self._sleepers.append((self.now_s + seconds, event))
        await event.wait()

    def later(self, delay_s: float, function: Callable[[], None]) -> None:
        """Call a function when the clock was ticked this far (`claims.expiring.CallLater`)."""
        self._timers.append((self.now_s + delay_s, function))

    def advance(self, seconds: float) -> None:
        """Let time pass, and call what is due; what that schedules in turn is called in its time."""
        end_s = self.now_s + seconds
        while due := [timer for timer in self._timers if timer[0] <= end_s]:
            timer = min(due, key=lambda each: each[0])
            self._timers.remove(timer)
            self.now_s = max(self.now_s, timer[0])
            timer[1]()
        self.now_s = end_s

    async def tick(self, seconds: float) -> None:
        """Let time pass, wake every sleeper that is due, and let the loop run out of work."""
        self.advance(seconds)
        for due_s, event in self._sleepers:
            if due_s <= self.now_s:
                event.set()
        self._sleepers = [(due_s, event) for due_s, event in self._sleepers if due_s > self.now_s]
        await settle()


async def settle() -> None:
    """Let the loop and the endpoint's own threads run out of work, however long a thread takes."""
    for _ in range(20):
        await asyncio.sleep(0)
        while _own_threads():  # noqa: ASYNC110 (a thread that ends sets no event)
            await asyncio.sleep(0)


def _own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("claims")]


@asynccontextmanager
async def all_threads_busy() -> AsyncIterator[None]:
    """Fill the loop's default executor, as sign-ins do that block in `asyncio.to_thread`."""
    release = threading.Event()
    blocked = [asyncio.create_task(asyncio.to_thread(release.wait)) for _ in range(40 + 2 * (os.cpu_count() or 1))]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        release.set()
        await asyncio.gather(*blocked)


@dataclass
class Site:
    """An authority's documents in memory: a `claims.wire.fetch.Get` that counts, fails and stalls on demand."""

    authority: str = AUTHORITY
    keys: KeySet = field(default_factory=KeySet)
    issuers: dict[str, str] = field(default_factory=lambda: dict(ISSUERS))
    hits: Counter[str] = field(default_factory=Counter)
    down: bool = False
    stall: asyncio.Event | None = None
    overrides: dict[str, bytes] = field(default_factory=dict)

    async def __call__(self, url: str) -> bytes:
        path = url.removeprefix(self.authority)
        self.hits[path] += 1
        if self.stall is not None:
            await self.stall.wait()
        if self.down or path == url:
            raise FetchError("status 503")
        return self.overrides.get(path) or self._document(path)

    def _document(self, path: str) -> bytes:
        if path.endswith("/keys"):
            return json.dumps(self.keys.jwks()).encode()
        version = "2.0" if path.startswith("/v2.0") else "1.0"
        keys = "/discovery/v2.0/keys" if version == "2.0" else "/discovery/keys"
        return json.dumps({"issuer": self.issuers[version], "jwks_uri": f"{self.authority}{keys}"}).encode()


KEYS_V2 = "/discovery/v2.0/keys"
METADATA_V2 = "/v2.0/.well-known/openid-configuration"


def token_header(keys: KeySet, **changes: Any) -> dict[str, Any]:
    """The header of Entra's callout token, with changes; None removes a member."""
    return _changed({"typ": "JWT", "alg": "RS256", "kid": keys.current.kid}, changes)


def token_payload(version: str = "2.0", /, **changes: Any) -> dict[str, Any]:
    """The claims of Entra's callout token, with changes; None removes a claim."""
    caller = {"azp": EVENT_SERVICE_APP_ID} if version == "2.0" else {"appid": EVENT_SERVICE_APP_ID}
    times = {"iat": int(NOW_S), "nbf": int(NOW_S), "exp": int(NOW_S) + 3600}
    claims = {"aud": AUDIENCE, "iss": ISSUERS[version], "tid": TENANT_ID, "ver": version, **caller, **times}
    return _changed(claims, changes)


def good_token(keys: KeySet, version: str = "2.0", /, **changes: Any) -> str:
    """Sign the callout token, with changed claims."""
    return sign_compact(token_header(keys), token_payload(version, **changes), keys.current)


def _changed(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not None}


def good_event() -> dict[str, Any]:
    """The event with every documented member that matters."""
    principal = {
        "id": "66666666-6666-4666-8666-666666666666",
        "appId": "88888888-8888-4888-8888-888888888888",
        "appDisplayName": "Portal",
        "displayName": "Portal",
    }
    return {
        "type": "microsoft.graph.authenticationEvent.tokenIssuanceStart",
        "source": f"/tenants/{TENANT_ID}/applications/{principal['appId']}",
        "data": {
            "@odata.type": "microsoft.graph.onTokenIssuanceStartCalloutData",
            "tenantId": TENANT_ID,
            "authenticationEventListenerId": "33333333-3333-4333-8333-333333333333",
            "customAuthenticationExtensionId": EXTENSION_ID,
            "authenticationContext": {
                "correlationId": "55555555-5555-4555-8555-555555555555",
                "client": {"ip": "203.0.113.7", "locale": "en-us", "market": "en-us"},
                "protocol": "OAUTH2.0",
                "clientServicePrincipal": dict(principal),
                "resourceServicePrincipal": dict(principal),
                "user": {"id": "77777777-7777-4777-8777-777777777777", "displayName": "A B", "mail": "a@example.com"},
            },
        },
    }
