"""The token endpoint of the emulated tenant: client credentials, and every documented way to be refused.

No other grant is played. Access tokens are in the version 2.0 form, as an API whose manifest asks for version 2 gets
them, whichever of the two token endpoints is asked: at Entra the API decides, not the caller.

Source: RFC 6749 2.3.1, 3.2, 4.4, 5.1 and 5.2; entra-docs ``v2-oauth2-client-creds-grant-flow.md``.
"""

import hmac
from collections.abc import Iterable, Mapping
from typing import Any, Final

from selftest.base.sample_tenant import Tenant
from selftest.entra.oauth_error import OAuthError
from selftest.entra.token_mint import TokenMint
from selftest.entra.token_request import Credentials, read_credentials, required, single_valued

#: Entra answers 3599: the hour less the second that passed.
EXPIRES_IN_S: Final = 3599


def issue(mint: TokenMint, form: Iterable[tuple[str, str]], authorization: str | None) -> dict[str, Any]:
    """Answer one request: ``form`` in its order with repeats, ``authorization`` the header's value.

    Raises:
        OAuthError: When the request is refused.
    """
    fields = single_valued(form)
    grant_type = required(fields, "grant_type")
    if grant_type != "client_credentials":
        raise OAuthError(
            "unsupported_grant_type",
            f"expected grant_type client_credentials, got {grant_type[:40]!r}",
            aadsts=70003,
        )
    credentials = read_credentials(fields, authorization)
    _authenticate(mint.tenant, credentials)
    audience = _audience(mint.tenant, fields)
    return {
        "token_type": "Bearer",
        "expires_in": EXPIRES_IN_S,
        "ext_expires_in": EXPIRES_IN_S,
        "access_token": mint.client_credentials_token(credentials.client_id, audience=audience),
    }


def _authenticate(tenant: Tenant, credentials: Credentials) -> None:
    if credentials.client_secret is None:
        raise OAuthError("invalid_client", "the parameter 'client_secret' is missing", aadsts=7000218, status=401)
    if credentials.client_id not in {tenant.audience_app_id, tenant.client.app_id}:
        raise OAuthError(
            "invalid_client",
            f"no application {credentials.client_id[:40]!r} in the tenant; there are {tenant.audience_app_id}"
            f" (the endpoint's) and {tenant.client.app_id} (the portal's)",
            aadsts=700016,
            status=401,
            challenge=credentials.basic,
        )
    if not hmac.compare_digest(credentials.client_secret.encode(), tenant.client_secret.encode()):
        raise OAuthError(
            "invalid_client", "the client secret is wrong", aadsts=7000215, status=401, challenge=credentials.basic
        )


def _audience(tenant: Tenant, fields: Mapping[str, str]) -> str:
    """Find the app that the token is for: ``scope`` at the v2.0 endpoint, ``resource`` at the older one."""
    scope, resource = fields.get("scope"), fields.get("resource")
    if (scope is None) == (resource is None):
        raise OAuthError("invalid_request", "exactly one of 'scope' and 'resource' is needed", aadsts=900144)
    if scope is not None:
        if not scope.strip().endswith("/.default"):
            raise OAuthError(
                "invalid_scope", f"expected one scope '<resource>/.default', got {scope[:80]!r}", aadsts=70011
            )
        resource = scope.strip().removesuffix("/.default")
    audiences = {
        tenant.application_id_uri: tenant.audience_app_id,
        tenant.audience_app_id: tenant.audience_app_id,
        tenant.other_resource_uri: tenant.other_resource.app_id,
        tenant.other_resource.app_id: tenant.other_resource.app_id,
    }
    audience = audiences.get(resource or "")
    if audience is None:
        known = f"{tenant.application_id_uri} and {tenant.other_resource_uri}"
        raise OAuthError(
            "invalid_scope", f"no resource {(resource or '')[:80]!r} in the tenant; there are {known}", aadsts=500011
        )
    return audience
