"""The token endpoint of a tenant with people in it: codes, refresh tokens and client credentials against tokens.

Source: RFC 6749 4.1.3, 4.4, 5 and 6; RFC 7636; entra-docs ``v2-oauth2-auth-code-flow.md`` (redeeming from a
single-page app), ``v2-oauth2-client-creds-grant-flow.md``, ``reference-error-codes.md``.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from selftest.entra.oauth_error import OAuthError
from selftest.entra.token_endpoint import EXPIRES_IN_S
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.entra.token_request import Credentials, read_credentials, required, single_valued
from selftest.signin.issuance import Issuance
from selftest.signin.scopes import Scopes, read_scopes, resource_scopes
from selftest.signin.sign_in_log import SignInRecord
from selftest.signin.sign_in_service import Desk
from selftest.signin.tenant.directory import GRAPH, App, RedirectKind
from selftest.signin.user_tokens import Grant, audience

_DEFAULT = "/.default"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """One request to the token endpoint.

    Attributes:
        fields: The form.
        credentials: Who asks.
        origin: The page that asks, where a browser says so.
        version: Of the endpoint.
        correlation_id: Of the request.
    """

    fields: Mapping[str, str]
    credentials: Credentials
    origin: str | None
    version: EntraVersion
    correlation_id: str


async def answer(
    desk: Desk,
    mint: TokenMint,
    form: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    *,
    version: EntraVersion,
    correlation_id: str,
) -> dict[str, Any]:
    """Answer one request with the JSON of a token response.

    Raises:
        OAuthError: It is refused.
    """
    fields = single_valued(form)
    grant_type = required(fields, "grant_type")
    grants: Mapping[str, Callable[[Desk, TokenMint, TokenRequest], Any]] = {
        "authorization_code": _authorization_code,
        "refresh_token": _refresh_token,
        "client_credentials": _client_credentials,
    }
    if grant_type not in grants:
        raise OAuthError(
            "unsupported_grant_type",
            f"grant_type is one of {', '.join(grants)}, got {grant_type[:40]!r}",
            aadsts=70003,
        )
    request = TokenRequest(
        fields=fields,
        credentials=read_credentials(fields, headers.get("Authorization")),
        origin=headers.get("Origin"),
        version=version,
        correlation_id=correlation_id,
    )
    document: dict[str, Any] = await grants[grant_type](desk, mint, request)
    return document


async def _authorization_code(desk: Desk, mint: TokenMint, request: TokenRequest) -> dict[str, Any]:
    client = _client(desk, request)
    issued = desk.codes.redeem(
        required(request.fields, "code"),
        client_id=client.client_id,
        redirect_uri=required(request.fields, "redirect_uri"),
        verifier=request.fields.get("code_verifier"),
        check=lambda issued: _authenticate(client, request, issued.redirect.kind),
    )
    scopes = _narrowed(desk, request, issued.grant.scopes)
    grant, record = issued.grant, issued.record
    if scopes.resource is not grant.scopes.resource:
        # Another API than the one at the authorize endpoint: its extension has not been asked yet.
        record = await _issue(desk, request, grant, scopes)
        grant = desk.grant(record, scopes, grant.version, session_id=grant.session_id, nonce=grant.nonce)
    else:
        grant = replace(grant, scopes=scopes)
    lasting = "offline_access" in scopes.openid
    refresh_token = desk.refresh_tokens.issue(grant, issued.redirect.kind, issued.family) if lasting else None
    return _tokens(desk, mint, request, grant, record, refresh_token=refresh_token)


async def _refresh_token(desk: Desk, mint: TokenMint, request: TokenRequest) -> dict[str, Any]:
    client = _client(desk, request)
    token = required(request.fields, "refresh_token")
    held = desk.refresh_tokens.read(token, client_id=client.client_id)
    _authenticate(client, request, held.kind)
    scopes = _narrowed(desk, request, held.grant.scopes)
    record = await _issue(desk, request, held.grant, scopes)
    # A refreshed id token has no nonce of its own: OpenID Connect Core 12.2.
    grant = desk.grant(record, scopes, request.version, session_id=held.grant.session_id, nonce=None)
    successor = desk.refresh_tokens.replace(token, grant)
    return _tokens(desk, mint, request, grant, record, refresh_token=successor)


async def _client_credentials(desk: Desk, mint: TokenMint, request: TokenRequest) -> dict[str, Any]:
    client = _client(desk, request)
    if client.secret is None:
        raise OAuthError(
            "unauthorized_client", f"{client.key} is a public client: it cannot ask for itself", aadsts=700025
        )
    _check_secret(client, request)
    scopes = _app_only(desk, request)
    version = scopes.resource.access_version
    proof = {"appidacr" if version == "1.0" else "azpacr": "1"}
    token = mint.client_credentials_token(
        client.client_id,
        version=version,
        audience=audience(scopes),
        oid=client.principal.id,
        sub=client.principal.id,
        **proof,
    )
    return {
        "token_type": "Bearer",
        "expires_in": EXPIRES_IN_S,
        "ext_expires_in": EXPIRES_IN_S,
        "access_token": token,
    }


async def _issue(desk: Desk, request: TokenRequest, held: Grant, scopes: Scopes) -> SignInRecord:
    """Ask the extensions again, without a user at the screen."""
    return await desk.issuer.issue(
        Issuance(
            person=held.person,
            client=held.client,
            scopes=scopes,
            id_token=scopes.id_token,
            access_token=True,
            correlation_id=request.correlation_id,
            interactive=False,
        )
    )


def _tokens(
    desk: Desk,
    mint: TokenMint,
    request: TokenRequest,
    grant: Grant,
    record: SignInRecord,
    *,
    refresh_token: str | None,
) -> dict[str, Any]:
    scopes = grant.scopes
    document: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": scopes.as_text(),
        "expires_in": EXPIRES_IN_S,
        "ext_expires_in": EXPIRES_IN_S,
        "access_token": desk.sign_access_token(mint, grant, record),
    }
    if refresh_token is not None:
        document["refresh_token"] = refresh_token
    if scopes.id_token:
        document["id_token"] = desk.sign_id_token(mint, grant, record)
    if request.fields.get("client_info") == "1":
        document["client_info"] = desk.client_info(grant.person)
    return document


def _client(desk: Desk, request: TokenRequest) -> App:
    given = request.credentials.client_id
    client = desk.directory.app(given)
    if client is None or client.protocol != "oidc":
        raise OAuthError(
            "unauthorized_client" if not request.credentials.basic else "invalid_client",
            f"no application {given[:40]!r} in the tenant",
            aadsts=700016,
            status=401 if request.credentials.basic else 400,
            challenge=request.credentials.basic,
        )
    return client


def _authenticate(client: App, request: TokenRequest, kind: RedirectKind) -> None:
    """Let a client in as the platform of its redirect URI asks: a secret, nothing, or a browser's Origin."""
    if kind == "spa" and request.origin is None:
        raise OAuthError(
            "invalid_request",
            "tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin "
            "requests",
            aadsts=9002327,
        )
    if kind != "spa" and request.origin is not None:
        raise OAuthError(
            "invalid_request",
            "cross-origin token redemption is permitted only for the 'Single-Page Application' client-type",
            aadsts=9002326,
        )
    if kind == "web" and client.secret is not None:
        _check_secret(client, request)
    elif request.credentials.client_secret is not None:
        raise OAuthError(
            "invalid_client", "the client is public, so no client_secret should be presented", aadsts=700025, status=401
        )


