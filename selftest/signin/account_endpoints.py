"""What client libraries request besides tokens: userinfo, the end of the session, and the cloud's instance metadata.

Source: OpenID Connect Core 5.3 (userinfo), RP-Initiated Logout 1.0; entra-docs ``userinfo.md``,
``v2-protocols-oidc.md`` (sign-out: the URI has to be registered); the discovery document is what MSAL reads.
"""

from typing import Any

import jwt
from aiohttp import web

from selftest.entra.metadata import oauth2_url
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.signin.oidc.authorization_request import RESPONSE_TYPES
from selftest.signin.oidc.scopes import OPENID_SCOPES
from selftest.signin.pages import message_page
from selftest.signin.sign_in_service import SignInService
from selftest.signin.tenant.directory import GRAPH_APP_ID, App
from selftest.signin.tenant.redirect_uris import find_redirect_uri, with_response
from selftest.signin.user_tokens import subject


def userinfo(service: SignInService, mint: TokenMint, request: web.Request, now_s: float) -> web.Response:
    """Return the response to a userinfo request, which needs an access token for Microsoft Graph, as at Entra."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    person = None
    if scheme.lower() == "bearer":
        claims = _graph_claims(mint, token.strip(), now_s)
        person = next((person for person in service.directory.people if person.id == claims.get("oid")), None)
    if person is None:
        challenge = 'Bearer error="invalid_token"' if scheme else "Bearer"
        return web.json_response({"error": "invalid_token"}, status=401, headers={"WWW-Authenticate": challenge})
    client = service.directory.app(str(claims.get("azp"))) or service.directory.apps[0]
    members = {"given_name": "givenName", "family_name": "surname", "email": "mail"}
    known = {claim: person.members[name] for claim, name in members.items() if name in person.members}
    return web.json_response({"sub": subject(person, client), "name": person.display_name, **known})


def _graph_claims(mint: TokenMint, token: str, now_s: float) -> dict[str, Any]:
    """Return the claims of a valid token for Graph, and no claims of any other token."""
    try:
        key = mint.keys.verifying(str(jwt.get_unverified_header(token).get("kid")))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=GRAPH_APP_ID,
            # The server's clock decides, not the machine's.
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, KeyError):
        return {}
    return claims if claims["exp"] > now_s else {}


def end_session(service: SignInService, request: web.Request, fields: dict[str, str]) -> web.Response:
    """Sign out every user of this browser, and redirect to the requested URI if it is registered."""
    target = fields.get("post_logout_redirect_uri", "")
    if target and any(find_redirect_uri(app, target) for app in _requesting_apps(service, fields)):
        state = {"state": fields["state"]} if "state" in fields else {}
        location = with_response(target, state, fragment=False) if state else target
        response = web.Response(status=302, headers={"Location": location, "Cache-Control": "no-store"})
    else:
        note = f" {target} is not a registered redirect URI, so the browser stays here." if target else ""
        response = message_page("Signed out", f"All users are signed out in this browser.{note}")
    service.sessions.sign_out(service.sessions.of(request), response)
    return response


def _requesting_apps(service: SignInService, fields: dict[str, str]) -> tuple[App, ...]:
    """Return the app that requests the sign-out, or every app if the request names none."""
    try:
        hint = jwt.decode(fields.get("id_token_hint", ""), options={"verify_signature": False})
    except jwt.PyJWTError:
        hint = {}
    client_id = fields.get("client_id") or hint.get("aud")
    app = service.directory.app(client_id) if isinstance(client_id, str) else None
    return service.directory.apps if app is None else (app,)


def instance_discovery(host: str, authority_url: str) -> dict[str, Any]:
    """Return instance metadata according to which this host is the whole cloud."""
    return {
        "tenant_discovery_endpoint": f"{authority_url}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }


def sign_in_metadata(mint: TokenMint, version: EntraVersion) -> dict[str, Any]:
    """Return the members of the metadata document that a tenant with users adds or changes."""
    return {
        "end_session_endpoint": f"{oauth2_url(mint.authority_url, version)}/logout",
        "userinfo_endpoint": f"{mint.authority_url}/openid/userinfo",
        "response_types_supported": list(RESPONSE_TYPES),
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "scopes_supported": list(OPENID_SCOPES),
        "code_challenge_methods_supported": ["S256"],
        "http_logout_supported": True,
        "frontchannel_logout_supported": False,
    }
