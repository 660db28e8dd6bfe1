"""Tokens for an emulated Graph: they say what they allow, and they are unsigned and say so (``alg`` is ``none``).

Nothing there is worth protecting, and a signature would only look as if there were.
"""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from selftest.tenant.graph.token_permissions import token_permissions

LIFETIME_S: Final = 3600


class AccessToken(NamedTuple):
    """A token and its end, as azure-core's credentials give them."""

    token: str
    expires_on: int


class FixedCredential:
    """Gives tokens with the same permissions for ever; for tests, in place of a person who signs in.

    Args:
        mint: makes a token.
    """

    def __init__(self, mint: Callable[[], str]) -> None:
        self._mint = mint
        self.asked = 0

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Give a new token."""
        del scopes, options
        self.asked += 1
        token = self._mint()
        return AccessToken(token, token_permissions(token).expires_on or 0)


def mint_token(permissions: Iterable[str], *, tenant_id: str, now_s: float, delegated: bool = False) -> str:
    """Make a token that the emulated Graph takes.

    Args:
        permissions: their names.
        tenant_id: the tenant it is for.
        now_s: seconds since 1970.
        delegated: for a signed-in user (``scp``); otherwise for an application (``roles``).
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
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
