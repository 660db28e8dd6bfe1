"""A compact token taken apart without trusting it: its header and claims, and whether a key signed it."""

import json
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
from jwt.algorithms import RSAAlgorithm

from selftest.base.base64url import decode_base64url
from selftest.base.bounded_file import decoded
from selftest.base.cannot_run import CannotRun

#: Entra's app tokens have some 1,500 bytes; the endpoint accepts up to 16 KiB.
MAX_TOKEN_BYTES: Final = 16 * 1024
_RS256: Final = RSAAlgorithm(RSAAlgorithm.SHA256)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedToken:
    """Header and claims of a token.

    Attributes:
        token: The whole token; it must not be shown.
    """

    header: dict[str, Any]
    claims: dict[str, Any]
    token: str = field(repr=False)

    def text(self, name: str) -> str | None:
        """Return a claim that is text, or None."""
        value = self.claims.get(name)
        return value if isinstance(value, str) else None

    @property
    def caller_claim(self) -> str:
        """Return the name of the claim with the calling application: ``azp`` in version 2.0, ``appid`` in 1.0."""
        return "appid" if self.text("ver") == "1.0" else "azp"

    def signed_with(self, key: jwt.PyJWK) -> bool:
        """Whether this key signed it with RS256."""
        signed, _, signature = self.token.rpartition(".")
        try:
            return bool(_RS256.verify(signed.encode(), key.key, decode_base64url(signature)))
        except (TypeError, ValueError, AttributeError):  # a key of another kind
            return False


def decode(data: bytes | str) -> DecodedToken:
    """Take a token apart.

    Raises:
        CannotRun: The text is too large, is not three segments of base64url, or a part is not a JSON object. The
            message shows none of it.
    """
    text = decoded(data, errors="replace") if isinstance(data, bytes) else data
    token = text.strip()
    if len(token) > MAX_TOKEN_BYTES:
        raise CannotRun(f"the token has more than {MAX_TOKEN_BYTES} bytes; the endpoint refuses such a token")
    if not token:
        raise CannotRun("the token is empty; was it written completely?")
    segments = token.split(".")
    if len(segments) == 5:
        raise CannotRun("the token is encrypted (five segments): it is for another API, and only that API can read it")
    if len(segments) != 3 or not token.isascii() or not token.isprintable() or " " in token:
        raise CannotRun("the text is not a compact token (three segments between dots, and nothing else)")
    return DecodedToken(header=_object(segments[0], "header"), claims=_object(segments[1], "claims"), token=token)


def _object(segment: str, part: str) -> dict[str, Any]:
    try:
        document = json.loads(decode_base64url(segment))
    except (ValueError, RecursionError) as error:
        raise CannotRun(f"the token's {part} cannot be decoded; was the token cut?") from error
    if not isinstance(document, dict):
        raise CannotRun(f"the token's {part} is not a JSON object")
    return document
