"""The failure policy: what is answered when the provider fails or is late.

``fail`` sends nothing: 503, and Entra issues no token. ``omit`` sends the default claims. ``stale`` sends the user's
last good claims while they are young enough, and fails otherwise. Which one is right depends on what a missing claim
means to the applications that read it: see docs/timing-budget.md.
"""

from collections.abc import Callable
from typing import Final

from claims.event import TokenIssuanceStart
from claims.expiring import CallLater, ExpiringCache, call_later
from claims.reply import Reply
from claims.settings.settings import OnFailure

#: Last good replies of about 10,000 users and applications.
MAX_STALE_BYTES: Final = 32 * 1024 * 1024


class FailurePolicy:
    """Remembers good replies and chooses what to send without one."""

    def __init__(
        self,
        policy: OnFailure,
        *,
        default_reply: Reply,
        stale_s: float,
        clock: Callable[[], float],
        later: CallLater = call_later,
    ) -> None:
        self._policy = policy
        self._default_reply = default_reply
        self._stale_s = stale_s
        self._good: ExpiringCache[tuple[str, ...], Reply] = ExpiringCache(
            MAX_STALE_BYTES, size_bytes=Reply.held_bytes, clock=clock, later=later
        )

    def remember(self, event: TokenIssuanceStart, reply: Reply) -> None:
        """Keep a good reply, if the policy may need it."""
        if self._policy == "stale" and (key := _key(event)):
            self._good.put(key, reply, self._stale_s)

    def fallback(self, event: TokenIssuanceStart) -> tuple[str, Reply] | None:
        """Return what to send instead of the provider's claims, and its name; None when the failure is the answer."""
        if self._policy == "omit":
            return "omitted", self._default_reply
        if self._policy == "stale" and (key := _key(event)) and (reply := self._good.get(key)):
            return "stale", reply
        return None


def _key(event: TokenIssuanceStart) -> tuple[str, ...] | None:
    """Return whose claims they are, and for which application: another one may get other claims."""
    context = event.context
    if context.user is None:
        return None
    apps = (context.client_service_principal, context.resource_service_principal)
    return (context.user.id, event.extension_id, *(app.app_id if app else "" for app in apps))
