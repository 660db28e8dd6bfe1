"""Judge one reply: the code that Entra would log, and whether it would mint a token.

Pure: no I/O and no clock, so that every command judges alike and a stored reply is judged like a live one. The
documentation has one line for each code and no order. The order here is ours and follows the exchange: the first broken
rule decides the code. What no page decides becomes a warning (`selftest.judge.warnings`), never a code; only the size
of the body has a code in the documentation, and no limit there: the limit here is our choice.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from selftest.contract import MAX_CLAIMS_BYTES, PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE
from selftest.judge.codes import CODES
from selftest.judge.mapping import MappingPolicy
from selftest.judge.mapping_warnings import TOKEN_NAMES, by_weight, mapping_warnings, registered_warnings
from selftest.judge.received_reply import ReceivedReply
from selftest.judge.reply_json import ReplyJsonError, ReplyObject, loads
from selftest.judge.restricted_claims import TokenFormat
from selftest.judge.warnings import (
    ReplyWarning,
    body_warnings,
    claims_warnings,
    document_warnings,
    shown,
)

#: The largest reply that is read. Ours: Microsoft states that there is a limit, but not its value.
MAX_RESPONSE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Entra's decision on a reply.

    Attributes:
        code: The code that Entra would log; None if it would mint a token.
        minted: Whether the user gets a token; never with a code.
        reason: One sentence with what was expected and what was received, without claim values.
        claims: The claims as Entra would read them, if a token is minted.
    """

    code: int | None
    name: str | None
    minted: bool
    reason: str
    warnings: tuple[ReplyWarning, ...] = ()
    claims: Mapping[str, object] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that may be printed and stored: all but the claims."""
        return {
            "code": self.code,
            "name": self.name,
            "minted": self.minted,
            "reason": self.reason,
            "warnings": [warning.as_json() for warning in self.warnings],
        }


class _RefusedError(Exception):
    """Entra stops here and logs this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def judge(
    reply: ReceivedReply,
    *,
    registered: frozenset[str] | None = None,
    mapping: MappingPolicy | None = None,
    token: TokenFormat = "jwt",  # noqa: S107 - a kind of token, not a secret
) -> Verdict:
    """Judge one reply. No reply raises an error.

    The first broken rule decides:

    1. the exchange: timeout 1003005; no connection, or one that broke before a reply began, 1003027; anything else that
       is not a whole HTTP reply 1003001;
    2. the status: not exactly 200 is 1003002 (a 401 or 403 may show as 1003005 in the log: the sources disagree);
    3. the content type: not ``application/json`` is 1003006; a charset parameter is fine;
    4. the body: empty, blank or the word ``null`` is 1003009; over 1 MiB, a bound of ours, 1003024;
    5. its shape: not UTF-8 JSON or not an object 1003003; the 2021 preview's shape, with ``apiSchemaVersion`` instead
       of ``data``, 1003008; ``data`` not an object, another data type, or ``actions`` that is not a list, 1003003;
    6. the action: not exactly one 1003010; not an object 1003003; of another type 1003012;
    7. the claims: missing or null 1003007; not an object 1003003; an empty or blank name 1003026; names and values of
       more than 3072 UTF-8 bytes 1003025. (Microsoft says 3 KB; this is the larger reading. From 3001 bytes
       on there is a warning, which `check` reports as C10: a good endpoint keeps to the smaller limit.)

    Args:
        reply: The reply.
        registered: The names in the extension's ``claimsForTokenConfiguration``, to warn about others.
        mapping: The application's claims mapping policy, to warn about claims that it omits.
        token: What the application gets, to warn about entries of the policy for the other format.

    Source: entra-docs ``custom-extension-troubleshoot.md`` (codes), ``custom-claims-provider-reference.md`` (shape).
    """
    warnings: list[ReplyWarning] = []
    try:
        _check_exchange(reply)
        _check_head(reply)
        warnings.extend(body_warnings(reply.content_type, reply.body))
        document = _read_document(reply.body)
        warnings.extend(document_warnings(document))
        claims = _read_claims(_read_action(document))
        size_bytes = _check_claims(claims)
    except _RefusedError as refused:
        name = CODES[refused.code].name
        return Verdict(code=refused.code, name=name, minted=False, reason=refused.reason, warnings=tuple(warnings))
    warnings.extend(
        chain(
            claims_warnings(claims, size_bytes),
            () if mapping is None else mapping_warnings(claims, mapping, token),
            () if registered is None else registered_warnings(claims, registered),
        )
    )
    warnings.sort(key=by_weight)
    reason = f"one action with {len(claims)} claims, {size_bytes} bytes of names and values"
    if claims and mapping is not None and not MappingPolicy(entries=mapping.provided).apply(claims, token=token):
        reason += f"; {TOKEN_NAMES[token]} gets none of them"
    return Verdict(code=None, name=None, minted=True, reason=reason, warnings=tuple(warnings), claims=claims)


