"""The token endpoint of the emulated tenant: client credentials, and every documented way to be refused.

No other grant is played. Access tokens are in the version 2.0 form, as an API whose manifest asks for version 2 gets
them, whichever of the two token endpoints is asked: at Entra the API decides, not the caller.

Source: RFC 6749 2.3.1, 3.2, 4.4, 5.1 and 5.2; entra-docs ``v2-oauth2-client-creds-grant-flow.md``.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from selftest.entra.tenant import Tenant
from selftest.entra.tokens import TokenMint

#: Entra answers 3599: the hour less the second that passed.
EXPIRES_IN_S: Final = 3599


class TokenRequestError(Exception):
    """A refused token request.

    Attributes:
        code: The OAuth error code.
        status: The HTTP status.
        aadsts: Entra's own number for it.
        challenge: Whether the answer must carry ``WWW-Authenticate: Basic``.
    """

    def __init__(self, code: str, message: str, *, aadsts: int, status: int = 400, challenge: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.aadsts = aadsts
        self.challenge = challenge

    def as_json(self) -> dict[str, Any]:
        """Give the body of the answer."""
        return {
            "error": self.code,
            "error_description": f"AADSTS{self.aadsts}: {self}",
            "error_codes": [self.aadsts],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Credentials:
    client_id: str
    client_secret: str
    basic: bool


def issue(mint: TokenMint, form: Iterable[tuple[str, str]], authorization: str | None) -> dict[str, Any]:
    """Answer one request: ``form`` in its order with repeats, ``authorization`` the header's value.

    Raises:
        TokenRequestError: When the request is refused.
    """
    fields = _single_valued(form)
    grant_type = fields.get("grant_type")
    if not grant_type:
        raise TokenRequestError("invalid_request", "the parameter 'grant_type' is missing", aadsts=900144)
    if grant_type != "client_credentials":
        raise TokenRequestError(
            "unsupported_grant_type",
            f"expected grant_type client_credentials, got {grant_type[:40]!r}",
            aadsts=70003,
        )
    credentials = _credentials(fields, authorization)
    _authenticate(mint.tenant, credentials)
    audience = _audience(mint.tenant, fields)
    return {
        "token_type": "Bearer",
        "expires_in": EXPIRES_IN_S,
        "ext_expires_in": EXPIRES_IN_S,
        "access_token": mint.client_credentials_token(credentials.client_id, audience=audience),
    }


def _single_valued(form: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in form:
        if name in fields:
            raise TokenRequestError("invalid_request", f"the parameter {name[:40]!r} is repeated", aadsts=900144)
        fields[name] = value
    return fields


def _credentials(fields: Mapping[str, str], authorization: str | None) -> _Credentials:
    if authorization is not None:
        if "client_secret" in fields:
            raise TokenRequestError(
                "invalid_request", "the client authenticates in the header and in the body", aadsts=900144
            )
        credentials = _basic(authorization)
        if fields.get("client_id", credentials.client_id) != credentials.client_id:
            raise TokenRequestError("invalid_request", "header and body name different clients", aadsts=900144)
        return credentials
    client_id = fields.get("client_id")
    if not client_id:
        raise TokenRequestError("invalid_request", "the parameter 'client_id' is missing", aadsts=900144)
    if not fields.get("client_secret"):
        raise TokenRequestError(
            "invalid_client", "the parameter 'client_secret' is missing", aadsts=7000218, status=401
        )
    return _Credentials(client_id=client_id, client_secret=fields["client_secret"], basic=False)


def _basic(authorization: str) -> _Credentials:
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, separator, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id = separator = secret = ""
    if scheme.lower() != "basic" or not separator:
        raise TokenRequestError(
            "invalid_client", "the Authorization header is not Basic", aadsts=7000218, status=401, challenge=True
        )
    # RFC 6749 2.3.1: both halves are form-encoded before they are joined.
    return _Credentials(client_id=unquote_plus(client_id), client_secret=unquote_plus(secret), basic=True)


def _authenticate(tenant: Tenant, credentials: _Credentials) -> None:
    if credentials.client_id not in {tenant.audience_app_id, tenant.client.app_id}:
        raise TokenRequestError(
            "invalid_client",
            f"no application {credentials.client_id[:40]!r} in the tenant; there are {tenant.audience_app_id}"
            f" (the endpoint's) and {tenant.client.app_id} (the portal's)",
            aadsts=700016,
            status=401,
            challenge=credentials.basic,
        )
    if not hmac.compare_digest(credentials.client_secret.encode(), tenant.client_secret.encode()):
        raise TokenRequestError(
            "invalid_client", "the client secret is wrong", aadsts=7000215, status=401, challenge=credentials.basic
        )


def _audience(tenant: Tenant, fields: Mapping[str, str]) -> str:
    """Find the app that the token is for: ``scope`` at the v2.0 endpoint, ``resource`` at the older one."""
    scope, resource = fields.get("scope"), fields.get("resource")
    if (scope is None) == (resource is None):
        raise TokenRequestError("invalid_request", "exactly one of 'scope' and 'resource' is needed", aadsts=900144)
    if scope is not None:
        if not scope.strip().endswith("/.default"):
            raise TokenRequestError(
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
        raise TokenRequestError(
            "invalid_scope", f"no resource {(resource or '')[:80]!r} in the tenant; there are {known}", aadsts=500011
        )
    return audience
