"""JSON and tokens assembled byte by byte.

Attacks use encodings that libraries do not write: duplicate members, numbers that a double cannot hold, non-zero unused
bits.
"""

import json
from typing import Final

from selftest.base.base64url import encode_base64url

#: The placeholder for a value that JSON encoders refuse to write; see `spell`.
_MARK: Final = "\x00here\x00"


def encode(value: object) -> bytes:
    """Return compact JSON in UTF-8, as Entra writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def spell(members: dict[str, object], name: str, literal: str) -> bytes:
    """Return an object whose member ``name`` is this literal text, valid JSON or not."""
    marked = encode({**members, name: _MARK})
    return marked.replace(encode(_MARK), literal.encode())


def twice(members: dict[str, object], name: str, first: object) -> bytes:
    """Return an object with two members ``name``: ``first``, and then its own value."""
    return b"{" + encode(name) + b":" + encode(first) + b"," + encode(members)[1:]


def unsigned(header: object, payload: object, signature: bytes = b"") -> str:
    """Return a compact token with any signature, also an empty one; bytes are used as they are."""
    parts = (part if isinstance(part, bytes) else encode(part) for part in (header, payload))
    return ".".join([*(encode_base64url(part) for part in parts), encode_base64url(signature)])
