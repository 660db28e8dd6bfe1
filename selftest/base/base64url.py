"""base64url without padding (RFC 7515 section 2)."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode_base64url(data: bytes) -> str:
    """Return the bytes in base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Return the bytes of a base64url text, with or without padding.

    Raises:
        ValueError: The text is not base64.
    """
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
