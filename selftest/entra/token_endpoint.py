"""The token endpoint of the emulated tenant: client credentials, and every documented refusal.

Other grants are not supported. Access tokens have the version 2.0 format, as for an API whose manifest requests version
2, whichever of the two token endpoints is called: at Entra the API decides, not the caller.

Source: RFC 6749 2.3.1, 3.2, 4.4, 5.1 and 5.2; entra-docs ``v2-oauth2-client-creds-grant-flow.md``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiohttp import web

from selftest.base.sample_tenant import Tenant
from selftest.entra.oauth_error import OAuthError, Trace
from selftest.entra.token_mint import TokenMint
from selftest.entra.token_request import check_secret, read_credentials, required, required_resource, single_valued

#: Of a token response, whether it holds tokens or an error.
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}

#: Entra answers 3599: the hour minus the second that passed.
_EXPIRES_IN_S: Final = 3599


def issue(mint: TokenMint, form: Iterable[tuple[str, str]], authorization: str | None) -> dict[str, Any]:
    """Return the response to a token request.

    Args:
        mint: Mints the token.
        form: The form in its order, with repeated parameters.
        authorization: The value of the ``Authorization`` header.

    Raises:
        OAuthError: The request is refused.
    """
    fields = single_valued(form)
    check_grant_type(required(fields, "grant_type"), ("client_credentials",))
    credentials = read_credentials(fields, authorization)
    tenant = mint.tenant
    if credentials.client_id not in {tenant.audience_app_id, tenant.client.app_id}:
        raise OAuthError(
            "invalid_client",
            f"no application {credentials.client_id[:40]!r} in the tenant; its applications are"
            f" {tenant.audience_app_id} (the endpoint's) and {tenant.client.app_id} (the portal's)",
            aadsts=700016,
            status=401,
            challenge=credentials.basic,
        )
    check_secret(credentials, tenant.client_secret)
    audience = _audience(tenant, required_resource(fields))
    return bearer_response(mint.client_credentials_token(credentials.client_id, audience=audience))


def check_grant_type(grant_type: str, supported: Iterable[str]) -> None:
    """Check that a grant type is supported.

    Raises:
        OAuthError: It is not supported.
    """
    if grant_type not in supported:
        raise OAuthError(
            "unsupported_grant_type",
            f"expected grant_type {' or '.join(supported)}, got {grant_type[:40]!r}",
            aadsts=70003,
        )


def bearer_response(access_token: str, **members: str) -> dict[str, Any]:
    """Return a successful token response with these further members."""
    return {
        "token_type": "Bearer",
        "expires_in": _EXPIRES_IN_S,
        "ext_expires_in": _EXPIRES_IN_S,
        "access_token": access_token,
        **members,
    }


def error_response(
    error: OAuthError, headers: Mapping[str, str] | None = None, trace: Trace | None = None
) -> web.Response:
    """Return an error as the token endpoint's HTTP response."""
    challenge = {"WWW-Authenticate": 'Basic realm="emulated Entra"'} if error.challenge else {}
    return web.json_response(
        error.as_json(trace), status=error.status, headers={**NO_STORE, **(headers or {}), **challenge}
    )


def _audience(tenant: Tenant, resource: str) -> str:
    audiences = {
        tenant.application_id_uri: tenant.audience_app_id,
        tenant.audience_app_id: tenant.audience_app_id,
        tenant.other_resource_uri: tenant.other_resource.app_id,
        tenant.other_resource.app_id: tenant.other_resource.app_id,
    }
    if resource not in audiences:
        known = f"{tenant.application_id_uri} and {tenant.other_resource_uri}"
        raise OAuthError(
            "invalid_scope", f"no resource {resource[:80]!r} in the tenant; its resources are {known}", aadsts=500011
        )
    return audiences[resource]
