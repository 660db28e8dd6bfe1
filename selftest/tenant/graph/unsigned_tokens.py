"""Unsigned tokens for an emulated Graph, which say so in their header (``alg`` is ``none``).

Nothing there needs protection, and a signature would only suggest that it does.
"""

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from selftest.base.base64url import encode_base64url
from selftest.tenant.graph.token_permissions import token_permissions

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

LIFETIME_S: Final = 3600


class FixedCredential:
    """A credential whose tokens always have the same permissions, in place of a person who signs in."""

    def __init__(self, mint: Callable[[], str]) -> None:
        self._mint = mint
        self.asked = 0

    async def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """Return a new token."""
        from azure.core.credentials import AccessToken  # noqa: PLC0415 - loaded by the client that calls

        del scopes, options
        self.asked += 1
        token = self._mint()
        return AccessToken(token, token_permissions(token).expires_on or 0)


def mint_token(permissions: Iterable[str], *, tenant_id: str, now_s: float, delegated: bool = False) -> str:
    """Return a token that the emulated Graph accepts.

    Args:
        permissions: Their names.
        tenant_id: The tenant of the token.
        now_s: Seconds since 1970.
        delegated: Whether it is for a signed-in user (``scp``) instead of an application (``roles``).
    """
    names = sorted(permissions)
    payload = {
        "aud": "https://graph.microsoft.com",
        "tid": tenant_id,
        "iat": int(now_s),
        "exp": int(now_s) + LIFETIME_S,
        **({"scp": " ".join(names)} if delegated else {"roles": names}),
    }
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{_encoded(payload)}."


def _encoded(value: object) -> str:
    return encode_base64url(json.dumps(value).encode())
