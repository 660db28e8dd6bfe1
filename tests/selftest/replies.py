"""Replies to judge: the documented one, and the same with one part changed."""

import json
from typing import Any

from claims.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE
from selftest.judge.received_reply import ReceivedReply
from selftest.judge.verdict import Verdict

JSON = "application/json"


def reply_of(body: bytes | dict[str, Any], *, status: int = 200, content_type: str | None = JSON) -> ReceivedReply:
    """Make a reply of a body, or of what is to be written as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return ReceivedReply(status=status, content_type=content_type, body=raw)


def document(claims: object, **changes: object) -> dict[str, Any]:
    """Make the documented reply around these claims; ``changes`` replace members of data."""
    action = {"@odata.type": PROVIDE_CLAIMS_ACTION, "claims": claims}
    return {"data": {"@odata.type": RESPONSE_DATA_TYPE, "actions": [action], **changes}}


def text_document(claims: str) -> bytes:
    """Write the claims verbatim, for JSON that no Python object can stand for."""
    return json.dumps(document("@")).replace('"@"', claims).encode("utf-8", "surrogatepass")


def action(**changes: object) -> dict[str, object]:
    """Make a good action; ``changes`` replace its members."""
    return {"@odata.type": PROVIDE_CLAIMS_ACTION, "claims": {"a": "b"}, **changes}


def kinds(verdict: Verdict) -> list[str]:
    """List the kinds of the warnings, in order."""
    return [warning.kind for warning in verdict.warnings]


GOOD = document({"DateOfBirth": "01/01/2000", "CustomRoles": ["Writer", "Editor"]})
