"""What stands in the tokens of a signed-in user, before and after custom claims are added.

Custom claims come last and cannot replace what makes a token a token: the mapping leaves restricted names out. Groups
and roles are the tenant file's; they never were in an event.

Source: entra-docs ``id-token-claims-reference.md``, ``access-token-claims-reference.md``, ``optional-claims-
reference.md`` (groups); OpenID Connect Core 2 and 3.3.2.11 (``c_hash``).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from selftest.base.base64url import encode_base64url
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.signin.scopes import Scopes
from selftest.signin.tenant.directory import GRAPH, App, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a user's sign-in to an app gives the app a right to.

    Attributes:
        person: Who signed in.
        client: The app that asked.
        scopes: What for.
        version: Of the endpoint that was asked, and so of the id token.
        session_id: The browser's session, ``sid``.
        nonce: Of the request; None where it had none.
        id_claims: What the extension and the client's policy add to the id token.
        access_claims: What the extension and the API's policy add to the access token.
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
    """Give the claims of the id token; ``code`` is the one that travels with it in a hybrid answer."""
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
        "sub": pairwise(person, client),
        "tid": mint.tenant.tenant_id,
        "uti": mint.unique(),
        "ver": grant.version,
        **grant.id_claims,
    }


def access_token(mint: TokenMint, grant: Grant) -> dict[str, object]:
    """Give the claims of the access token: its form is the API's choice, whichever endpoint was asked."""
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
        "sub": pairwise(person, resource),
        "tid": mint.tenant.tenant_id,
        "uti": mint.unique(),
        "ver": resource.access_version,
        **grant.access_claims,
    }


def audience(scopes: Scopes) -> str:
    """Give the audience of an access token: the client id, or in a v1.0 token what the request called the API."""
    return scopes.identifier if scopes.resource.access_version == "1.0" else scopes.resource.client_id


def pairwise(person: Person, app: App) -> str:
    """Give the subject: one per user and app, as Entra's is."""
    return encode_base64url(hashlib.sha256(f"{person.id}/{app.client_id}".encode()).digest())


def _basic(app: App, person: Person, version: EntraVersion, *, email: bool = False) -> dict[str, object]:
    """Give the claims about the person, which a policy without the basic claim set takes away."""
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
