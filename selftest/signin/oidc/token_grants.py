"""The token endpoint of a tenant with users: authorization codes, refresh tokens and client credentials.

Source: RFC 6749 4.1.3, 4.4, 5 and 6; RFC 7636; entra-docs ``v2-oauth2-auth-code-flow.md`` (redeeming from a
single-page app), ``v2-oauth2-client-creds-grant-flow.md``, ``reference-error-codes.md``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from selftest.entra.token_endpoint import bearer_response, check_grant_type
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.entra.token_request import (
    Credentials,
    check_secret,
    read_credentials,
    required,
    required_resource,
    single_valued,
)
from selftest.signin.issuance import Issuance
from selftest.signin.oidc.scopes import Scopes, read_scopes, resource_scopes
from selftest.signin.refusals import refused
from selftest.signin.sign_in_log import SignInRecord
from selftest.signin.sign_in_service import SignInService
from selftest.signin.tenant.directory import GRAPH, App, RedirectKind
from selftest.signin.user_tokens import Grant, audience


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """One request to the token endpoint.

    Attributes:
        origin: The page's origin; None where the request does not come from a page.
    """

    fields: Mapping[str, str]
    credentials: Credentials
    origin: str | None
    version: EntraVersion
    correlation_id: str


async def redeem(
    service: SignInService,
    mint: TokenMint,
    form: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    *,
    version: EntraVersion,
    correlation_id: str,
) -> dict[str, Any]:
    """Return the JSON of the response to a token request.

    Raises:
        OAuthError: The request is refused.
    """
    fields = single_valued(form)
    grants: Mapping[str, Callable[[SignInService, TokenMint, _Request], Any]] = {
        "authorization_code": _authorization_code,
        "refresh_token": _refresh_token,
        "client_credentials": _client_credentials,
    }
    grant_type = required(fields, "grant_type")
    check_grant_type(grant_type, grants)
    request = _Request(
        fields=fields,
        credentials=read_credentials(fields, headers.get("Authorization")),
        origin=headers.get("Origin"),
        version=version,
        correlation_id=correlation_id,
    )
    document: dict[str, Any] = await grants[grant_type](service, mint, request)
    return document


async def _authorization_code(service: SignInService, mint: TokenMint, request: _Request) -> dict[str, Any]:
    client = _client(service, request)
    issued = service.codes.redeem(
        required(request.fields, "code"),
        client_id=client.client_id,
        redirect_uri=required(request.fields, "redirect_uri"),
        verifier=request.fields.get("code_verifier"),
        check=lambda issued: _authenticate(client, request, issued.redirect.kind),
    )
    scopes = _narrowed(service, request, issued.grant.scopes)
    grant, record = issued.grant, issued.record
    if scopes.resource is not grant.scopes.resource:
        # Another API than at the authorize endpoint: its extension has not been called yet.
        record = await _issue(service, request, grant, scopes)
        grant = service.grant(record, scopes, grant.version, session_id=grant.session_id, nonce=grant.nonce)
    else:
        grant = replace(grant, scopes=scopes)
    offline = "offline_access" in scopes.openid
    refresh_token = service.refresh_tokens.issue(grant, issued.redirect.kind, issued.family) if offline else None
    return _tokens(service, mint, request, grant, record, refresh_token=refresh_token)


async def _refresh_token(service: SignInService, mint: TokenMint, request: _Request) -> dict[str, Any]:
    client = _client(service, request)
    token = required(request.fields, "refresh_token")
    held = service.refresh_tokens.read(token, client_id=client.client_id)
    _authenticate(client, request, held.kind)
    scopes = _narrowed(service, request, held.grant.scopes)
    record = await _issue(service, request, held.grant, scopes)
    # A refreshed id token should have no nonce: OpenID Connect Core 12.2.
    grant = service.grant(record, scopes, request.version, session_id=held.grant.session_id, nonce=None)
    successor = service.refresh_tokens.replace(token, grant)
    return _tokens(service, mint, request, grant, record, refresh_token=successor)


async def _client_credentials(service: SignInService, mint: TokenMint, request: _Request) -> dict[str, Any]:
    client = _client(service, request)
    if client.secret is None:
        raise refused("client-credentials-of-public-client", app=client)
    check_secret(request.credentials, client.secret)
    scopes = resource_scopes(service.directory, required_resource(request.fields))
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
    return bearer_response(token)


async def _issue(service: SignInService, request: _Request, held: Grant, scopes: Scopes) -> SignInRecord:
    """Call the extensions again, without a user present."""
    return await service.issuer.issue(
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
    service: SignInService,
    mint: TokenMint,
    request: _Request,
    grant: Grant,
    record: SignInRecord,
    *,
    refresh_token: str | None,
) -> dict[str, Any]:
    scopes = grant.scopes
    document = bearer_response(service.sign_access_token(mint, grant, record), scope=scopes.as_text())
    if refresh_token is not None:
        document["refresh_token"] = refresh_token
    if scopes.id_token:
        document["id_token"] = service.sign_id_token(mint, grant, record)
    if request.fields.get("client_info") == "1":
        document["client_info"] = service.client_info(grant.person)
    return document


def _client(service: SignInService, request: _Request) -> App:
    given, basic = request.credentials.client_id, request.credentials.basic
    client = service.directory.app(given)
    if client is None or client.protocol != "oidc":
        raise refused("client-unknown-basic" if basic else "client-unknown", given=given[:40])
    return client


def _authenticate(client: App, request: _Request, kind: RedirectKind) -> None:
    """Authenticate a client as the platform of its redirect URI requires: a secret, nothing, or a page's origin."""
    if kind == "spa" and request.origin is None:
        raise refused("spa-without-origin")
    if kind != "spa" and request.origin is not None:
        raise refused("origin-without-spa")
    if kind == "web" and client.secret is not None:
        check_secret(request.credentials, client.secret)
    elif request.credentials.client_secret is not None:
        raise refused("secret-of-public-client")


def _narrowed(service: SignInService, request: _Request, granted: Scopes) -> Scopes:
    """Return the scopes of a redemption, by default the granted ones. OpenID scopes cannot be added."""
    text = request.fields.get("scope")
    if request.version == "1.0" and (resource := request.fields.get("resource")):
        return replace(resource_scopes(service.directory, resource), openid=granted.openid)
    if not text:
        return granted
    asked = read_scopes(service.directory, text)
    if asked.resource is GRAPH and granted.resource is not GRAPH and set(text.split()) <= granted.openid:
        # OpenID scopes alone name no API: the granted one stays.
        return replace(granted, openid=asked.openid)
    return replace(asked, openid=asked.openid & granted.openid)
