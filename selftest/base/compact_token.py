"""Decode a compact token without verifying its signature."""

import json
from typing import Any

from selftest.base.base64url import decode_base64url


def decoded_token(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims of a compact token.

    Raises:
        ValueError: The token does not have three segments, or one is not a JSON object in base64url.
    """
    first, second, _ = token.split(".")
    header, claims = (json.loads(decode_base64url(part)) for part in (first, second))
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise ValueError("a segment is not a JSON object")  # noqa: TRY004 - of a text, this is its value
    return header, claims