def _check_exchange(reply: ReceivedReply) -> None:
    if reply.failure == "timeout":
        raise _RefusedError(1003005, "expected a complete reply within the timeout, received none")
    if reply.failure == "connection":
        raise _RefusedError(1003027, "expected a reply, received no connection or one that broke before a reply began")
    if reply.failure is not None or reply.status is None:
        raise _RefusedError(1003001, "expected an HTTP reply, received something else or part of one")


def _check_head(reply: ReceivedReply) -> None:
    if reply.status != 200:
        note = "; the log may show a refused token as 1003005 instead" if reply.status in {401, 403} else ""
        raise _RefusedError(1003002, f"expected status 200, received {reply.status}{note}")
    media_type = (reply.content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        received = shown(media_type) if media_type else "none"
        raise _RefusedError(1003006, f"expected content type application/json, received {received}")


def _read_document(body: bytes) -> ReplyObject:
    if body.removeprefix(b"\xef\xbb\xbf").strip() in {b"", b"null"}:
        raise _RefusedError(1003009, "expected a body, received none or null")
    if len(body) > MAX_RESPONSE_BYTES:
        raise _RefusedError(1003024, f"expected at most {MAX_RESPONSE_BYTES} bytes (a bound of ours), received more")
    try:
        document = loads(body)
    except ReplyJsonError as error:
        raise _RefusedError(1003003, f"expected a JSON object, the body is {error}") from error
    return _object(document, "the body")


def _read_action(document: ReplyObject) -> ReplyObject:
    if "apiSchemaVersion" in document and "data" not in document:
        raise _RefusedError(1003008, "expected today's reply with data, received the 2021 preview's apiSchemaVersion")
    data = _object(document.get("data"), "data")
    if data.get("@odata.type") != RESPONSE_DATA_TYPE:
        raise _RefusedError(1003003, f"expected data of type {RESPONSE_DATA_TYPE}, received {_type_of(data)}")
    actions = data.get("actions")
    if not isinstance(actions, list):
        raise _RefusedError(1003003, f"data.actions should be a list, it is {_kind(actions)}")
    if len(actions) != 1:
        raise _RefusedError(1003010, f"expected exactly one action, received {len(actions)}")
    action = _object(actions[0], "the action")
    if action.get("@odata.type") != PROVIDE_CLAIMS_ACTION:
        raise _RefusedError(1003012, f"expected an action of type {PROVIDE_CLAIMS_ACTION}, received {_type_of(action)}")
    return action


def _read_claims(action: ReplyObject) -> ReplyObject:
    if action.get("claims") is None:
        received = "null" if "claims" in action else "no such member"
        raise _RefusedError(1003007, f"claims should be an object, received {received}")
    return _object(action["claims"], "claims")


def _check_claims(claims: ReplyObject) -> int:
    """Check the names and the size, and give the size in bytes."""
    if not all(map(str.strip, claims)):
        raise _RefusedError(1003026, "every claim needs a name, one has an empty or blank one")
    size_bytes = _size_bytes(claims)
    if size_bytes > MAX_CLAIMS_BYTES:
        raise _RefusedError(1003025, f"expected at most {MAX_CLAIMS_BYTES} bytes of claims, received {size_bytes}")
    return size_bytes


def _size_bytes(value: object) -> int:
    """Count names and values of any kind in UTF-8 bytes, without JSON's punctuation and however deep they nest."""
    size, pending = 0, [value]
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            size += len(current.encode("utf-8", "surrogatepass"))
        elif isinstance(current, dict):
            pending.extend(chain(current, current.values()))
        elif isinstance(current, list):
            pending.extend(current)
        elif current is not None:
            size += len(json.dumps(current))
    return size


def _object(value: object, what: str) -> ReplyObject:
    if not isinstance(value, ReplyObject):
        raise _RefusedError(1003003, f"{what} should be an object, it is {_kind(value)}")
    return value


def _type_of(members: ReplyObject) -> str:
    """Show the type that an object claims to be of; it is the endpoint's constant, no claim value."""
    kind = members.get("@odata.type")
    return shown(kind) if isinstance(kind, str) else _kind(kind)


def _kind(value: object) -> str:
    if value is None:
        return "missing or null"
    return {bool: "a boolean", str: "a string", list: "a list", ReplyObject: "an object"}.get(type(value), "a number")
