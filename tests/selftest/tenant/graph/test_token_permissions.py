"""What a token says that it allows."""

import base64
import json
from typing import Any

import pytest

from selftest.tenant.graph.surface import permissions_for
from selftest.tenant.graph.token_permissions import TokenPermissions, in_words, missing, token_permissions
from selftest.tenant.graph.unsigned_tokens import mint_token

EXTENSIONS = permissions_for("GET", "/identity/customAuthenticationExtensions")
CONSENT = permissions_for("POST", "/servicePrincipals/x/appRoleAssignments")


def _token(payload: Any) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b'=').decode()}.x"


def test_delegated_and_application() -> None:
    """A user's token has ``scp``, an application's has ``roles``."""
    for delegated in (True, False):
        token = mint_token(["B.Read", "A.Read"], tenant_id="t", now_s=100.9, delegated=delegated)
        assert token_permissions(token) == TokenPermissions(
            granted=frozenset({"A.Read", "B.Read"}), delegated=delegated, tenant_id="t", expires_on=3700
        )


@pytest.mark.parametrize("token", ["", "opaque", "a.b", "a.b.c.d", "a.!.c", "a.e30x.c", _token([]), _token("x")])
def test_unreadable_tokens_may_hold_anything(token: str) -> None:
    """A token that cannot be read is not said to lack something."""
    held = token_permissions(token)
    assert held.granted is None
    assert held.allows(EXTENSIONS)


@pytest.mark.parametrize("payload", [{}, {"scp": 1, "roles": "x", "tid": 1, "exp": "1"}, {"roles": [1, None]}])
def test_odd_claims_give_nothing(payload: dict[str, Any]) -> None:
    """Claims of other kinds are no permissions."""
    assert token_permissions(_token(payload)) == TokenPermissions(granted=frozenset())


def test_what_is_missing() -> None:
    """Each missing alternative is named once, with the permissions that are needed together."""
    held = TokenPermissions(granted=frozenset({"Application.Read.All"}))
    assert missing(held, [EXTENSIONS, CONSENT, EXTENSIONS, permissions_for("GET", "/applications")]) == [
        "CustomAuthenticationExtension.Read.All",
        "AppRoleAssignment.ReadWrite.All and Application.Read.All",
    ]
    assert in_words(()) == "a permission that its page names"
