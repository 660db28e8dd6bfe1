"""The warnings: one row for everything that no page decides, and for what keeps a claim out of the token."""

import json

import pytest

from selftest.contract import PROVIDE_CLAIMS_ACTION
from selftest.judge.codes import CODES
from selftest.judge.mapping import MappingPolicy
from selftest.judge.restricted_claims import NAME_ID_CLAIM_TYPE
from selftest.judge.verdict import judge
from tests.selftest.replies import GOOD, document, kinds, reply_of, text_document

MICROSOFT = "http://schemas.microsoft.com"
POLICY = MappingPolicy.parse(
    {
        "ClaimsMappingPolicy": {
            "Version": 1,
            "ClaimsSchema": [
                {"Source": "CustomClaimsProvider", "ID": "dateOfBirth", "JwtClaimType": "birthdate"},
                {"Source": "CustomClaimsProvider", "ID": "apiVersion", "JwtClaimType": "apiVersion "},
                {"Source": "CustomClaimsProvider", "ID": "roles"},
                {"Source": "User", "ID": "mail", "JwtClaimType": "contact"},
                {"Value": "1", "JwtClaimType": "policy_version"},
            ],
        }
    }
)


WARNED: list[tuple[str, bytes, list[str]]] = [
    ("an empty object", text_document("{}"), []),
    ("null", text_document('{"a": null}'), ["null-value"]),
    ("an integer", text_document('{"a": 1}'), ["number-value"]),
    ("a fraction", text_document('{"a": 1.5}'), ["number-value"]),
    ("a number beyond a double", text_document('{"a": 1e999}'), ["number-value"]),
    ("a number of many digits", text_document('{"a": %s}' % ("9" * 2000)), ["number-value"]),
    ("a boolean", text_document('{"a": true}'), ["boolean-value"]),
    ("an object", text_document('{"a": {"b": "c"}}'), ["object-value"]),
    ("an array with others", text_document('{"a": ["b", 1, null]}'), ["array-item"]),
    ("an array of arrays", text_document('{"a": [["b"]]}'), ["array-item"]),
    ("an array of an object", text_document('{"a": [{}]}'), ["array-item"]),
    ("a claim twice", text_document('{"a": "b", "a": "c"}'), ["duplicate-member"]),
    ("a lone surrogate", text_document(r'{"a": "\ud800"}'), ["lone-surrogate"]),
    ("a lone surrogate in a name", text_document(r'{"\udfff": ["b"]}'), ["lone-surrogate"]),
    ("a lone surrogate in an array", text_document(r'{"a": ["b", "\udc00"]}'), ["lone-surrogate"]),
    ("a name with a space", text_document('{"apiVersion ": "1"}'), ["blank-name"]),
    ("a byte order mark", b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), ["byte-order-mark"]),
    ("an empty array", text_document('{"a": []}'), []),
    ("an empty string", text_document('{"a": ""}'), []),
    ("a pair of surrogates", text_document(r'{"a": "\ud83d\ude00"}'), []),
    ("members that nobody asked for", json.dumps({**GOOD, "more": 1}).encode(), []),
    ("the preview's version beside data", json.dumps({**GOOD, "apiSchemaVersion": "1"}).encode(), ["legacy-member"]),
    ("data twice", b'{"data": 1, ' + json.dumps(GOOD).encode()[1:], ["duplicate-member"]),
    ("actions twice", json.dumps(GOOD).replace('"actions"', '"actions": [], "actions"').encode(), ["duplicate-member"]),
    ("claims twice", json.dumps(GOOD).replace('"claims"', '"claims": null, "claims"').encode(), ["duplicate-member"]),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in WARNED], ids=[row[0] for row in WARNED])
def test_undocumented_reply_is_minted_with_a_warning(body: bytes, expected: list[str]) -> None:
    """What no page decides does not change the verdict, and is told."""
    verdict = judge(reply_of(body))

    assert (verdict.code, verdict.minted) == (None, True)
    assert kinds(verdict) == expected
    json.dumps(verdict.claims, allow_nan=False)


def test_other_charset_is_a_warning() -> None:
    """The bytes decide what is read; the label is only told."""
    assert kinds(judge(reply_of(GOOD, content_type="application/json; charset=latin-1"))) == ["charset"]


def test_gzip_is_refused_and_told_apart_from_garbage() -> None:
    """A compressed body is not JSON, and the warning says what it is."""
    verdict = judge(reply_of(b"\x1f\x8b\x08\x00"))

    assert (verdict.code, kinds(verdict)) == (1003003, ["compressed-body"])


