"""The form of a token request, and who says that they sent it.

Source: RFC 6749 2.3.1 (client credentials in the header or in the body, never in both) and 3.2 (no parameter twice).
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from selftest.entra.oauth_error import OAuthError


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who the client says it is.

    Attributes:
        client_id: Its id.
        client_secret: What it shows for it; None where it shows nothing.
        basic: Whether it came in the header, so that a refusal must carry a challenge.
    """

    client_id: str
    client_secret: str | None = field(repr=False)
    basic: bool


def single_valued(form: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Read a form in which no name stands twice.

    Raises:
        OAuthError: When one does.
    """
    fields: dict[str, str] = {}
    for name, value in form:
        if name in fields:
            raise OAuthError("invalid_request", f"the parameter {name[:40]!r} is repeated", aadsts=900144)
        fields[name] = value
    return fields


def required(fields: Mapping[str, str], name: str) -> str:
    """Give a parameter that has to be there.

    Raises:
        OAuthError: When it is absent or empty.
    """
    value = fields.get(name)
    if not value:
        raise OAuthError("invalid_request", f"the parameter {name!r} is missing", aadsts=900144)
    return value


def read_credentials(fields: Mapping[str, str], authorization: str | None) -> Credentials:
    """Find the client's id and its secret, if it has one, in the body or in the header's value.

    Raises:
        OAuthError: When there is no id, both places are used, or the header is not Basic.
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
