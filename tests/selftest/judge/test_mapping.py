"""The claims mapping policy: the forms in which people have it, what is refused, and what reaches the token."""

import json
from typing import Any

import pytest

from selftest.judge.mapping import MappingEntry, MappingError, MappingPolicy
from selftest.judge.restricted_claims import (
    JWT_CLAIM_TYPES,
    NAME_ID_CLAIM_TYPE,
    SAML_CLAIM_TYPES,
    SAML_CLAIM_TYPES_WITHOUT_SIGNING_KEY,
)

SCHEMA = [
    {"Source": "CustomClaimsProvider", "ID": "DateOfBirth", "JwtClaimType": "birthdate"},
    {"Source": "CustomClaimsProvider", "ID": "CustomRoles", "JwtClaimType": "my_roles", "SamlClaimType": "urn:roles"},
    {"Source": "CustomClaimsProvider", "ID": "apiVersion"},
    {"Value": "tokenaug_V2", "JwtClaimType": "policy_version"},
    {"Source": "User", "ID": "mail", "JwtClaimType": "contact"},
]
INNER = {"ClaimsMappingPolicy": {"Version": 1, "IncludeBasicClaimSet": "true", "ClaimsSchema": SCHEMA}}
ONLY_DEFINITION = {"definition": [json.dumps(INNER)]}
GRAPH = {"id": "1", "displayName": "P", "isOrganizationDefault": False, **ONLY_DEFINITION}
CLAIMS = {"DateOfBirth": "01/01/2000", "CustomRoles": ["Writer"], "apiVersion": "1", "unmapped": "x", "mail": "y"}


def policy(*entries: dict[str, Any], **members: object) -> MappingPolicy:
    """Parse a policy of these entries."""
    return MappingPolicy.parse({"ClaimsMappingPolicy": {"ClaimsSchema": list(entries), **members}})


@pytest.mark.parametrize("document", [INNER, ONLY_DEFINITION, GRAPH, {"value": [GRAPH]}])
@pytest.mark.parametrize(
    "form", [lambda document: document, json.dumps, lambda document: json.dumps(document).encode()]
)
def test_every_form_gives_the_same_policy(document: dict[str, Any], form: Any) -> None:
    """A Graph object, a collection of one, a bare definition and the inner object mean the same."""
    parsed = MappingPolicy.parse(form(document))

    assert parsed == MappingPolicy.parse(INNER)
    assert parsed.entries[0] == MappingEntry(
        source="CustomClaimsProvider", id="DateOfBirth", jwt_claim_type="birthdate"
    )
    assert [entry.id for entry in parsed.provided] == ["DateOfBirth", "CustomRoles", "apiVersion"]


def test_token_gets_mapped_claims_and_constants_only() -> None:
    """Renamed claims, a claim that keeps its name, and constants reach the token; nothing else does."""
    assert MappingPolicy.parse(GRAPH).apply(CLAIMS) == {
        "birthdate": "01/01/2000",
        "my_roles": ["Writer"],
        "apiVersion": "1",
        "policy_version": "tokenaug_V2",
    }


def test_saml_assertion_gets_what_has_a_saml_name() -> None:
    """An assertion holds the entries with a SamlClaimType, under that name."""
    assert MappingPolicy.parse(GRAPH).apply(CLAIMS, token="saml") == {"urn:roles": ["Writer"]}


def test_entry_for_saml_alone_is_not_in_a_json_web_token() -> None:
    """An entry that names only a SAML claim type does not fall back to its id in a JSON Web Token."""
    saml_only = policy({"Source": "CustomClaimsProvider", "ID": "a", "SamlClaimType": "urn:a"})

    assert saml_only.apply({"a": "b"}) == {}


@pytest.mark.parametrize(
    "claims", [{}, {"dateofbirth": "x"}, {"DATEOFBIRTH": "x"}, {"DateOfBirth ": "x"}, {"DateOfBirth": None}]
)
def test_claim_of_another_name_or_without_a_value_maps_to_nothing(claims: dict[str, object]) -> None:
    """Names are compared to the letter, and null is no value."""
    entry = {"Source": "CustomClaimsProvider", "ID": "DateOfBirth", "JwtClaimType": "birthdate"}

    assert policy(entry).apply(claims) == {}


@pytest.mark.parametrize("target", ["roles", "aud", "xms_anything", "extn.a"])
def test_restricted_name_is_left_out_of_a_json_web_token(target: str) -> None:
    """A mapping onto a name of the restricted set puts nothing into the token."""
    assert policy({"Source": "CustomClaimsProvider", "ID": "a", "JwtClaimType": target}).apply({"a": "b"}) == {}


SAML_GROUPS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"


@pytest.mark.parametrize("target", [SAML_GROUPS, min(SAML_CLAIM_TYPES_WITHOUT_SIGNING_KEY), NAME_ID_CLAIM_TYPE])
def test_restricted_claim_type_is_left_out_of_an_assertion(target: str) -> None:
    """A SAML assertion has a restricted set of its own, and its NameID is not the endpoint's to give."""
    mapped = policy({"Source": "CustomClaimsProvider", "ID": "a", "SamlClaimType": target, "JwtClaimType": "b"})

    assert mapped.apply({"a": "x"}, token="saml") == {}
    assert mapped.apply({"a": "x"}) == {"b": "x"}


