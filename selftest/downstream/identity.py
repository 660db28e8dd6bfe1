"""The managed identity endpoint of App Service as an app sees it, with a record of the tokens that it issued.

The tokens are opaque, because only the emulated API reads them. They name no tenant and are valid nowhere else.

Source: Microsoft Learn "How to use managed identities for App Service and Azure Functions", REST endpoint reference:
``GET /msi/token?resource=…&api-version=2019-08-01`` with ``X-IDENTITY-HEADER``.
"""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

API_VERSION: Final = "2019-08-01"
LIFETIME_S: Final = 3600
CLIENT_ID: Final = "77777777-7777-4777-8777-777777777777"


class IdentityRequestError(Exception):
    """A refused request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """One token with its resource and its expiry, in seconds since 1970."""

    token: str = field(repr=False)
    resource: str
    expires_on_s: int


class ManagedIdentity:
    """Issues tokens and recognizes them.

    Attributes:
        secret: The value of the app's ``IDENTITY_HEADER``.
        lifetime_s: The lifetime of future tokens, in seconds.
        last: The newest token, or None.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.secret = secrets.token_urlsafe(24)
        self.lifetime_s = LIFETIME_S
        self.last: IssuedToken | None = None
        self._clock = clock
        self._issued: dict[str, IssuedToken] = {}

    def issue(self, query: Mapping[str, str], secret: str | None, *, expired: bool = False) -> dict[str, str]:
        """Return the JSON of the response to a token request.

        Raises:
            IdentityRequestError: The request is not the documented one.
        """
        if secret is None or not hmac.compare_digest(secret.encode(), self.secret.encode()):
            raise IdentityRequestError(401, "X-IDENTITY-HEADER is missing or wrong")
        if query.get("api-version") != API_VERSION:
            raise IdentityRequestError(400, f"expected api-version {API_VERSION}")
        resource = query.get("resource", "")
        if not resource:
            raise IdentityRequestError(400, "the parameter 'resource' is missing")
        life_s = -60 if expired else self.lifetime_s
        issued = IssuedToken(secrets.token_urlsafe(32), resource, int(self._clock()) + life_s)
        self._issued[issued.token] = self.last = issued
        return {
            "access_token": issued.token,
            "client_id": CLIENT_ID,
            "expires_on": str(issued.expires_on_s),
            "resource": resource,
            "token_type": "Bearer",
        }

    def accepts(self, authorization: str | None) -> bool:
        """Whether this is a bearer token that was issued here, has not expired and is not withdrawn."""
        scheme, _, token = (authorization or "").partition(" ")
        issued = self._issued.get(token)
        return scheme.lower() == "bearer" and issued is not None and self._clock() < issued.expires_on_s

    def withdraw_all(self) -> None:
        """Invalidate every token issued so far."""
        self._issued.clear()
