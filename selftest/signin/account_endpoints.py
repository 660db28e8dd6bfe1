"""What a client library asks for besides tokens: who the user is, the end of the session, and which cloud this is.

Source: OpenID Connect Core 5.3 (userinfo), RP-Initiated Logout 1.0; entra-docs ``userinfo.md``,
``v2-protocols-oidc.md`` (sign-out: the URI has to be registered); the discovery document is what MSAL reads.
"""

from typing import Any

import jwt
from aiohttp import web

from selftest.entra.token_mint import TokenMint
from selftest.signin.pages import message_page
from selftest.signin.sign_in_service import Desk
from selftest.signin.tenant.directory import GRAPH_APP_ID, App
from selftest.signin.tenant.redirect_uris import match, with_response
from selftest.signin.user_tokens import pairwise


def userinfo(desk: Desk, mint: TokenMint, request: web.Request, now_s: float) -> web.Response:
    """Answer a userinfo request: an access token to Microsoft Graph is wanted, as at Entra."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    person = None
    if scheme.lower() == "bearer":
        claims = _graph_claims(mint, token.strip(), now_s)
        person = next((person for person in desk.directory.people if person.id == claims.get("oid")), None)
    if person is None:
        challenge = 'Bearer error="invalid_token"' if scheme else "Bearer"
        return web.json_response({"error": "invalid_token"}, status=401, headers={"WWW-Authenticate": challenge})
    client = desk.directory.app(str(claims.get("azp"))) or desk.directory.apps[0]
    members = {"givenname": "given_name", "surname": "family_name", "mail": "email"}
    known = {name.lower(): value for name, value in person.members.items()}
    return web.json_response(
        {
            "sub": pairwise(person, client),
            "name": person.display_name,
            **{claim: known[name] for name, claim in members.items() if name in known},
        }
    )


def _graph_claims(mint: TokenMint, token: str, now_s: float) -> dict[str, Any]:
    """Give the claims of a valid token to Graph; none of any other."""
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


def end_session(desk: Desk, request: web.Request, fields: dict[str, str]) -> web.Response:
    """Sign everybody in this browser out, and go back where a registered URI says."""
    target = fields.get("post_logout_redirect_uri", "")
    if target and any(match(app, target) for app in _asking(desk, fields)):
        state = {"state": fields["state"]} if "state" in fields else {}
        location = with_response(target, state, fragment=False) if state else target
        response = web.Response(status=302, headers={"Location": location, "Cache-Control": "no-store"})
    else:
        note = f" {target} is not a registered redirect URI, so you stay here." if target else ""
        response = message_page("Signed out", f"Nobody is signed in in this browser any more.{note}")
    desk.sessions.sign_out(desk.sessions.of(request), response)
    return response


def _asking(desk: Desk, fields: dict[str, str]) -> tuple[App, ...]:
    """Give the app that asks for the end, or every app where the request does not say."""
    try:
        hint = jwt.decode(fields.get("id_token_hint", ""), options={"verify_signature": False})
    except jwt.PyJWTError:
        hint = {}
    client_id = fields.get("client_id") or hint.get("aud")
    app = desk.directory.app(client_id) if isinstance(client_id, str) else None
    return desk.directory.apps if app is None else (app,)


def instance_discovery(host: str, authority_url: str) -> dict[str, Any]:
    """Tell a client library that this host is the cloud that it should keep to."""
    return {
        "tenant_discovery_endpoint": f"{authority_url}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