def test_mapping_warns_of_everything_that_keeps_a_claim_from_the_token() -> None:
    """Wrong case, unmapped, not returned, restricted and a stray space are each told with their claim."""
    verdict = judge(reply_of(document({"DateOfBirth": "x", "mail": "y", "apiVersion": "1"})), mapping=POLICY)

    assert verdict.minted
    assert [(warning.kind, warning.claim) for warning in verdict.warnings] == [
        ("wrong-case", "DateOfBirth"),
        ("unmapped-claim", "mail"),
        ("restricted-name", "roles"),
        ("mapping-space", "apiVersion"),
        ("not-returned", "roles"),
    ]


TARGETS: list[tuple[dict[str, str], list[str]]] = [
    ({"JwtClaimType": "email"}, ["restricted-name"]),
    ({"JwtClaimType": "mail_address"}, []),
    ({"SamlClaimType": f"{MICROSOFT}/ws/2008/06/identity/claims/groups"}, ["restricted-name"]),
    ({"SamlClaimType": f"{MICROSOFT}/ws/2008/06/identity/claims/role"}, ["restricted-name"]),
    ({"SamlClaimType": NAME_ID_CLAIM_TYPE}, ["name-id"]),
    ({"SamlClaimType": "email"}, []),
    ({"JwtClaimType": f"{MICROSOFT}/ws/2008/06/identity/claims/groups"}, []),
]


@pytest.mark.parametrize("name", ["groups", "roles", "email", "aud", "xms_a", "DateOfBirth"])
@pytest.mark.parametrize(("target", "expected"), TARGETS, ids=str)
def test_target_is_judged_by_the_list_of_its_token_and_the_returned_name_never(
    name: str, target: dict[str, str], expected: list[str]
) -> None:
    """A reply may hold a claim of any name; what the policy emits is looked up in the list for JWT or SAML."""
    schema = [{"Source": "CustomClaimsProvider", "ID": name, **target}]
    policy = MappingPolicy.parse({"ClaimsMappingPolicy": {"ClaimsSchema": schema}})
    reply = reply_of(document({name: "x"}))

    assert kinds(judge(reply, mapping=policy, token="saml" if "SamlClaimType" in target else "jwt")) == expected
    assert not judge(reply).warnings


def test_name_id_from_the_directory_is_no_finding() -> None:
    """Only a custom claims provider's attribute is refused as the NameID's source."""
    schema = [{"Source": "User", "ID": "employeeid", "SamlClaimType": NAME_ID_CLAIM_TYPE}]
    policy = MappingPolicy.parse({"ClaimsMappingPolicy": {"ClaimsSchema": schema}})

    assert not judge(reply_of(document({})), mapping=policy, token="saml").warnings


def test_registered_names_warn_of_others_and_of_case() -> None:
    """A claim that claimsForTokenConfiguration lacks, or has in another case, is told."""
    claims = {"CustomRoles": "a", "dateofbirth": "b", "Extra": "c"}
    verdict = judge(reply_of(document(claims)), registered=frozenset({"CustomRoles", "DateOfBirth"}))

    assert [(warning.kind, warning.claim) for warning in verdict.warnings] == [
        ("registered-case", "dateofbirth"),
        ("not-registered", "Extra"),
    ]


def test_no_message_shows_a_claim_value_or_a_control_character() -> None:
    """Verdicts may be printed and stored: names are escaped, and values stay out of reason, warnings and JSON."""
    secret = "value-that-is-private"
    claims = {"a\x1b[31m": [secret, 1], "\x1b" + "n" * 200: 1, "b": secret, "c": {"d": secret}}
    verdict = judge(reply_of(document(claims)), registered=frozenset(), mapping=POLICY)
    written = json.dumps(verdict.as_json())

    assert secret not in written
    assert not any("\x1b" in warning.message for warning in verdict.warnings)


def test_older_name_of_the_action_is_refused_with_a_doubt() -> None:
    """As `explain 1003012` says: no page names it, and services in production send it."""
    older = "microsoft.graph.provideClaimsForToken"
    verdict = judge(reply_of(json.dumps(GOOD).replace(PROVIDE_CLAIMS_ACTION, older).encode()))
    assert (verdict.code, kinds(verdict)) == (1003012, ["older-action"])
    assert "not certain" in verdict.warnings[0].message
    assert older in (CODES[1003012].conflict or "")
