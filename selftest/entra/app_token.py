"""What the app's own token says about the user before a custom claims provider adds to it.

An app that only signs its user in gets an id token, one that asks for another API gets an access token to it, and a
SAML app gets an assertion. Only what a claims provider's reader looks for is here; a real token carries more.

Source: entra-docs ``id-token-claims-reference.md``, ``access-token-claims-reference.md``,
``reference-claims-customization.md`` (the basic claim set), ``saml-claims-customization.md``.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from selftest.entra.signing import base64url
from selftest.entra.token_mint import TokenMint

#: The subject of an assertion, beside its attributes.
NAME_ID: Final = "NameID"

_MICROSOFT: Final = "http://schemas.microsoft.com/identity/claims"
_XMLSOAP: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"


def is_saml(event: Mapping[str, Any]) -> bool:
    """Say whether the callout is for a SAML assertion."""
    return bool(event["data"]["authenticationContext"]["protocol"] == "SAML")


def app_token_claims(mint: TokenMint, event: Mapping[str, Any], *, basic_claim_set: bool = True) -> dict[str, object]:
    """Give the claims of the token that the callout was about, without any custom one.

    ``basic_claim_set`` is the mapping policy's IncludeBasicClaimSet: without it the claims about the person are gone,
    while those that make it a token stay.
    """
    if is_saml(event):
        context = event["data"]["authenticationContext"]
        return assertion_claims(context["user"], event["data"]["tenantId"], basic_claim_set=basic_claim_set)
    context = event["data"]["authenticationContext"]
    user, client, resource = (
        context["user"],
        context["clientServicePrincipal"],
        context["resourceServicePrincipal"],
    )
    person = {"name": user["displayName"], "preferred_username": user.get("userPrincipalName", user.get("mail"))}
    delegated = {"azp": client["appId"], "azpacr": "1", "scp": "access_as_user"}
    return {
        "aud": resource["appId"],
        "iss": mint.issuer("2.0"),
        **mint.lifetime(),
        **(delegated if resource["appId"] != client["appId"] else {}),
        **(person if basic_claim_set else {}),
        "oid": user["id"],
        "sub": _pairwise(user["id"], resource["appId"]),
        "tid": event["data"]["tenantId"],
        "ver": "2.0",
    }


def assertion_claims(user: Mapping[str, Any], tenant_id: str, *, basic_claim_set: bool = True) -> dict[str, object]:
    """Give the name identifier and the attributes of a SAML assertion, without any custom one."""
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


def _pairwise(user_id: str, app_id: str) -> str:
    """Give a subject that is one per user and app, as Entra's is."""
    return base64url(hashlib.sha256(f"{user_id}/{app_id}".encode()).digest())