@pytest.mark.parametrize("name", ["groups", "roles", "email", "xms_a"])
def test_returned_claim_of_any_name_is_mapped(name: str) -> None:
    """The restricted sets are about the target; the name in the reply is the policy's ID."""
    entry = {"Source": "CustomClaimsProvider", "ID": name, "JwtClaimType": "mine", "SamlClaimType": "urn:mine"}

    assert policy(entry).apply({name: "x"}) == {"mine": "x"}
    assert policy(entry).apply({name: "x"}, token="saml") == {"urn:mine": "x"}


def test_restricted_sets_are_those_of_the_page() -> None:
    """The page has 183 names for JSON Web Tokens, and for SAML 43 claim types and five more without a signing key.

    Two of the 43, ``role`` and ``upn``, are allowed with a signing key by its last list.
    """
    assert len(JWT_CLAIM_TYPES) == 183
    assert len(SAML_CLAIM_TYPES) == 43 - 2
    assert len(SAML_CLAIM_TYPES_WITHOUT_SIGNING_KEY) == 5 + 2
    assert not SAML_CLAIM_TYPES & SAML_CLAIM_TYPES_WITHOUT_SIGNING_KEY


def test_source_is_compared_without_case() -> None:
    """The portal and the how-to write the source's name in two ways."""
    assert policy({"Source": "customclaimsprovider", "ID": "a"}).apply({"a": "b"}) == {"a": "b"}


def test_target_keeps_its_spaces() -> None:
    """A space in JwtClaimType is the policy's, so the token shows it; the judge warns of it."""
    spaced = policy({"Source": "CustomClaimsProvider", "ID": "a", "JwtClaimType": "apiVersion "})

    assert spaced.apply({"a": "1"}) == {"apiVersion ": "1"}


@pytest.mark.parametrize(("written", "read"), [("true", True), ("False", False), (True, True), (False, False)])
def test_basic_claim_set_is_read_as_text_and_as_boolean(written: object, *, read: bool) -> None:
    """Graph's samples write the flag as text, people write it as a boolean."""
    assert policy(IncludeBasicClaimSet=written).include_basic_claim_set is read


REFUSED: list[tuple[Any, str, str]] = [
    ("", "is empty", "written completely"),
    (b"\xff\xfe\xfa", "should be JSON", "decode"),
    ("[" * 200_000, "should be JSON", ""),
    ("[]", "should be an object", "a list"),
    ("null", "should be an object", "null"),
    ({}, "ClaimsMappingPolicy should be a member", "no members"),
    ({"claims": {}, "a": 1}, "ClaimsMappingPolicy should be a member", "a, claims"),
    ({"ClaimsMappingPolicy": []}, "should be an object", "a list"),
    ({"value": []}, "exactly one policy", "holds 0"),
    ({"value": [GRAPH, GRAPH]}, "exactly one policy", "holds 2"),
    ({"value": "x"}, "exactly one policy", "a string"),
    ({"value": [7]}, "should be an object", "a number"),
    ({"definition": json.dumps(INNER)}, "list of one string", "a string"),
    ({"definition": []}, "exactly one string", "nothing"),
    ({"definition": [INNER]}, "exactly one string", "an object"),
    ({"definition": ["{}", "{}"]}, "exactly one string", "a string, a string"),
    ({"definition": ["{"]}, "the text in definition should be JSON", "column"),
    ({"definition": ['"x"']}, "should be an object", "a string"),
    ({"ClaimsMappingPolicy": {"ClaimsSchema": {}}}, "ClaimsSchema should be a list", "an object"),
    ({"ClaimsMappingPolicy": {"ClaimsSchema": [None]}}, "ClaimsSchema[0] should be an object", "null"),
    ({"ClaimsMappingPolicy": {"ClaimsSchema": [{"JwtClaimType": 1}]}}, "JwtClaimType should be a string", "a number"),
    ({"ClaimsMappingPolicy": {"ClaimsSchema": [{"Value": True}]}}, "Value should be a string", "a boolean"),
    (
        {"ClaimsMappingPolicy": {"ClaimsSchema": [{"Source": "CustomClaimsProvider", "Id": "a"}]}},
        "ClaimsSchema[0].ID should name the returned claim",
        "Id, Source",
    ),
    ({"ClaimsMappingPolicy": {"IncludeBasicClaimSet": "yes"}}, 'should be "true" or "false"', "'yes'"),
]


@pytest.mark.parametrize(("document", "wanted", "found"), REFUSED)
def test_what_is_no_policy_is_refused_with_both_values(document: Any, wanted: str, found: str) -> None:
    """The error says what the member should be and what it is."""
    with pytest.raises(MappingError) as caught:
        MappingPolicy.parse(document)

    assert wanted in str(caught.value)
    assert found in str(caught.value)
