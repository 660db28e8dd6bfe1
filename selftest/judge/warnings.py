"""Warnings about a reply that Entra would, as far as is known, accept.

A warning never changes the verdict: it marks what the documentation leaves open, or what keeps a claim out of the
token (`selftest.judge.mapping_warnings`). Messages contain names and kinds, never values, so that they may be printed
and stored.

=====================  =============================================================================================
kind                   meaning
=====================  =============================================================================================
byte-order-mark        the body starts with a byte order mark
compressed-body        the body is gzip
charset                the content type names a character set that is not UTF-8
legacy-member          ``apiSchemaVersion`` is present in addition to ``data``
older-action           the action has the type that Microsoft's library used before 2023
duplicate-member       a member is repeated; the last one counts
blank-name             a claim's name has a space at an end
null-value             not text or a list of texts; also ``number-value``, ``boolean-value``, ``object-value``,
                       ``array-item``
lone-surrogate         a name or value that cannot be written as UTF-8
near-size-limit        between the two readings of 3 KB
other-file             the file is evidently no reply, or is in another encoding (`selftest.commands.judge`)
format-assumed         an entry is for the other kind of token, and ``--saml`` was not given (as above)
minted-by-retry        the first attempt failed, and the retry did not (`selftest.play.call_verdict`)
no-value               the app left a claim out, because it had no value (`selftest.play.app_warnings`)
blocked-loop           the app's event loop was blocked meanwhile (the same)
=====================  =============================================================================================
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from selftest.contract import MAX_CLAIMS_BYTES, PROVIDE_CLAIMS_ACTION, SAFE_CLAIMS_BYTES
from selftest.judge.reply_json import HugeNumber, ReplyObject, has_byte_order_mark, is_compressed

_CHARSET: Final = re.compile(r'charset\s*=\s*"?([^\s";,]+)', re.IGNORECASE)
_SHOWN_CHARACTERS: Final = 60
_OLDER_ACTION: Final = "microsoft.graph.provideClaimsForToken"
_UNDOCUMENTED: Final = "what Entra does with it is not documented"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWarning:
    """One warning.

    Attributes:
        kind: A stable name from the table in this module.
        claim: The claim that the warning is about; None for the whole reply.
    """

    kind: str
    claim: str | None
    message: str

    def as_json(self) -> dict[str, str | None]:
        """Return the members as the command line prints them."""
        return {"kind": self.kind, "claim": self.claim, "message": self.message}


def shown(name: str) -> str:
    """Return a name in quotes for a message: one line, control characters escaped, shortened if it is long."""
    return repr(name) if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]!r}…"


def body_warnings(content_type: str | None, body: bytes) -> Iterator[ReplyWarning]:
    """Yield warnings about the bytes and their content type, before they are parsed."""
    charset = _CHARSET.search(content_type or "")
    if charset and charset[1].casefold() not in {"utf-8", "utf8"}:
        yield _about_reply("charset", f"the content type names {shown(charset[1])} instead of utf-8; {_UNDOCUMENTED}")
    if has_byte_order_mark(body):
        yield _about_reply("byte-order-mark", f"the body starts with a byte order mark; {_UNDOCUMENTED}")
    if is_compressed(body):
        yield _about_reply("compressed-body", f"the body is gzip; {_UNDOCUMENTED}: send it as it is")


def document_warnings(document: ReplyObject) -> Iterator[ReplyWarning]:
    """Yield warnings about the members around the claims."""
    data = document.get("data")
    actions = data.get("actions") if isinstance(data, ReplyObject) else None
    first = actions[0] if isinstance(actions, list) and actions else None
    for where, part in (("the body", document), ("data", data), ("the action", first)):
        for name in part.repeated if isinstance(part, ReplyObject) else ():
            yield _about_reply("duplicate-member", f"{shown(name)} is repeated in {where}; {_UNDOCUMENTED}")
    if "apiSchemaVersion" in document and data is not None:
        yield _about_reply("legacy-member", f"apiSchemaVersion belongs to the 2021 preview; {_UNDOCUMENTED}")
    if isinstance(first, ReplyObject) and first.get("@odata.type") == _OLDER_ACTION:
        yield _about_reply(
            "older-action",
            f"{_OLDER_ACTION} is the older name of the action, which services in production still send: whether Entra"
            f" takes it is not certain; send {PROVIDE_CLAIMS_ACTION}",
        )


def claims_warnings(claims: ReplyObject, size_bytes: int) -> Iterator[ReplyWarning]:
    """Yield warnings about the names of the claims and the kinds of their values."""
    if SAFE_CLAIMS_BYTES < size_bytes <= MAX_CLAIMS_BYTES:
        yield _about_reply(
            "near-size-limit",
            f"names and values take {size_bytes} bytes: more than {SAFE_CLAIMS_BYTES}, which is one reading of 3 KB",
        )
    for name in claims.repeated:
        yield ReplyWarning(kind="duplicate-member", claim=name, message=f"{shown(name)} is repeated; {_UNDOCUMENTED}")
    for name, value in claims.items():
        if name != name.strip():
            message = f"{shown(name)} has a space at an end, so a mapping is unlikely to name it"
            yield ReplyWarning(kind="blank-name", claim=name, message=message)
        if not all(map(_is_unicode, (name, *_texts(value)))):
            message = f"{shown(name)} contains a lone surrogate, which is not Unicode text; {_UNDOCUMENTED}"
            yield ReplyWarning(kind="lone-surrogate", claim=name, message=message)
        yield from _value_warnings(name, value)


def _value_warnings(name: str, value: object) -> Iterator[ReplyWarning]:
    kind = _kind(value)
    if kind == "array":
        others = sorted({_kind(item) for item in value if _kind(item) != "string"}) if isinstance(value, list) else []
        if others:
            message = f"{shown(name)} is an array with items of kind {', '.join(others)}: only strings are supported"
            yield ReplyWarning(kind="array-item", claim=name, message=f"{message}; {_UNDOCUMENTED}")
    elif kind != "string":
        message = f"{shown(name)} is of kind {kind}; only strings and arrays of strings are supported"
        yield ReplyWarning(kind=f"{kind}-value", claim=name, message=f"{message}, and {_UNDOCUMENTED}")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, HugeNumber | int | float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str))


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _about_reply(kind: str, message: str) -> ReplyWarning:
    return ReplyWarning(kind=kind, claim=None, message=message)
