"""The request's headers: where the token is, and what the body claims to be.

First in the data's way, and the cheapest: a request without one well-formed bearer token costs a string comparison.
"""

import re
from collections.abc import Mapping
from typing import Final

from claims.errors import MediaRefused, TokenRefused

#: Entra's callout tokens are about 1.5 kB. The cap stands before any parsing.
MAX_TOKEN_BYTES: Final = 16 * 1024

_JSON: Final = re.compile(r'application/json(?:\s*;\s*charset\s*=\s*"?utf-8"?)?\s*', re.IGNORECASE)


def bearer_token(headers: Mapping[str, str]) -> str:
    """Take the bearer token out of the ``authorization`` header.

    Args:
        headers: by lower-case name; a repeated header arrives joined with a comma, as the Functions host joins it.

    Raises:
        TokenRefused: no header, another scheme, several credentials, or more than `MAX_TOKEN_BYTES`.

    Source: RFC 6750 sections 2.1 and 3.1, RFC 9110 sections 5.3 and 11.4.
    """
    value = headers.get("authorization")
    if not value:
        raise TokenRefused("token_missing")
    if len(value) > MAX_TOKEN_BYTES + len("bearer "):
        raise TokenRefused("token_too_large", f"at most {MAX_TOKEN_BYTES} bytes, got {len(value)}")
    # A scheme in any case, then one or more spaces, then a b64token. Padding and every other character outside
    # base64url are the token parser's to refuse, a comma or a blank is ours.
    scheme, _, rest = value.strip(" ").partition(" ")
    token = rest.lstrip(" ")
    if scheme.lower() != "bearer" or token.split() != [token] or "," in token:
        raise TokenRefused("authorization_malformed", "expected one Bearer credential")
    return token


def require_json(headers: Mapping[str, str]) -> None:
    """Accept ``application/json`` in UTF-8 as it is, and nothing else.

    Raises:
        MediaRefused: another or no content type, another charset, or any content encoding.

    Source: entra-docs ``custom-claims-provider-reference.md``; RFC 9110 section 15.5.16.
    """
    if headers.get("content-encoding"):
        raise MediaRefused("content_encoding", "expected none")
    if not _JSON.fullmatch(headers.get("content-type") or ""):
        raise MediaRefused("content_type", "expected application/json")
