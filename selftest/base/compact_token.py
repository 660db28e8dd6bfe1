"""A compact token taken apart, without belief in its signature."""

import base64
import json
from typing import Any


def decoded_token(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read header and claims of a compact token, without its signature."""
    header, claims, _ = token.split(".")
    return _part(header), _part(claims)


def _part(encoded: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    return decoded