def _check_secret(client: App, request: TokenRequest) -> None:
    given = request.credentials
    if given.client_secret is None:
        raise OAuthError(
            "invalid_client", "the request must have the parameter 'client_secret'", aadsts=7000218, status=401
        )
    if client.secret is None or not hmac.compare_digest(given.client_secret.encode(), client.secret.encode()):
        raise OAuthError(
            "invalid_client", "the client secret is wrong", aadsts=7000215, status=401, challenge=given.basic
        )


def _narrowed(desk: Desk, request: TokenRequest, granted: Scopes) -> Scopes:
    """Read the scope of a redemption; left out, it is what was granted. OpenID scopes cannot grow."""
    text = request.fields.get("scope")
    if request.version == "1.0" and (resource := request.fields.get("resource")):
        return replace(resource_scopes(desk.directory, resource), openid=granted.openid)
    if not text:
        return granted
    asked = read_scopes(desk.directory, text)
    if asked.resource is GRAPH and granted.resource is not GRAPH and set(text.split()) <= granted.openid:
        # OpenID scopes alone name no API: the one that was granted stays.
        return replace(granted, openid=asked.openid)
    return replace(asked, openid=asked.openid & granted.openid)


def _app_only(desk: Desk, request: TokenRequest) -> Scopes:
    scope, resource = request.fields.get("scope"), request.fields.get("resource")
    if (scope is None) == (resource is None):
        raise OAuthError("invalid_request", "exactly one of 'scope' and 'resource' is needed", aadsts=900144)
    if scope is not None and not scope.strip().endswith(_DEFAULT):
        raise OAuthError(
            "invalid_scope", f"expected one scope '<resource>/.default', got {scope[:80]!r}", aadsts=1002012
        )
    return resource_scopes(desk.directory, resource or (scope or "").strip().removesuffix(_DEFAULT))
