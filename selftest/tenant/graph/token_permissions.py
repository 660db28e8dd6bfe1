"""Which permissions an access token for Graph carries.

The token is our own and goes back to who issued it, so it is decoded and not verified: Graph decides, and this only
tells beforehand what it will refuse. Nothing may be let in because of what is read here.

Source: entra-docs ``access-token-claims-reference.md``: ``scp`` holds delegated permissions, ``roles`` those of an
application.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from selftest.tenant.graph.surface import Permissions


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPermissions:
    """What a token says of itself.

    Attributes:
        granted: the names of its permissions; None when it cannot be read, which Graph tokens need not be.
        delegated: whether it acts for a signed-in user, whose directory roles then count as well.
        tenant_id: the tenant it is for.
        expires_on: seconds since 1970; None when it does not say.
    """

    granted: frozenset[str] | None
    delegated: bool = False
    tenant_id: str | None = None
    expires_on: int | None = None

    def allows(self, permissions: Permissions) -> bool:
        """Say whether one of the alternatives is granted; an unreadable token may well hold it."""
        return self.granted is None or any(alternative <= self.granted for alternative in permissions)


def token_permissions(token: str) -> TokenPermissions:
    """Read a token without verifying it. One that is no JWT gives no permissions and no error."""
    payload = _payload(token)
    if payload is None:
        return TokenPermissions(granted=None)
    scopes, roles = payload.get("scp"), payload.get("roles")
    names = scopes.split() if isinstance(scopes, str) else []
    names += [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
    expires_on, tenant_id = payload.get("exp"), payload.get("tid")
    return TokenPermissions(
        granted=frozenset(names),
        delegated=isinstance(scopes, str),
        tenant_id=tenant_id if isinstance(tenant_id, str) else None,
        expires_on=expires_on if isinstance(expires_on, int) else None,
    )


def in_words(permissions: Permissions) -> str:
    """Name the least privileged alternative."""
    return " and ".join(sorted(permissions[0])) if permissions else "a permission that its page names"


def missing(held: TokenPermissions, wanted: Iterable[Permissions]) -> list[str]:
    """Name what to ask for so that all of the wanted can be done, each once, in order."""
    return list(dict.fromkeys(in_words(permissions) for permissions in wanted if not held.allows(permissions)))


def _payload(token: str) -> dict[str, Any] | None:
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None
