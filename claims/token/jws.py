"""A JWS in compact serialization, parsed strictly and not yet verified.

A token has one spelling, so padding, blanks, the standard base64 alphabet and non-zero trailing bits are refused,
although most libraries accept them. Nothing here is verified: `claims.token.validator` does that.
"""

from binascii import Error, a2b_base64
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from claims.errors import TokenRefused
from claims.wire import strict_json

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#: What is outside base64url is outside the standard alphabet afterwards, too.
_TO_STANDARD: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
_DOTS: Final = 2
#: Where a segment does not end with a whole group of four, the last characters that leave no bits over.
_LAST: Final = {2: b"AQgw", 3: b"AEIMQUYcgkosw048"}
#: What completes the last group of four, by the characters that it has; one alone cannot be completed.
_PADDING: Final = (b"", b"", b"==", b"=")


class CompactToken(NamedTuple):
    """The three parts of a token, decoded and unverified."""

    header: Mapping[str, Any]
    payload: Mapping[str, Any]
    signing_input: bytes
    signature: bytes


def parse_compact(token: str) -> CompactToken:
    """Split and decode ``header.payload.signature``.

    The caller has limited the size (`claims.header.MAX_TOKEN_BYTES`).

    Raises:
        TokenRefused: It has not three segments, is not canonical base64url, or its header or payload is not a strict
            JSON object.

    Source: RFC 7515 sections 2, 3.1 and 7.1; RFC 4648 section 3.5; RFC 8725 section 2.6.
    """
    # Characters beyond ASCII, in whatever form, are outside the alphabet.
    encoded = token.encode(errors="replace")
    if encoded.count(b".") != _DOTS:
        raise TokenRefused("token_segments", f"expected {_DOTS + 1} segments, got {encoded.count(b'.') + 1}")
    signing_input, _, last = encoded.rpartition(b".")
    first, _, second = signing_input.partition(b".")
    header, payload, signature = _decode(first), _decode(second), _decode(last)
    return CompactToken(_object(header, "header"), _object(payload, "payload"), signing_input, signature)


def _decode(segment: bytes) -> bytes:
    over = len(segment) % 4
    try:
        decoded = a2b_base64(segment.translate(_TO_STANDARD) + _PADDING[over], strict_mode=True)
    except Error:
        if segment.translate(None, _ALPHABET):
            raise TokenRefused("token_alphabet", "expected unpadded base64url") from None
        raise TokenRefused("token_base64", "expected a whole number of bytes") from None
    if over and segment[-1] not in _LAST[over]:
        raise TokenRefused("token_not_canonical", "expected zero trailing bits")
    return decoded


def _object(data: bytes, part: str) -> Mapping[str, Any]:
    try:
        return strict_json.parse_object(data)
    except strict_json.StrictJsonError as error:
        raise TokenRefused(f"token_{part}", str(error)) from error
