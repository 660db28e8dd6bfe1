"""The failure policy: what is answered when the provider fails or is late.

``fail`` answers 503, and Entra issues no token. ``omit`` answers 200 with what the provider's ``default_claims()``
returns, or with no claims where it has none. ``stale`` sends the user's
last good claims while they are young enough, and fails otherwise. Which one is right depends on what a missing claim
means to the applications that read it: see docs/timing-budget.md.

Last good claims are in the memory of this instance and, with ``Claims__SharedCache``, in a store of all instances,
which is read only when the provider has failed or is nearly late; the newer claims are sent.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from claims.event import TokenIssuanceStart
from claims.expiring import CallLater, ExpiringCache, call_later
from claims.measurements import Measurements
from claims.reply import Reply
from claims.settings.settings import OnFailure

#: Last good replies of about 10,000 users and applications.
MAX_STALE_BYTES: Final = 32 * 1024 * 1024
#: What an entry takes in addition to its reply and its place in the cache.
_OVERHEAD_BYTES: Final = 100
#: How long one read of the shared store may take, in seconds. If the provider is late, the read therefore begins that
#: long before the end of the budget.
LOOK_S: Final = 0.2

#: Whose claims they are, by which extension, and for which applications: another one may get other claims.
type GoodKey = tuple[str, ...]


@dataclass(slots=True)
class LastGood:
    """A user's last good reply.

    Attributes:
        reply: What was sent, or was found too late to be sent.
        made_s: When, in seconds since the epoch.
        written_s: When the shared store got it, by the monotonic clock; minus infinity for never.
    """

    reply: Reply
    made_s: float
    written_s: float = float("-inf")

    def held_bytes(self) -> int:
        """Return about how much memory the entry takes."""
        return self.reply.held_bytes() + _OVERHEAD_BYTES


class SharedMemory(Protocol):
    """Last good replies that all instances share. Nothing here raises or waits for the store."""

    def offer(self, key: GoodKey, good: LastGood, before: LastGood | None) -> None:
        """Write a reply after the answer has left, if the store does not have it; ``before`` is the one it replaces."""

    def read(self, key: GoodKey, found: Callable[[LastGood], None]) -> asyncio.Task[bool] | None:
        """Begin to read; the result says whether ``found`` was called. None while the store is not to be asked."""


class FailurePolicy:
    """Remembers good replies and chooses what to send without one."""

    def __init__(
        self,
        policy: OnFailure,
        *,
        default_reply: Reply,
        stale_s: float,
        clock: Callable[[], float],
        wall_clock: Callable[[], float] = time.time,
        later: CallLater = call_later,
        shared: SharedMemory | None = None,
    ) -> None:
        self._policy = policy
        self._default_reply = default_reply
        self._stale_s = stale_s
        self._wall_clock = wall_clock
        self._shared = shared
        self._good: ExpiringCache[GoodKey, LastGood] = ExpiringCache(
            MAX_STALE_BYTES, size_bytes=LastGood.held_bytes, clock=clock, later=later
        )

    def remember(self, event: TokenIssuanceStart, reply: Reply) -> None:
        """Keep a good reply, if the policy may need it."""
        if self._policy == "stale" and (key := _key(event)):
            good = LastGood(reply, self._wall_clock())
            if self._shared is not None:
                self._shared.offer(key, good, self._good.get(key))
            self._good.put(key, good, self._stale_s)

    def look(self, event: TokenIssuanceStart) -> asyncio.Task[bool] | None:
        """Begin to read what other instances know, for `fallback`; None where there is nothing to read."""
        if self._shared is None or self._policy != "stale" or not (key := _key(event)):
            return None
        return self._shared.read(key, lambda found: self._take(key, found))

    async def fallback(
        self, event: TokenIssuanceStart, measured: Measurements, look: asyncio.Task[bool] | None = None
    ) -> tuple[str, Reply] | None:
        """Return what to send instead of the provider's claims, and its name; None when the failure is the answer.

        Args:
            event: The provider has no claims for it.
            measured: What is left of its budget is the time to read what other instances know.
            look: The read that has begun already, if one has.
        """
        if self._policy == "omit":
            return "omitted", self._default_reply
        if look := look or self.look(event):
            with measured.phase("shared_cache"):
                await asyncio.wait({look}, timeout=measured.remaining_s())
            measured.cache_hit("shared_cache", look.done() and look.result())
        if self._policy == "stale" and (key := _key(event)) and (good := self._good.get(key)):
            return "stale", good.reply
        return None

    def _take(self, key: GoodKey, found: LastGood) -> None:
        """Keep what another instance knew, unless this one has newer claims by now."""
        held = self._good.get(key)
        if held is None or held.made_s < found.made_s:
            self._good.put(key, found, self._stale_s - (self._wall_clock() - found.made_s))


def _key(event: TokenIssuanceStart) -> GoodKey | None:
    context = event.context
    if context.user is None:
        return None
    apps = (context.client_service_principal, context.resource_service_principal)
    return (context.user.id, event.extension_id, *(app.app_id if app else "" for app in apps))
