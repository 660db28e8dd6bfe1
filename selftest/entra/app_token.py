"""The claims of the app's own token before a custom claims provider adds to them.

An app that only signs its user in gets an id token, an app that requests another API gets an access token for it, and a
SAML app gets an assertion. Only claims that matter for custom claims are included; a real token carries more.

Source: entra-docs ``id-token-claims-reference.md``, ``access-token-claims-reference.md``,
``reference-claims-customization.md`` (the basic claim set), ``saml-claims-customization.md``.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from selftest.base.base64url import encode_base64url
from selftest.entra.token_mint import TokenMint

#: The subject of an assertion, which is not one of its attributes.
NAME_ID: Final = "NameID"

_MICROSOFT: Final = "http://schemas.microsoft.com/identity/claims"
_XMLSOAP: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"


def is_saml(event: Mapping[str, Any]) -> bool:
    """Whether the callout is for a SAML assertion."""
    return bool(event["data"]["authenticationContext"]["protocol"] == "SAML")


def app_token_claims(mint: TokenMint, event: Mapping[str, Any], *, basic_claim_set: bool = True) -> dict[str, object]:
    """Return the claims of the token that the callout was about, without custom claims.

    ``basic_claim_set`` is the mapping policy's IncludeBasicClaimSet: without it the claims about the person are left
    out, and the claims that every token needs stay.
    """
    context = event["data"]["authenticationContext"]
    # Without a user the app signs in as itself.
    user = context["user"] or {"id": context["clientServicePrincipal"]["id"]}
    if is_saml(event):
        return assertion_claims(user, event["data"]["tenantId"], basic_claim_set=basic_claim_set)
    client_id, audience = context["clientServicePrincipal"]["appId"], context["resourceServicePrincipal"]["appId"]
    person = {"name": user.get("displayName"), "preferred_username": user.get("userPrincipalName", user.get("mail"))}
    delegated = {"azp": client_id, "azpacr": "1", "scp": "access_as_user"}
    return {
        "aud": audience,
        "iss": mint.issuer("2.0"),
        **mint.lifetime(),
        **(delegated if audience != client_id else {}),
        **({name: value for name, value in person.items() if value is not None} if basic_claim_set else {}),
        "oid": user["id"],
        "sub": pairwise_subject(user["id"], audience),
        "tid": event["data"]["tenantId"],
        "ver": "2.0",
    }


def assertion_claims(user: Mapping[str, Any], tenant_id: str, *, basic_claim_set: bool = True) -> dict[str, object]:
    """Return the name identifier and the attributes of a SAML assertion, without custom claims."""
    person = {
        f"{_XMLSOAP}/name": user.get("userPrincipalName"),
        f"{_XMLSOAP}/givenname": user.get("givenName"),
        f"{_XMLSOAP}/surname": user.get("surname"),
        f"{_XMLSOAP}/emailaddress": user.get("mail"),
    }
    known = {name: value for name, value in person.items() if value is not None}
    return {
        NAME_ID: user.get("userPrincipalName", user["id"]),
        f"{_MICROSOFT}/tenantid": tenant_id,
        f"{_MICROSOFT}/objectidentifier": user["id"],
        **(known if basic_claim_set else {}),
    }


def pairwise_subject(user_id: str, app_id: str) -> str:
    """Return the ``sub`` of a user's token, which differs from app to app as at Entra."""
    return encode_base64url(hashlib.sha256(f"{user_id}/{app_id}".encode()).digest())
