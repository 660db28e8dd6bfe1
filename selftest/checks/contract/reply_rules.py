"""Rules of the reply: each function returns what is wrong, or None.

A rule tests one property and ignores all others, so that one mistake is reported once, by its own check.
"""

import json
from collections.abc import Mapping
from typing import Any

from selftest.checks.bench.probe import RawResponse
from selftest.checks.expectations import ResponseRule, claims_of, data_of, first_action
from selftest.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE
from selftest.judge.received_reply import ReceivedReply
from selftest.judge.verdict import judge


def content_type(response: RawResponse) -> str | None:
    """Report another media type; parameters are allowed."""
    value = response.header("Content-Type") or "absent"
    return None if value.partition(";")[0].strip().lower() == "application/json" else f"Content-Type: {value}"


def data_type(response: RawResponse) -> str | None:
    """Report another type of ``data``."""
    actual = data_of(response).get("@odata.type")
    return None if actual == RESPONSE_DATA_TYPE else f"data.@odata.type is {_shown(actual)}"


def one_action(response: RawResponse) -> str | None:
    """Report actions that are not a list of exactly one."""
    actions = data_of(response).get("actions")
    if not isinstance(actions, list):
        return "actions is not a list"
    return None if len(actions) == 1 else f"{len(actions)} actions"


def action_type(response: RawResponse) -> str | None:
    """Report another type of the first action."""
    actual = (first_action(response) or {}).get("@odata.type")
    return None if actual == PROVIDE_CLAIMS_ACTION else f"the action's @odata.type is {_shown(actual)}"


def claims_object(response: RawResponse) -> str | None:
    """Report claims that are not an object."""
    claims = claims_of(response)
    return None if isinstance(claims, dict) else f"claims is {_kind(claims)}"


def _claims(response: RawResponse) -> Mapping[str, object]:
    claims = claims_of(response)
    return claims if isinstance(claims, dict) else {}


def values(response: RawResponse) -> str | None:
    """Report claims that are neither a string nor an array of strings, without their values."""
    wrong = [f"{name} is {_kind(value)}" for name, value in _claims(response).items() if not _is_claim_value(value)]
    return "; ".join(wrong) or None


def names(response: RawResponse) -> str | None:
    """Report an empty or blank name."""
    return "a claim without a name" if any(not name.strip() for name in _claims(response)) else None


def size_within(limit_bytes: int) -> ResponseRule:
    """Return the rule for the size of names and values together, in bytes."""

    def judged(response: RawResponse) -> str | None:
        size_bytes = sum(_value_bytes(name) + _value_bytes(value) for name, value in _claims(response).items())
        return None if size_bytes <= limit_bytes else f"{size_bytes} bytes"

    return judged


def _value_bytes(value: object) -> int:
    items = value if isinstance(value, list) else [value]
    texts = (item if isinstance(item, str) else json.dumps(item) for item in items)
    return sum(len(text.encode(errors="surrogatepass")) for text in texts)


def one_meaning(response: RawResponse) -> str | None:
    """Report a body that is not JSON in UTF-8, or has duplicate members."""
    twice: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice.extend(name for name in set(names) if names.count(name) > 1)
        return dict(pairs)

    try:
        json.loads(response.body.decode("utf-8-sig"), object_pairs_hook=members)
    except (ValueError, RecursionError) as error:
        return f"the body is not JSON in UTF-8 ({type(error).__name__})"
    return f"duplicate members: {', '.join(sorted(twice))}" if twice else None


def no_mark(response: RawResponse) -> str | None:
    """Report a byte order mark."""
    return "it starts with EF BB BF" if response.body.startswith(b"\xef\xbb\xbf") else None


def minted(response: RawResponse) -> str | None:
    """Report the code that Entra would log."""
    verdict = judge(
        ReceivedReply(status=response.status, content_type=response.header("Content-Type"), body=response.body)
    )
    return None if verdict.minted else f"Entra would log {verdict.code} {verdict.name}: {verdict.reason}"


def _is_claim_value(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null or absent"}
    return names.get(type(value), "a number")


def _shown(value: object) -> str:
    return json.dumps(value[:80]) if isinstance(value, str) else _kind(value)
