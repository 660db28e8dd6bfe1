"""One metadata document with its key set, refreshed in the background and kept through an outage.

It is read at start-up and every hour. When that fails, the last good keys stay for 24 hours.

A host can run each request in its own event loop, in which background tasks end with the request. So the time of the
next load is kept here and not in a task: starting again fetches nothing before that time.

Source: entra-docs ``signing-key-rollover.md`` (hourly refresh, refresh on an unknown key id, keep the last good keys,
24 h). Microsoft advises five minutes between forced refreshes; a minute is the longest that a roll may lock people out.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from claims.settings.authority import Authority, MetadataError, TokenVersion, parse_metadata
from claims.token.jwks import SigningKey, UsableKeys, parse_key_set
from claims.wire.fetch import FetchError, Get
from claims.wire.own_thread import in_own_thread
from claims.wire.strict_json import StrictJsonError

REFRESH_S: Final = 3600.0
MAX_AGE_S: Final = 24 * 3600.0
FORCED_COOL_DOWN_S: Final = 60.0
#: Metadata, keys and their parsing together. Far below the budget: a request that waits for this can still answer.
LOAD_TIMEOUT_S: Final = 1.0
#: After a failure while keys are loaded; without keys the pause doubles from the first to the last of the others.
RETRY_S: Final = 60.0
FIRST_RETRY_WITHOUT_KEYS_S: Final = 0.5
LAST_RETRY_WITHOUT_KEYS_S: Final = 10.0

type Clock = Callable[[], float]
type Sleep = Callable[[float], Awaitable[None]]

_NO_KEYS: Final[Mapping[str, SigningKey]] = {}
_PARSING: Final = threading.Lock()


class KeyDocument:
    """The keys and the issuer of one metadata document.

    Attributes:
        issuer: The issuer that the document publishes; empty before the first load.
        failure: Why the last load failed; empty after a success.
        left_out: What the last set held that is not used, for the log.
    """

    def __init__(self, authority: Authority, version: TokenVersion, get: Get, clock: Clock) -> None:
        self._authority = authority
        self._version = version
        self._get = get
        self._clock = clock
        self.issuer = ""
        self.failure = ""
        self.left_out = ""
        self._keys = _NO_KEYS
        self._loaded_s = float("-inf")
        self._forced_s = float("-inf")
        self._due_s = float("-inf")
        self._retry_without_keys_s = FIRST_RETRY_WITHOUT_KEYS_S
        self._load: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def keys(self) -> Mapping[str, SigningKey]:
        """The usable keys by id; empty once they are older than `MAX_AGE_S`."""
        return self._keys if self._clock() - self._loaded_s <= MAX_AGE_S else _NO_KEYS

    @property
    def reason(self) -> str:
        """Why keys may be missing; empty where nothing is known. Azure drops what is logged in the background."""
        return self.failure or self.left_out

    def issuers(self) -> frozenset[str]:
        """Return the issuer that the document publishes; before the first load, those that it may publish."""
        return frozenset({self.issuer}) if self.issuer else self._authority.issuers(self._version)

    def publishes(self, issuer: str) -> bool:
        """Whether an issuer is among `issuers`."""
        return issuer == self.issuer if self.issuer else issuer in self.issuers()

    @property
    def loading(self) -> asyncio.Task[None] | None:
        """The load in progress, if any."""
        return _running(self._load)

    def load(self) -> asyncio.Task[None]:
        """Start a load, or join the one in progress. It never raises."""
        if (load := self.loading) is None:
            load = self._load = asyncio.get_running_loop().create_task(self._load_once())
        return load

    def force(self) -> asyncio.Task[None] | None:
        """Start a load for an unknown key id; None within `FORCED_COOL_DOWN_S` of the last one, failed or not."""
        if self.loading is None:
            if self._clock() - self._forced_s < FORCED_COOL_DOWN_S:
                return None
            self._forced_s = self._clock()
        return self.load()

    def start(self, sleep: Sleep) -> bool:
        """Refresh in the background of the running loop; return False where that is in progress.

        What is due is loaded at once, so that a request before the loop's next turn finds it in progress.
        """
        if _running(self._refreshing):
            return False
        load = self.load() if self._due_in_s() <= 0 else None
        self._refreshing = asyncio.get_running_loop().create_task(self._refresh(load, sleep))
        return True

    async def aclose(self) -> None:
        """Stop refreshing; a load in progress is waited for, it is short."""
        if refreshing := _running(self._refreshing):
            refreshing.cancel()
        await asyncio.gather(*filter(None, (refreshing, self.loading)), return_exceptions=True)

    async def _refresh(self, load: asyncio.Task[None] | None, sleep: Sleep) -> None:
        while True:
            if load is not None:
                await asyncio.shield(load)
            await sleep(self._due_in_s())
            load = self.load()

    def _due_in_s(self) -> float:
        return self._due_s - self._clock()

    async def _load_once(self) -> None:
        failure = "canceled"
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                body = await self._get(self._authority.metadata_url(self._version))
                issuer, jwks_uri = parse_metadata(body, self._authority, self._version)
                body = await self._get(jwks_uri)
                # A thousand keys take longer to build than the loop may stand still.
                key_set = await in_own_thread(_parse, body)
        except (FetchError, MetadataError, StrictJsonError, TimeoutError) as error:
            failure = f"{type(error).__name__}: {error}".removesuffix(": ")
        except Exception as error:  # noqa: BLE001 (no surprise may end the refreshing)
            failure = f"unexpected {type(error).__name__}"
        else:
            failure = "" if key_set.keys else "the set holds no usable key"
        finally:
            # In any case, also when the loop ends and cancels this: the next attempt keeps its distance.
            self._plan_next(failure)
        if not failure:
            self.issuer, self._keys, self._loaded_s = issuer, key_set.keys, self._clock()
            self.left_out = key_set.left_out

    def _plan_next(self, failure: str) -> None:
        """Keep why a load failed, and set the time of the next one."""
        if not failure:
            pause_s, self._retry_without_keys_s = REFRESH_S, FIRST_RETRY_WITHOUT_KEYS_S
        elif self.keys:
            pause_s = RETRY_S
        else:
            pause_s = self._retry_without_keys_s
            self._retry_without_keys_s = min(2 * pause_s, LAST_RETRY_WITHOUT_KEYS_S)
        self._due_s = self._clock() + pause_s
        self.failure = failure


def _parse(body: bytes) -> UsableKeys:
    """Parse one key set at a time: two threads at once take two thirds of the interpreter from the event loop."""
    with _PARSING:
        return parse_key_set(body)


def _running[T](task: asyncio.Task[T] | None) -> asyncio.Task[T] | None:
    """Return the task if it is in progress on the running loop; on another loop it may never go on."""
    if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
        return None
    return task
