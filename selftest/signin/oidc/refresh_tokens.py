"""Refresh tokens: each is replaced when it is used, and using one twice withdraws the whole family.

Entra is more lenient and leaves a used token valid; an app that keeps the newest one, as every client library does,
works with both. Single-page apps get 24 hours from the sign-in, however often they refresh.

Source: RFC 9700 4.14.2 (rotation); entra-docs ``refresh-tokens.md`` (90 days; 24 hours for single-page apps).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cachetools import FIFOCache

from selftest.signin.refusals import refused
from selftest.signin.tenant.directory import RedirectKind
from selftest.signin.user_tokens import Grant

LIFETIME_S: Final = 90 * 24 * 3600
SPA_LIFETIME_S: Final = 24 * 3600
_MAX_TOKENS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """What a refresh token was issued for.

    Attributes:
        kind: The platform that it was issued to.
        family: All tokens of one sign-in.
        expires_s: Seconds since 1970.
    """

    grant: Grant
    kind: RedirectKind
    family: str
    expires_s: float


class RefreshTokens:
    """The refresh tokens of one tenant."""

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._new_id = new_id
        self._tokens: FIFOCache[str, RefreshToken] = FIFOCache(_MAX_TOKENS)
        self._used: FIFOCache[str, str] = FIFOCache(_MAX_TOKENS)

    def issue(self, grant: Grant, kind: RedirectKind, family: str) -> str:
        """Issue the first token of a sign-in."""
        lifetime_s = SPA_LIFETIME_S if kind == "spa" else LIFETIME_S
        return self._keep(RefreshToken(grant=grant, kind=kind, family=family, expires_s=self._clock() + lifetime_s))

    def read(self, token: str, *, client_id: str) -> RefreshToken:
        """Return what a token was issued for, without using it up.

        Raises:
            OAuthError: The token was not issued, was withdrawn, was used before, has expired, or is another client's.
        """
        if token in self._used:
            self.withdraw(self._used[token])
            raise refused("refresh-token-used-before")
        found = self._tokens.get(token)
        if found is None:
            raise refused("refresh-token-unknown")
        if found.grant.client.client_id != client_id.lower():
            raise refused("refresh-token-of-another-client")
        if self._clock() > found.expires_s:
            if found.kind == "spa":
                raise refused("refresh-token-of-spa-expired")
            raise refused("refresh-token-expired")
        return found

    def replace(self, token: str, grant: Grant) -> str:
        """Use a token up and return its successor; a single-page app's token keeps its expiry.

        Raises:
            OAuthError: Another request used it up in the meantime.
        """
        used = self.read(token, client_id=grant.client.client_id)
        del self._tokens[token]
        self._used[token] = used.family
        expires_s = used.expires_s if used.kind == "spa" else self._clock() + LIFETIME_S
        return self._keep(RefreshToken(grant=grant, kind=used.kind, family=used.family, expires_s=expires_s))

    def withdraw(self, family: str) -> None:
        """Invalidate every token of one sign-in."""
        for token in [token for token, found in self._tokens.items() if found.family == family]:
            del self._tokens[token]

    def _keep(self, token: RefreshToken) -> str:
        text = f"1.{self._new_id()}"
        self._tokens[text] = token
        return text
