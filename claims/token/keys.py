"""The keys that Entra signs with, ready before a token needs them.

One `KeyDocument` for each authority and token version reads its metadata and key set at start-up and every hour, in the
background. A request only looks up. It waits in two cases, both bounded: the first load is still under way, or the
token names a key id that no document has, which can be an emergency roll and can be an attack; so at most one forced
fetch a minute leaves for that, whatever comes in. An outage of the key host changes nothing for 24 hours.

Source: entra-docs ``signing-key-rollover.md`` (hourly refresh, refresh on an unknown key id, keep the last good keys,
24 h). Microsoft advises five minutes between forced refreshes; a minute is the longest that a roll may lock people out.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final

from claims.errors import KeysUnavailable, TokenRefused
from claims.settings.authority import Authority, TokenVersion
from claims.token.jwks import SigningKey, parse_key_set
from claims.token.metadata import MetadataError, parse_metadata
from claims.wire.fetch import FetchError, Get
from claims.wire.strict_json import StrictJsonError

REFRESH_S: Final = 3600.0
MAX_AGE_S: Final = 24 * 3600.0
FORCED_COOL_DOWN_S: Final = 60.0
#: Metadata and keys together. Far below the budget: who waits for this still has time to answer.
LOAD_TIMEOUT_S: Final = 1.0
#: After a failure with keys at hand; without keys it doubles from the first to the last of the others.
RETRY_S: Final = 60.0
#: Tokens with an unknown key id that may wait for one load. A flood of them would otherwise be answered all at once
#: when the load ends, and everybody else after them (measured: 60 ms for 250 a second and a key host that hangs).
MAX_WAITING: Final = 32
FIRST_RETRY_WITHOUT_KEYS_S: Final = 0.5
LAST_RETRY_WITHOUT_KEYS_S: Final = 10.0

type Clock = Callable[[], float]
type Sleep = Callable[[float], Awaitable[None]]

_NO_KEYS: Final[Mapping[str, SigningKey]] = {}
_log = logging.getLogger(__name__)


class KeyDocument:
    """The keys and the issuer of one metadata document.

    Args:
        authority: whose document it is.
        version: the token version that it is for.
        get: fetches a URL.
        clock: monotonic seconds.
    """

    def __init__(self, authority: Authority, version: TokenVersion, get: Get, clock: Clock) -> None:
        self._authority = authority
        self._version = version
        self._get = get
        self._clock = clock
        self._issuer = ""
        self._keys = _NO_KEYS
        self._loaded_s = float("-inf")
        self._forced_s = float("-inf")
        self._load: asyncio.Task[bool] | None = None
        self._failure = ""

    @property
    def issuer(self) -> str:
        """The issuer that the document publishes; empty before the first load."""
        return self._issuer

    @property
    def keys(self) -> Mapping[str, SigningKey]:
        """The usable keys by id; none once they are older than `MAX_AGE_S`."""
        return self._keys if self._clock() - self._loaded_s <= MAX_AGE_S else _NO_KEYS

    @property
    def loading(self) -> asyncio.Task[bool] | None:
        """The load under way, if there is one."""
        return self._load if self._load and not self._load.done() else None

    def load(self) -> asyncio.Task[bool]:
        """Start a load, or join the one under way. Its result says whether it succeeded; it never raises."""
        if self._load is None or self._load.done():
            self._load = asyncio.get_running_loop().create_task(self._load_once())
        return self._load

    def force(self) -> asyncio.Task[bool] | None:
        """Start a load for an unknown key id; None within `FORCED_COOL_DOWN_S` of the last one, failed or not."""
        if self.loading is None:
            if self._clock() - self._forced_s < FORCED_COOL_DOWN_S:
                return None
            self._forced_s = self._clock()
        return self.load()

    def keep_fresh(self, sleep: Sleep) -> asyncio.Task[None]:
        """Load now, so that a request before the loop's next turn finds it under way, and again for ever."""
        return asyncio.get_running_loop().create_task(self._keep_fresh(self.load(), sleep))

    async def _keep_fresh(self, load: asyncio.Task[bool], sleep: Sleep) -> None:
        retry_s = FIRST_RETRY_WITHOUT_KEYS_S
        while True:
            if await asyncio.shield(load):
                retry_s, pause_s = FIRST_RETRY_WITHOUT_KEYS_S, REFRESH_S
            elif self.keys:
                pause_s = RETRY_S
            else:
                pause_s, retry_s = retry_s, min(2 * retry_s, LAST_RETRY_WITHOUT_KEYS_S)
            await sleep(pause_s)
            load = self.load()

    async def _load_once(self) -> bool:
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                metadata = parse_metadata(
                    await self._get(self._authority.metadata_url(self._version)), self._authority, self._version
                )
                body = await self._get(metadata.jwks_uri)
            # A thousand keys take longer to build than the loop may stand still.
            keys = await asyncio.to_thread(parse_key_set, body)
        except (FetchError, MetadataError, StrictJsonError, TimeoutError) as error:
            return self._failed(str(error) or type(error).__name__)
        except Exception as error:  # noqa: BLE001 (no surprise may end the loop that keeps the keys fresh)
            return self._failed(f"unexpected {type(error).__name__}")
        if not keys:
            return self._failed("the set holds no usable key")
        self._issuer, self._keys, self._loaded_s = metadata.issuer, keys, self._clock()
        self._failure = ""
        return True

    def _failed(self, why: str) -> bool:
        """Log a failure when it is a new one: an outage is told once, and not every ten seconds."""
        level = logging.DEBUG if why == self._failure else logging.WARNING
        self._failure = why
        _log.log(level, "signing keys (ver %s) not loaded: %s", self._version, why)
        return False


