"""The judge takes anything: bytes of every kind, every status and content type, every depth of nesting."""

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims.contract import RESPONSE_DATA_TYPE
from selftest.judge.codes import CODES
from selftest.judge.mapping import MappingEntry, MappingPolicy
from selftest.judge.received_reply import CallFailure, ReceivedReply
from selftest.judge.verdict import judge
from tests.selftest.replies import JSON, document, reply_of, text_document

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NEARLY_GOOD = st.builds(
    lambda claims, data_type, actions: document(claims, **{"@odata.type": data_type}, **actions),
    ANY_JSON,
    st.just(RESPONSE_DATA_TYPE) | ANY_JSON,
    st.fixed_dictionaries({}, optional={"actions": ANY_JSON}),
)


@settings(deadline=None)  # the time of one judgment is no promise, and machines that run tests are busy
@given(
    body=st.binary(max_size=200) | (NEARLY_GOOD | ANY_JSON).map(lambda value: json.dumps(value).encode()),
    status=st.none() | st.just(200) | st.integers(),
    content_type=st.none() | st.just(JSON) | st.text(),
    failure=st.sampled_from([None, None, None, "timeout", "connection", "protocol"]),
    registered=st.none() | st.frozensets(st.text(max_size=5)),
    mapping=st.sampled_from([None, MappingPolicy(entries=(MappingEntry(source="CustomClaimsProvider", id=""),))]),
)
def test_judge_never_raises_and_never_mints_on_a_code(
    *,
    body: bytes,
    status: int | None,
    content_type: str | None,
    failure: CallFailure | None,
    registered: frozenset[str] | None,
    mapping: MappingPolicy | None,
) -> None:
    """For any reply there is a verdict that can be written as JSON, with a known code or a token, never both."""
    reply = ReceivedReply(status=status, content_type=content_type, body=body, failure=failure)
    verdict = judge(reply, registered=registered, mapping=mapping)

    assert verdict.minted is (verdict.code is None) is (verdict.claims is not None)
    assert verdict.code is None or verdict.name == CODES[verdict.code].name
    assert verdict.reason
    json.dumps(verdict.as_json(), allow_nan=False)


@pytest.mark.parametrize("depth", [60, 900, sys.getrecursionlimit(), 9_000, 60_000])
def test_any_depth_of_nesting_has_a_verdict(depth: int) -> None:
    """A value that nests without end is judged, not a crash."""
    verdict = judge(reply_of(text_document('{"a": ' + "[" * depth + "]" * depth + "}")))

    assert verdict.code in {None, 1003003}
