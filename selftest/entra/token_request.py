"""The form of a token request and the client's credentials in it.

Source: RFC 6749 2.3.1 (client credentials in the header or in the body, never in both) and 3.2 (no repeated parameter);
entra-docs ``v2-oauth2-client-creds-grant-flow.md`` (scope and resource), ``reference-error-codes.md``.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from aiohttp import web

from selftest.entra.oauth_error import OAuthError

_DEFAULT: Final = "/.default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The credentials that a client presents.

    Attributes:
        client_id: The client's id.
        client_secret: Its secret; None where it presents none.
        basic: Whether they came in the header, so that a refusal must carry a challenge.
    """

    client_id: str
    client_secret: str | None = field(repr=False)
    basic: bool


async def read_form(request: web.Request) -> list[tuple[str, str]]:
    """Read a form, including repeated parameters.

    Raises:
        OAuthError: The body is not a form.
    """
    try:
        form = await request.post()
    except (LookupError, UnicodeDecodeError, ValueError) as error:
        raise OAuthError("invalid_request", "the body is not a form in UTF-8", aadsts=900144) from error
    return [(name, value) for name, value in form.items() if isinstance(value, str)]


def single_valued(form: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a form's parameters by name.

    Raises:
        OAuthError: A parameter is repeated.
    """
    fields: dict[str, str] = {}
    for name, value in form:
        if name in fields:
            raise OAuthError("invalid_request", f"the parameter {name[:40]!r} is repeated", aadsts=900144)
        fields[name] = value
    return fields


def required(fields: Mapping[str, str], name: str) -> str:
    """Return a required parameter.

    Raises:
        OAuthError: It is missing or empty.
    """
    value = fields.get(name)
    if not value:
        raise OAuthError("invalid_request", f"the parameter {name!r} is missing", aadsts=900144)
    return value


def required_resource(fields: Mapping[str, str]) -> str:
    """Return the resource of a client-credentials request: ``scope`` at the v2.0 endpoint, ``resource`` at the v1.0.

    Raises:
        OAuthError: Not exactly one of the two is given, or the scope is not ``<resource>/.default``.
    """
    scope, resource = fields.get("scope"), fields.get("resource")
    if (scope is None) == (resource is None):
        raise OAuthError("invalid_request", "exactly one of 'scope' and 'resource' is required", aadsts=900144)
    if scope is None:
        return resource or ""
    if not scope.strip().endswith(_DEFAULT):
        raise OAuthError(
            "invalid_scope", f"expected one scope '<resource>/.default', got {scope[:80]!r}", aadsts=1002012
        )
    return scope.strip().removesuffix(_DEFAULT)


def read_credentials(fields: Mapping[str, str], authorization: str | None) -> Credentials:
    """Return the client's id and its secret, if there is one, from the body or from the ``Authorization`` header.

    Raises:
        OAuthError: The id is missing, both places are used, or the header is not Basic.
    """
    if authorization is None:
        return Credentials(
            client_id=required(fields, "client_id"), client_secret=fields.get("client_secret") or None, basic=False
        )
    if "client_secret" in fields:
        raise OAuthError("invalid_request", "the client authenticates in the header and in the body", aadsts=900144)
    credentials = _basic(authorization)
    if fields.get("client_id", credentials.client_id) != credentials.client_id:
        raise OAuthError("invalid_request", "header and body name different clients", aadsts=900144)
    return credentials


def check_secret(credentials: Credentials, secret: str | None) -> None:
    """Check the presented secret against the registered one.

    Raises:
        OAuthError: It is missing or wrong.
    """
    given = credentials.client_secret
    if given is None:
        raise OAuthError("invalid_client", "the parameter 'client_secret' is missing", aadsts=7000218, status=401)
    if secret is None or not hmac.compare_digest(given.encode(), secret.encode()):
        raise OAuthError(
            "invalid_client", "the client secret is wrong", aadsts=7000215, status=401, challenge=credentials.basic
        )


def _basic(authorization: str) -> Credentials:
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, separator, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id = separator = secret = ""
    if scheme.lower() != "basic" or not separator:
        raise OAuthError(
            "invalid_client", "the Authorization header is not Basic", aadsts=7000218, status=401, challenge=True
        )
    # RFC 6749 2.3.1: both halves are form-encoded before they are joined.
    return Credentials(client_id=unquote_plus(client_id), client_secret=unquote_plus(secret), basic=True)
