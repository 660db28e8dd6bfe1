"""Bytes that a well-behaved encoder would not write, and those that it would.

Attacks live in the spelling: a member twice, a number no double can hold, trailing bits that do not matter. So
tokens and bodies are put together here byte by byte, and no library gets to mend them.
"""

import json
from typing import Final

from selftest.base.base64url import encode_base64url

#: Stands where `spell` puts a value that JSON encoders refuse to write.
_MARK: Final = "\x00here\x00"


def encode(value: object) -> bytes:
    """Write compact JSON in UTF-8, as Entra does."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def spell(members: dict[str, object], name: str, literal: str) -> bytes:
    """Write an object whose member ``name`` is exactly this text, valid JSON or not."""
    marked = encode({**members, name: _MARK})
    return marked.replace(encode(_MARK), literal.encode())


def twice(members: dict[str, object], name: str, first: object) -> bytes:
    """Write an object that has ``name`` two times: ``first``, then the value it has."""
    return b"{" + encode(name) + b":" + encode(first) + b"," + encode(members)[1:]


def unsigned(header: object, payload: object, signature: bytes = b"") -> str:
    """Put a compact token together around any signature, also none; bytes are used as they are."""
    parts = (part if isinstance(part, bytes) else encode(part) for part in (header, payload))
    return ".".join([*(encode_base64url(part) for part in parts), encode_base64url(signature)])
