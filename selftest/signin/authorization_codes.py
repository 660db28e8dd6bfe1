"""Authorization codes: each is good once, for ten minutes, for the client and the redirect URI that it was issued to.

A code that comes back a second time may have been stolen, so what the first one gave is withdrawn.

Source: RFC 6749 4.1.2 and 10.5; RFC 7636 4.6 (S256); entra-docs ``v2-oauth2-auth-code-flow.md`` (about ten minutes).
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from selftest.base.base64url import encode_base64url
from selftest.entra.oauth_error import OAuthError
from selftest.signin.sign_in_log import SignInRecord
from selftest.signin.tenant.directory import RedirectUri
from selftest.signin.user_tokens import Grant

CODE_LIFETIME_S: Final = 600

#: A code that was redeemed is remembered among this many, so that its replay is told from a made-up one.
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """What a code stands for.

    Attributes:
        grant: What it gives.
        redirect: Where it was sent, and the platform of that redirect URI.
        redirect_uri: The same as the request wrote it: with the port that it had.
        challenge: The PKCE challenge, S256; None where the request had none.
        family: The refresh tokens that come from it.
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
    """The codes of one tenant.

    Args:
        clock: Wall-clock seconds since 1970.
        new_id: Gives an id that nobody can guess.
        withdraw: Called with the family of a code that came twice.
    """

    def __init__(self, clock: Callable[[], float], new_id: Callable[[], str], withdraw: Callable[[str], None]) -> None:
        self._clock = clock
        self._new_id = new_id
        self._withdraw = withdraw
        self._codes: OrderedDict[str, IssuedCode] = OrderedDict()
        self._spent: OrderedDict[str, str] = OrderedDict()

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
        _bound(self._codes)
        return code

    def redeem(
        self,
        code: str,
        *,
        client_id: str,
        redirect_uri: str,
        verifier: str | None,
        check: Callable[[IssuedCode], None],
    ) -> IssuedCode:
        """Take a code back. One that is refused for anything but its age stays good for whoever it belongs to.

        Args:
            code: What the app sends.
            client_id: Who it says it is.
            redirect_uri: Where it says that the code went.
            verifier: PKCE.
            check: Raises unless the client may redeem this code; called before the code is used up.

        Raises:
            OAuthError: It was never issued, was redeemed, is too old, belongs to another client or redirect URI, or
                the verifier does not match.
        """
        issued = self._valid(code)
        _check_owner(issued, client_id, redirect_uri)
        check(issued)
        _check_verifier(issued, verifier)
        del self._codes[code]
        self._spent[code] = issued.family
        _bound(self._spent)
        return issued

    def _valid(self, code: str) -> IssuedCode:
        if code in self._spent:
            self._withdraw(self._spent[code])
            raise OAuthError("invalid_grant", "the authorization code was already redeemed", aadsts=54005)
        issued = self._codes.get(code)
        if issued is None:
            raise OAuthError("invalid_grant", "the authorization code is malformed or was not issued", aadsts=9002313)
        age_s = self._clock() - issued.issued_s
        if age_s > CODE_LIFETIME_S:
            raise OAuthError(
                "invalid_grant",
                f"the authorization code has expired: it is {age_s:.0f} s old, {CODE_LIFETIME_S} s are allowed",
                aadsts=70008,
            )
        return issued


def s256(verifier: str) -> str:
    """Give the challenge that a verifier answers."""
    return encode_base64url(hashlib.sha256(verifier.encode()).digest())


def _check_owner(issued: IssuedCode, client_id: str, redirect_uri: str) -> None:
    if issued.grant.client.client_id != client_id.lower():
        raise OAuthError("invalid_grant", "the authorization code was issued to another client", aadsts=700005)
    if issued.redirect_uri != redirect_uri:
        raise OAuthError(
            "invalid_grant",
            f"the redirect_uri {redirect_uri[:200]!r} is not the one of the authorization request",
            aadsts=500112,
        )


def _check_verifier(issued: IssuedCode, verifier: str | None) -> None:
    if issued.challenge is None:
        if verifier is not None:
            raise OAuthError(
                "invalid_grant", "a code_verifier came, but the request had no code_challenge", aadsts=501481
            )
        if issued.redirect.kind == "spa":
            raise OAuthError(
                "invalid_request",
                "Proof Key for Code Exchange is required for cross-origin authorization code redemption",
                aadsts=9002325,
            )
        return
    if not verifier:
        raise OAuthError("invalid_grant", "the parameter 'code_verifier' is missing", aadsts=501481)
    if not hmac.compare_digest(s256(verifier), issued.challenge):
        raise OAuthError(
            "invalid_grant",
            "the code_verifier does not match the code_challenge of the authorization request",
            aadsts=501481,
        )


def _bound(store: OrderedDict[str, IssuedCode] | OrderedDict[str, str]) -> None:
    while len(store) > _REMEMBERED:
        store.popitem(last=False)
