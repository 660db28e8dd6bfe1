"""Decode a compact token without verifying its signature."""

import json
from typing import Any

from selftest.base.base64url import decode_base64url


def decoded_token(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims of a compact token.

    Raises:
        ValueError: The token does not have three segments, or one is not JSON in base64url.
    """
    header, claims, _ = token.split(".")
    return json.loads(decode_base64url(header)), json.loads(decode_base64url(claims))
