"""The judge: one row for every code that a reply can cause, and for everything that only earns a warning."""

import json
from typing import Any

import pytest

from claims.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE
from selftest.judge.codes import CODES
from selftest.judge.received_reply import CallFailure, ReceivedReply
from selftest.judge.verdict import MAX_RESPONSE_BYTES, judge
from tests.selftest.replies import GOOD, JSON, action, document, kinds, reply_of, text_document


def test_documented_reply_mints_a_token_without_a_warning() -> None:
    """The reply that Microsoft's reference prints is accepted, claims and all."""
    verdict = judge(reply_of(GOOD, content_type="application/json; charset=utf-8"))

    assert (verdict.code, verdict.name, verdict.minted, verdict.warnings) == (None, None, True, ())
    assert verdict.claims == {"DateOfBirth": "01/01/2000", "CustomRoles": ["Writer", "Editor"]}


@pytest.mark.parametrize(("failure", "code"), [("timeout", 1003005), ("connection", 1003027), ("protocol", 1003001)])
def test_failed_exchange_decides_before_the_reply_is_looked_at(failure: CallFailure, code: int) -> None:
    """A good body that came too late or broke off mints nothing."""
    verdict = judge(
        ReceivedReply(status=200, content_type=JSON, body=json.dumps(GOOD).encode(), failure=failure),
    )

    assert (verdict.code, verdict.name, verdict.minted) == (code, CODES[code].name, False)


def test_no_status_and_no_failure_is_an_unexpected_error() -> None:
    """What is not an HTTP reply and has no better name is 1003001."""
    assert judge(ReceivedReply(status=None, content_type=JSON, body=b"{}")).code == 1003001


@pytest.mark.parametrize("status", [100, 201, 202, 204, 206, 301, 302, 307, 400, 401, 403, 404, 413, 500, 503, 0, -1])
def test_every_status_but_200_is_an_invalid_status(status: int) -> None:
    """Only 200 is documented, so even another success is refused, whatever the body holds."""
    assert judge(reply_of(GOOD, status=status)).code == 1003002


@pytest.mark.parametrize("status", [401, 403])
def test_refused_token_is_said_to_show_as_a_timeout_too(status: int) -> None:
    """The sources disagree on a refused token, and the reason tells the reader."""
    assert "1003005" in judge(reply_of(b"", status=status)).reason


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/problem+json",
        "application/jsonp",
        "application/json, text/html",
        ";",
    ],
)
def test_content_type_must_be_application_json(content_type: str | None) -> None:
    """A relative of application/json is not application/json."""
    assert judge(reply_of(GOOD, content_type=content_type)).code == 1003006


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", " application/json ;charset=UTF-8", 'application/json;charset="utf-8"'],
)
def test_content_type_is_read_without_case_and_parameters(content_type: str) -> None:
    """Media types have no case, and Microsoft's own library sends a charset."""
    assert judge(reply_of(GOOD, content_type=content_type)).minted


LEGACY = {"type": "onTokenIssuanceStartCustomExtension", "apiSchemaVersion": "10-01-2021-preview", "actions": [{}]}

REFUSED: list[tuple[str, bytes | dict[str, Any], int]] = [
    ("no body", b"", 1003009),
    ("blank body", b" \r\n\t", 1003009),
    ("null", b" null\n", 1003009),
    ("null after a byte order mark", b"\xef\xbb\xbfnull", 1003009),
    ("too large as a whole", b'{"x":"' + b"x" * MAX_RESPONSE_BYTES + b'"}', 1003024),
    ("HTML", b"<!doctype html>", 1003003),
    ("truncated", json.dumps(GOOD).encode()[:-3], 1003003),
    ("two documents", json.dumps(GOOD).encode() * 2, 1003003),
    ("not UTF-8", b'{"data":"\xff"}', 1003003),
    ("UTF-16", json.dumps(GOOD).encode("utf-16"), 1003003),
    ("gzip", b"\x1f\x8b\x08\x00", 1003003),
    ("NaN", text_document('{"a": NaN}'), 1003003),
    ("Infinity", text_document('{"a": -Infinity}'), 1003003),
    ("a raw control character", text_document('{"a": "\n"}'), 1003003),
    ("nested beyond reading", b"[" * 200_000, 1003003),
    ("a list", b"[]", 1003003),
    ("a string", b'"data"', 1003003),
    ("a number", b"7", 1003003),
    ("an empty object", b"{}", 1003003),
    ("data null", {"data": None}, 1003003),
    ("data a list", {"data": [GOOD["data"]]}, 1003003),
    ("data misspelt", {"Data": GOOD["data"]}, 1003003),
    ("data without a type", {"data": {"actions": [action()]}}, 1003003),
    (
        "data of the request's type",
        document({}, **{"@odata.type": "microsoft.graph.onTokenIssuanceStartCalloutData"}),
        1003003,
    ),
    ("data's type with a #", document({}, **{"@odata.type": f"#{RESPONSE_DATA_TYPE}"}), 1003003),
    ("data's type a list", document({}, **{"@odata.type": [RESPONSE_DATA_TYPE]}), 1003003),
    ("the preview's shape", LEGACY, 1003008),
    ("the preview's shape, other version", {"apiSchemaVersion": None}, 1003008),
    ("actions missing", {"data": {"@odata.type": RESPONSE_DATA_TYPE}}, 1003003),
    ("actions null", document({}, actions=None), 1003003),
    ("actions an object", document({}, actions=action()), 1003003),
    ("actions a string", document({}, actions="x"), 1003003),
    ("no action", document({}, actions=[]), 1003010),
    ("two actions", document({}, actions=[action(), action()]), 1003010),
    ("two broken actions", document({}, actions=[None, 1]), 1003010),
    ("action null", document({}, actions=[None]), 1003003),
    ("action a string", document({}, actions=["provideClaimsForToken"]), 1003003),
    ("action without a type", document({}, actions=[{"claims": {}}]), 1003012),
    (
        "action of a short type",
        document({}, actions=[action(**{"@odata.type": "microsoft.graph.provideClaimsForToken"})]),
        1003012,
    ),
    (
        "action's type in lower case",
        document({}, actions=[action(**{"@odata.type": PROVIDE_CLAIMS_ACTION.lower()})]),
        1003012,
    ),
    ("action's type with a #", document({}, actions=[action(**{"@odata.type": f"#{PROVIDE_CLAIMS_ACTION}"})]), 1003012),
    ("action's type null", document({}, actions=[action(**{"@odata.type": None})]), 1003012),
    ("claims null", document(None), 1003007),
    ("claims missing", document({}, actions=[{"@odata.type": PROVIDE_CLAIMS_ACTION}]), 1003007),
    ("claims misspelt", document({}, actions=[{"@odata.type": PROVIDE_CLAIMS_ACTION, "Claims": {}}]), 1003007),
    ("claims a list", document([{"id": "a", "value": "b"}]), 1003003),
    ("claims a string", document("a=b"), 1003003),
    ("claims false", document(claims=False), 1003003),
    ("claims zero", document(claims=0), 1003003),
    ("an empty name", document({"a": "b", "": "c"}), 1003026),
    ("a blank name", document({" \t": "c"}), 1003026),
    ("an empty name in claims too large", document({"": "x" * 4000}), 1003026),
]


