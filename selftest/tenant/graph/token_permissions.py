"""Which permissions an access token for Graph carries, and which one a refused request lacks.

The token is decoded and not verified: it goes back to its issuer's service, which decides. This only predicts what
Graph will refuse. Nothing may be authorized because of what is read here.

Source: entra-docs ``access-token-claims-reference.md``: ``scp`` has delegated permissions, ``roles`` those of an
application.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from selftest.base.compact_token import decoded_token
from selftest.tenant.graph.errors import PermissionMissing, RequestRefused
from selftest.tenant.graph.surface import Permissions

_ROLES: Final = "Authentication Extensibility Administrator or Application Administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPermissions:
    """What a token says about itself.

    Attributes:
        granted: The names of its permissions; None when it cannot be read: Graph's tokens need not be readable.
        delegated: Whether it is for a signed-in user, whose directory roles then count as well.
        expires_on: Seconds since 1970; None when it does not say.
    """

    granted: frozenset[str] | None
    delegated: bool = False
    tenant_id: str | None = None
    expires_on: int | None = None

    def allows(self, permissions: Permissions) -> bool:
        """Whether one of the alternatives is granted; an unreadable token may have it."""
        return self.granted is None or any(alternative <= self.granted for alternative in permissions)


def token_permissions(token: str) -> TokenPermissions:
    """Read a token without verifying it. A token that is not a JWT has unknown permissions, and is no error."""
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
    """Name the permissions to request so that everything wanted is allowed, each once, in order."""
    return list(dict.fromkeys(in_words(permissions) for permissions in wanted if not held.allows(permissions)))


def permission_missing(error: RequestRefused, wanted: Permissions, held: TokenPermissions) -> PermissionMissing:
    """Name the permission that would have helped, or say that it is not a permission that is missing.

    Args:
        error: A refusal with status 403.
        wanted: The alternatives that would allow the request; empty where they are not known.
        held: By the token.
    """
    is_held = bool(wanted) and held.granted is not None and held.allows(wanted)
    if is_held:
        advice = f"The token has {in_words(wanted)}: the account may lack a directory role ({_ROLES}), or a license"
    elif held.delegated:
        advice = f"Sign in with {in_words(wanted)}; the account may need a directory role as well ({_ROLES})"
    else:
        advice = f"Grant the application {in_words(wanted)}, with an administrator's consent"
    least = wanted[0] if wanted else frozenset()
    return PermissionMissing(error.reason, advice, wanted=least, held=is_held, status=403, code=error.code)


def _payload(token: str) -> dict[str, Any] | None:
    try:
        payload: Any = decoded_token(token)[1]
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None
