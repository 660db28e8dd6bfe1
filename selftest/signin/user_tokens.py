"""The claims of a signed-in user's tokens, including custom claims.

Custom claims are added last and cannot replace the claims that every token needs: the mapping omits restricted names.
Groups and roles come from the tenant file and are never part of an event.

Source: entra-docs ``id-token-claims-reference.md``, ``access-token-claims-reference.md``, ``optional-claims-
reference.md`` (groups); OpenID Connect Core 2 and 3.3.2.11 (``c_hash``).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from selftest.base.base64url import encode_base64url
from selftest.entra.app_token import pairwise_subject
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.signin.oidc.scopes import Scopes
from selftest.signin.tenant.directory import GRAPH, App, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an app may get tokens for after a user's sign-in.

    Attributes:
        version: The version of the endpoint, and so of the id token.
        session_id: The browser's session, ``sid``.
        nonce: The nonce of the request; None where it had none.
        id_claims: The custom claims of the id token, mapped by the client's policy.
        access_claims: The custom claims of the access token, mapped by the API's policy.
    """

    person: Person
    client: App
    scopes: Scopes
    version: EntraVersion
    session_id: str
    nonce: str | None
    id_claims: Mapping[str, object]
    access_claims: Mapping[str, object]


def id_token(mint: TokenMint, grant: Grant, *, code: str | None = None) -> dict[str, object]:
    """Return the claims of the id token; ``code`` is the code in the same hybrid response."""
    person, client = grant.person, grant.client
    return {
        "aud": client.client_id,
        "iss": mint.issuer(grant.version),
        **mint.lifetime(),
        **({} if code is None else {"c_hash": _half_hash(code)}),
        **({} if grant.nonce is None else {"nonce": grant.nonce}),
        **_basic(client, person, grant.version, email="email" in grant.scopes.openid),
        **_directory_claims(client, person),
        "oid": person.id,
        "sid": grant.session_id,
        "sub": subject(person, client),
        "tid": mint.tenant.tenant_id,
        "uti": mint.unique(),
        "ver": grant.version,
        **grant.id_claims,
    }


def access_token(mint: TokenMint, grant: Grant) -> dict[str, object]:
    """Return the claims of the access token; the API chooses its version, whichever endpoint was called."""
    person, client, resource = grant.person, grant.client, grant.scopes.resource
    legacy = resource.access_version == "1.0"
    confidential = "0" if client.secret is None else "1"
    return {
        "aud": audience(grant.scopes),
        "iss": mint.issuer(resource.access_version),
        **mint.lifetime(),
        "appid" if legacy else "azp": client.client_id,
        "appidacr" if legacy else "azpacr": confidential,
        **_basic(resource, person, resource.access_version),
        **_directory_claims(resource, person),
        "oid": person.id,
        "scp": grant.scopes.as_text(granted=True),
        "sid": grant.session_id,
        "sub": subject(person, resource),
        "tid": mint.tenant.tenant_id,
        "uti": mint.unique(),
        "ver": resource.access_version,
        **grant.access_claims,
    }


def audience(scopes: Scopes) -> str:
    """Return the audience of an access token: the client id, or in a v1.0 token the identifier in the request."""
    return scopes.identifier if scopes.resource.access_version == "1.0" else scopes.resource.client_id


def subject(person: Person, app: App) -> str:
    """Return the subject of a user's tokens for an app."""
    return pairwise_subject(person.id, app.client_id)


def _basic(app: App, person: Person, version: EntraVersion, *, email: bool = False) -> dict[str, object]:
    """Return the claims about the person; a policy without the basic claim set removes them."""
    if app.mapping is not None and not app.mapping.include_basic_claim_set:
        return {}
    members = person.members
    claims: dict[str, object] = {"name": person.display_name}
    if version == "2.0":
        claims["preferred_username"] = person.sign_in_name
        if email and "mail" in members:
            claims["email"] = members["mail"]
        return claims
    claims["unique_name"] = person.sign_in_name
    pairs = (("upn", "userPrincipalName"), ("given_name", "givenName"), ("family_name", "surname"))
    return claims | {name: members[source] for name, source in pairs if source in members}


def _directory_claims(app: App, person: Person) -> dict[str, object]:
    if app is GRAPH:
        return {}
    claims: dict[str, object] = {}
    if app.group_claims and person.groups:
        claims["groups"] = list(person.groups)
    if roles := person.roles.get(app.key):
        claims["roles"] = list(roles)
    return claims


def _half_hash(text: str) -> str:
    return encode_base64url(hashlib.sha256(text.encode()).digest()[:16])
