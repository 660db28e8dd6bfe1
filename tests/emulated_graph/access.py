"""Authentication and authorization at the emulated Graph: tokens that list their permissions, and the refusals.

The tokens are unsigned and say so in their header (``alg`` is ``none``): nothing here needs protection. The refusals
are real: 401 without a token, with an expired one or one for another service, 403 without the permission that Graph's
page requires.

Source: microsoft-graph-docs ``concepts/resolve-auth-errors.md``, ``concepts/auth/auth-concepts.md``.
"""

import json
from typing import Final

from selftest.base.base64url import decode_base64url
from selftest.tenant.graph.token_permissions import TokenPermissions, token_permissions
from tests.emulated_graph.operations import Operation
from tests.emulated_graph.refusal import Refusal

_AUDIENCES: Final = frozenset({"https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"})


def admit(authorization: str | None, now_s: float) -> TokenPermissions:
    """Return the permissions of a request's token.

    Raises:
        Refusal: 401: no token, none for Graph, or an expired one.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.casefold() != "bearer" or not token:
        raise _unauthenticated("Access token is empty.")
    held = token_permissions(token)
    if held.granted is None or held.expires_on is None:
        raise _unauthenticated("The token is malformed: it has to be a JWT with permissions and an expiry.")
    if _audience(token) not in _AUDIENCES:
        raise _unauthenticated("Access token validation failure. Invalid audience.")
    if held.expires_on <= now_s:
        raise _unauthenticated("Lifetime validation failed, the token is expired.")
    return held


def authorize(held: TokenPermissions, operation: Operation) -> None:
    """Refuse a request that the permissions do not allow.

    Raises:
        Refusal: 403.
    """
    if not held.allows(operation.permissions):
        raise Refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _unauthenticated(message: str) -> Refusal:
    return Refusal(401, "InvalidAuthenticationToken", message)


def _audience(token: str) -> object:
    payload = token.split(".")[1]
    return json.loads(decode_base64url(payload)).get("aud")
