"""Authorization codes: each is valid once, for ten minutes, for the client and the redirect URI it was issued to.

A code that is redeemed twice may have been stolen, so the tokens from its first redemption are withdrawn.

Source: RFC 6749 4.1.2 and 10.5; RFC 7636 4.6 (S256); entra-docs ``v2-oauth2-auth-code-flow.md`` (about ten minutes).
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cachetools import FIFOCache

from selftest.base.base64url import encode_base64url
from selftest.signin.refusals import refused
from selftest.signin.sign_in_log import SignInRecord
from selftest.signin.tenant.directory import RedirectUri
from selftest.signin.user_tokens import Grant

CODE_LIFETIME_S: Final = 600

#: How many redeemed codes are remembered, to distinguish a replay from an invented code.
_MAX_CODES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """What a code was issued for.

    Attributes:
        redirect: The registered redirect URI, with its platform.
        redirect_uri: The redirect URI as the request wrote it, with its port.
        challenge: The PKCE challenge, S256; None where the request had none.
        family: The family of the refresh tokens that come from it.
        record: The sign-in, to which the minted tokens are added.
        issued_s: Seconds since 1970.
    """

    grant: Grant
    redirect: RedirectUri
    redirect_uri: str
    challenge: str | None
    family: str
    record: SignInRecord
    issued_s: float


class CodeStore:
    """The authorization codes of one tenant.

    Args:
        withdraw: Called with the family of a code that was redeemed twice.
    """

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str], withdraw: Callable[[str], None]) -> None:
        self._clock = clock
        self._new_id = new_id
        self._withdraw = withdraw
        self._codes: FIFOCache[str, IssuedCode] = FIFOCache(_MAX_CODES)
        self._redeemed: FIFOCache[str, str] = FIFOCache(_MAX_CODES)

    def issue(
        self, grant: Grant, redirect: RedirectUri, redirect_uri: str, challenge: str | None, record: SignInRecord
    ) -> str:
        """Issue a code."""
        code = f"1.{self._new_id()}"
        self._codes[code] = IssuedCode(
            grant=grant,
            redirect=redirect,
            redirect_uri=redirect_uri,
            challenge=challenge,
            family=self._new_id(),
            record=record,
            issued_s=self._clock(),
        )
        return code

    def redeem(
        self, code: str, *, client_id: str, redirect_uri: str, verifier: str | None, check: Callable[[IssuedCode], None]
    ) -> IssuedCode:
        """Redeem a code. A refused code stays valid for its owner until it expires.

        ``check`` is called before the code is used up, and raises unless the client may redeem it.

        Raises:
            OAuthError: The code was not issued, was redeemed, has expired, belongs to another client or redirect URI,
                or the verifier does not match.
        """
        issued = self._valid(code)
        _check_owner(issued, client_id, redirect_uri)
        check(issued)
        _check_verifier(issued, verifier)
        del self._codes[code]
        self._redeemed[code] = issued.family
        return issued

    def _valid(self, code: str) -> IssuedCode:
        if code in self._redeemed:
            self._withdraw(self._redeemed[code])
            raise refused("code-redeemed-before")
        issued = self._codes.get(code)
        if issued is None:
            raise refused("code-unknown")
        age_s = self._clock() - issued.issued_s
        if age_s > CODE_LIFETIME_S:
            raise refused("code-expired", age_s=age_s, lifetime_s=CODE_LIFETIME_S)
        return issued


def s256(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier."""
    return encode_base64url(hashlib.sha256(verifier.encode()).digest())


def _check_owner(issued: IssuedCode, client_id: str, redirect_uri: str) -> None:
    if issued.grant.client.client_id != client_id.lower():
        raise refused("code-of-another-client")
    if issued.redirect_uri != redirect_uri:
        raise refused("code-redirect-uri", given=redirect_uri[:200])


def _check_verifier(issued: IssuedCode, verifier: str | None) -> None:
    if issued.challenge is None:
        if verifier is not None:
            raise refused("verifier-without-challenge")
        if issued.redirect.kind == "spa":
            raise refused("challenge-required")
        return
    if not verifier:
        raise refused("verifier-missing")
    if not hmac.compare_digest(s256(verifier), issued.challenge):
        raise refused("verifier-wrong")
