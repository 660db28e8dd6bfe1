"""The request's headers: the bearer token, and the type of the body.

They are checked first because that is cheapest: a request without a well-formed bearer token costs a string comparison.
"""

import re
from collections.abc import Mapping
from typing import Final

from claims.errors import MediaRefused, TokenRefused

#: Entra's callout tokens are about 1.5 kB. The limit is applied before any parsing.
MAX_TOKEN_BYTES: Final = 16 * 1024

#: ``application/json``, alone or with UTF-8 as its one parameter: spaces and tabs around the semicolon only, and both
#: quotation marks or neither (RFC 9110 sections 5.6.3, 5.6.6 and 8.3.1). ASCII, or a long s would match an s.
_JSON: Final = re.compile(
    r'application/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?[ \t]*', re.IGNORECASE | re.ASCII
)


def bearer_token(headers: Mapping[str, str]) -> str:
    """Return the bearer token of the ``authorization`` header.

    Args:
        headers: By lower-case name; a repeated header is joined with a comma, as by the Functions host.

    Raises:
        TokenRefused: No header, another scheme, several credentials, or more than `MAX_TOKEN_BYTES`.

    Source: RFC 6750 sections 2.1 and 3.1, RFC 9110 sections 5.3 and 11.4.
    """
    value = headers.get("authorization")
    if not value:
        raise TokenRefused("token_missing")
    if len(value) > MAX_TOKEN_BYTES + len("bearer "):
        raise TokenRefused("token_too_large", f"at most {MAX_TOKEN_BYTES} bytes, got {len(value)}")
    # A scheme in any case, then one or more spaces, then a b64token. The token parser refuses padding and every other
    # character outside base64url; a comma or a blank is refused here.
    scheme, _, rest = value.strip(" ").partition(" ")
    token = rest.lstrip(" ")
    if scheme.lower() != "bearer" or token.split() != [token] or "," in token:
        raise TokenRefused("authorization_malformed", "expected one Bearer credential")
    return token


def require_json(headers: Mapping[str, str]) -> None:
    """Require ``application/json`` in UTF-8, without a content encoding.

    Raises:
        MediaRefused: Another, a malformed or no content type, another charset, or any content encoding.

    Source: entra-docs ``custom-claims-provider-reference.md``; RFC 9110 section 15.5.16.
    """
    if "content-encoding" in headers:
        raise MediaRefused("content_encoding", "expected none")
    if not _JSON.fullmatch(headers.get("content-type") or ""):
        raise MediaRefused("content_type", "expected application/json")
