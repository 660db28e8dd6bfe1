"""A compact token taken apart, without belief: what it says, and how to look whether its signature holds."""

import binascii
import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
from jwt.algorithms import RSAAlgorithm

from selftest.base.cannot_run import CannotRun

#: Entra's app tokens have some 1,500 bytes; the endpoint takes no more than 16 KiB.
MAX_TOKEN_BYTES: Final = 16 * 1024
_RS256: Final = RSAAlgorithm(RSAAlgorithm.SHA256)


class TokenTextError(CannotRun):
    """Raised when a text is no compact token; the message says why and shows nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Header and claims of a token.

    Attributes:
        token: the whole; never to be shown.
    """

    header: dict[str, Any]
    claims: dict[str, Any]
    token: str = field(repr=False)

    def text(self, name: str) -> str | None:
        """Give a claim that is text."""
        value = self.claims.get(name)
        return value if isinstance(value, str) else None

    def signed_with(self, key: jwt.PyJWK) -> bool:
        """Say whether this key's RS256 signature is on it."""
        signed, _, signature = self.token.rpartition(".")
        try:
            return bool(_RS256.verify(signed.encode(), key.key, _bytes(signature)))
        except (TypeError, ValueError, AttributeError):  # a key of another kind
            return False


def decode(data: bytes | str) -> Decoded:
    """Take a token apart.

    Raises:
        TokenTextError: it is too large, not three segments of base64url, or a part is no JSON object.
    """
    text = data.decode("ascii", "replace") if isinstance(data, bytes) else data
    token = text.strip()
    if len(token) > MAX_TOKEN_BYTES:
        raise TokenTextError(f"more than {MAX_TOKEN_BYTES} bytes; the endpoint refuses such a token")
    segments = token.split(".")
    if len(segments) == 5:
        raise TokenTextError("encrypted (five segments): it is for another API, and only that one can read it")
    if len(segments) != 3 or not token.isascii() or not token.isprintable() or " " in token:
        raise TokenTextError("no compact token (three segments between dots, and nothing else)")
    return Decoded(header=_object(segments[0], "header"), claims=_object(segments[1], "claims"), token=token)


def _object(segment: str, part: str) -> dict[str, Any]:
    try:
        document = json.loads(_bytes(segment))
    except (ValueError, RecursionError) as error:
        raise TokenTextError(f"its {part} cannot be decoded; was the token cut?") from error
    if not isinstance(document, dict):
        raise TokenTextError(f"its {part} is no JSON object")
    return document


def _bytes(segment: str) -> bytes:
    try:
        return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error as error:
        raise ValueError("no base64url") from error
