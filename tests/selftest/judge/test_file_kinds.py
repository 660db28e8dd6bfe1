"""A file that is evidently another one is named, with what reads it; everything else is nothing in particular."""

import json
from typing import Any

import pytest

from selftest.judge.file_kinds import kind_of, other_than_a_reply
from selftest.judge.verdict import judge
from tests.checkout import ROOT
from tests.selftest.replies import GOOD, reply_of

SAMPLES = ROOT / "docs" / "samples"


@pytest.mark.parametrize(
    ("sample", "name", "way_on"),
    [
        ("signins.json", "a sign-in log", "signin-log --file"),
        ("tenant.json", "the objects of a tenant", "doctor --file"),
        ("policy.json", "a claims mapping policy", "--mapping"),
        ("two-actions.json", "the reply of an endpoint", "judge --body"),
    ],
)
def test_samples_are_recognized(sample: str, name: str, way_on: str) -> None:
    """Each file that the pages show."""
    kind = kind_of((SAMPLES / sample).read_text())
    assert kind is not None
    assert kind.name == name
    assert way_on in kind.way_on


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ([{"CorrelationId": "x", "ResultType": "0"}], "a sign-in log"),
        ({"records": [{"category": "SignInLogs", "resultType": "0", "properties": {}}]}, "a sign-in log"),
        ({"tables": [{"columns": [], "rows": []}]}, "a table of Log Analytics"),
        ({"value": [{"appliedEventListeners": []}]}, "a sign-in log"),
        ({"ClaimsMappingPolicy": {}}, "a claims mapping policy"),
        ({"value": [{"definition": [], "displayName": "p"}]}, "a claims mapping policy"),
        ({"data": {"@odata.type": "microsoft.graph.onTokenIssuanceStartCalloutData"}}, "a captured callout"),
        ({"IsEncrypted": False, "Values": {}}, "the settings of an app"),
        ([{"name": "a", "slotSetting": False, "value": "b"}], "the settings of an app"),
        ({"schema_version": "1.0", "checks": []}, "a results file of this tool"),
        ({"event": "x", "outcome": "claims", "status": 200, "total_ms": 1}, "a line of the endpoint's log"),
    ],
)
def test_other_forms_are_recognized(document: Any, name: str) -> None:
    """Of each command that writes one."""
    kind = kind_of(json.dumps(document))
    assert kind is not None
    assert kind.name == name


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "[[]]", "{}", '{"value": 1}', '{"data": []}', '{"status": 1}', "[" * 100_000, "<html>"],
)
def test_nothing_else_is_named(text: str) -> None:
    """No guess, and no error."""
    assert kind_of(text) is None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "the body is empty"),
        (json.dumps(GOOD).encode("utf-16"), "is UTF-16, as > writes it in Windows PowerShell"),
        (json.dumps(GOOD).encode("utf-16-le"), "is UTF-16"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "a whole HTTP reply: write the body alone"),
        ((SAMPLES / "signins.json").read_bytes(), "looks like a sign-in log"),
    ],
)
def test_doubt_about_a_body_is_a_sentence(body: bytes, says: str) -> None:
    """Each of these has a code, which alone misleads."""
    assert not judge(reply_of(body)).minted
    assert says in (other_than_a_reply(body) or "")


@pytest.mark.parametrize(
    "body", [json.dumps(GOOD).encode(), b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), b"\xff", b"oops"]
)
def test_reply_leaves_no_doubt(body: bytes) -> None:
    """Also one that Entra refuses."""
    assert other_than_a_reply(body) is None