class SigningKeys:
    """The keys of every trusted document, looked up by token version and key id.

    Args:
        authorities: whose documents are trusted, in order.
        get: fetches a URL (`claims.wire.fetch.HttpGet`).
        clock: monotonic seconds.
        sleep: waits, in the background only.
    """

    def __init__(self, authorities: Iterable[Authority], get: Get, *, clock: Clock, sleep: Sleep) -> None:
        versions: tuple[TokenVersion, ...] = ("2.0", "1.0")
        authorities = tuple(authorities)
        self._documents: dict[TokenVersion, tuple[KeyDocument, ...]] = {
            version: tuple(KeyDocument(authority, version, get, clock) for authority in authorities)
            for version in versions
        }
        self._sleep = sleep
        self._waiting = 0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to load, on the running loop; a second call does nothing."""
        if not self._tasks:
            documents = (document for group in self._documents.values() for document in group)
            self._tasks = [document.keep_fresh(self._sleep) for document in documents]

    async def aclose(self) -> None:
        """Stop the background work; a load under way is waited for, it is short."""
        for task in self._tasks:
            task.cancel()
        loads = (document.loading for group in self._documents.values() for document in group)
        await asyncio.gather(*self._tasks, *(load for load in loads if load), return_exceptions=True)
        self._tasks = []

    def issuers(self, version: TokenVersion) -> frozenset[str]:
        """Name the issuers that the loaded documents of this version publish."""
        return frozenset(document.issuer for document in self._documents[version] if document.keys)

    def count(self, version: TokenVersion) -> int:
        """Count the usable keys for tokens of this version."""
        return sum(len(document.keys) for document in self._documents[version])

    async def find(self, version: TokenVersion, kid: str, *, wait_s: float) -> SigningKey:
        """Find the key that a token names, and wait for a load where that can help.

        Args:
            version: the token's ``ver``.
            kid: the token's ``kid``.
            wait_s: how long a load may be waited for.

        Raises:
            KeysUnavailable: no keys are loaded for this version.
            TokenRefused: keys are loaded, and none has this id.
        """
        if key := self.lookup(version, kid):
            return key
        self.start()
        documents = self._documents[version]
        # Without any key every token is unknown: only the background loads then, at its own pace.
        loads = [document.force() if document.keys else document.loading for document in documents]
        under_way = [load for load in loads if load]
        if under_way and (self._waiting < MAX_WAITING or not self.count(version)):
            self._waiting += 1
            try:
                await asyncio.wait(under_way, timeout=wait_s)
            finally:
                self._waiting -= 1
            if key := self.lookup(version, kid):
                return key
        if not self.count(version):
            raise KeysUnavailable("keys_not_loaded", f"no signing keys for tokens of version {version}")
        raise TokenRefused("key_unknown", f"none of the {self.count(version)} published keys has this id")

    def lookup(self, version: TokenVersion, kid: str) -> SigningKey | None:
        """Find the key that a token names among those at hand."""
        for document in self._documents[version]:
            if key := document.keys.get(kid):
                return key
        return None
