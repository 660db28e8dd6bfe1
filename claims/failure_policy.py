"""The failure policy: what is answered when the provider fails or is late.

``fail`` sends nothing: 503, and Entra mints no token. ``omit`` sends the default claims. ``stale`` sends the user's
last good claims while they are young enough, and fails otherwise. Which one is right depends on what a missing claim
means to the applications that read it: docs/timing-budget.md argues it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from cachetools import TTLCache

from claims.event import TokenIssuanceStart
from claims.settings.settings import Settings

#: Users and applications whose last good claims are kept: at 3 kB each some 30 MB at the most.
MAX_STALE_ENTRIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Fallback:
    """What is sent in spite of a failure."""

    outcome: Literal["omitted", "stale"]
    claims: Mapping[str, object]


class FailurePolicy:
    """Remembers good answers and chooses what to send without one.

    Args:
        settings: which policy, and how old is too old.
        default_claims: the provider's claims for a user of whom nothing is known.
        clock: monotonic seconds.
    """

    def __init__(
        self, settings: Settings, default_claims: Callable[[], Mapping[str, object]], *, clock: Callable[[], float]
    ) -> None:
        self._policy = settings.on_failure
        self._default_claims = default_claims
        self._good: TTLCache[tuple[str, ...], Mapping[str, object]] = TTLCache(
            MAX_STALE_ENTRIES, ttl=settings.stale_s, timer=clock
        )

    def remember(self, event: TokenIssuanceStart, claims: Mapping[str, object]) -> None:
        """Keep claims that could be sent, where the policy may need them."""
        if self._policy == "stale" and (key := _key(event)):
            self._good[key] = claims

    def fallback(self, event: TokenIssuanceStart) -> Fallback | None:
        """Choose what to send instead of the provider's claims; None when the failure is the answer."""
        if self._policy == "omit":
            return Fallback("omitted", self._default_claims())
        if self._policy == "stale" and (key := _key(event)) and (claims := self._good.get(key)) is not None:
            return Fallback("stale", claims)
        return None


def _key(event: TokenIssuanceStart) -> tuple[str, ...] | None:
    """Name whose claims they are, and for whom: another application may be told other claims."""
    context = event.context
    if context.user is None:
        return None
    apps = (context.client_service_principal, context.resource_service_principal)
    return (context.user.id, event.extension_id, *(app.app_id if app else "" for app in apps))