@pytest.mark.parametrize(("body", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_reply_gets_the_code_of_the_first_rule_that_it_breaks(body: bytes | dict[str, Any], code: int) -> None:
    """Each broken reply has its code, its name, a reason, and no token."""
    verdict = judge(reply_of(body))

    assert (verdict.code, verdict.name) == (code, CODES[code].name)
    assert (verdict.minted, verdict.claims) == (False, None)
    assert verdict.reason


def test_preview_reply_is_not_warned_of_the_member_that_refused_it() -> None:
    """What gave the code is not told a second time as a warning."""
    assert judge(reply_of(LEGACY)).warnings == ()


def test_number_of_more_digits_than_python_reads_is_counted_as_text() -> None:
    """A number of any length is valid JSON, so only its bytes count."""
    assert judge(reply_of(text_document(f'{{"a": {"9" * 5000}}}'))).code == 1003025


def test_table_covers_every_code_that_a_body_can_cause() -> None:
    """Of the codes of a call, only those of exchange, status, type and claims' size stand in other tests."""
    elsewhere = {1003001, 1003002, 1003005, 1003006, 1003025, 1003027}
    during_the_call = {code for code, entry in CODES.items() if entry.phase == "during the call"}

    assert {row[2] for row in REFUSED} == during_the_call - elsewhere


def test_whole_reply_may_fill_the_bound() -> None:
    """The bound itself is still read: the padding is white space, so the reply is good."""
    raw = json.dumps(GOOD).encode()

    assert judge(reply_of(raw + b" " * (MAX_RESPONSE_BYTES - len(raw)))).minted
    assert judge(reply_of(raw + b" " * (MAX_RESPONSE_BYTES - len(raw) + 1))).code == 1003024


@pytest.mark.parametrize(
    ("size_bytes", "code", "warned"),
    [(3000, None, False), (3001, None, True), (3072, None, True), (3073, 1003025, False)],
)
@pytest.mark.parametrize("shape", ["string", "array", "key", "multi-byte key", "multi-byte array"])
def test_size_counts_utf8_bytes_of_names_and_values(
    size_bytes: int, *, code: int | None, warned: bool, shape: str
) -> None:
    """3 KB is warned of above 3000 bytes and refused above 3072, wherever the bytes stand."""
    claims: dict[str, object] = {
        "string": {"k": "v" * (size_bytes - 1)},
        "array": {"k": ["v" * 1000, "", "v" * (size_bytes - 1001)]},
        "key": {"k" * size_bytes: ""},
        "multi-byte key": {"é" * 500 + "k" * (size_bytes - 1004): "😀"},
        "multi-byte array": {"k": ["€" * 600, "😀" * 100, "v" * (size_bytes - 2201)]},
    }[shape]  # type: ignore[assignment]  # the rows have values of several kinds

    verdict = judge(reply_of(document(claims)))

    assert verdict.code == code
    assert ("near-size-limit" in kinds(verdict)) is warned


def test_last_of_two_claims_is_the_one_that_counts() -> None:
    """A repeated name has the value that most readers give it."""
    assert judge(reply_of(text_document('{"a": "b", "a": "c"}'))).claims == {"a": "c"}


def test_json_form_has_the_documented_members() -> None:
    """The command line prints code, name, minted, reason and warnings, in that order."""
    written = judge(reply_of(document(None))).as_json()

    assert list(written) == ["code", "name", "minted", "reason", "warnings"]
    assert (written["code"], written["name"]) == (1003007, "CustomExtensionNullClaimsResponse")
