"""What keeps a claim out of the token: claims that no entry names, and entries that do not do what they say."""

import json
from typing import Any

import pytest

from selftest.judge.mapping import MappingPolicy, entry_for
from selftest.judge.mapping_warnings import entry_warnings
from selftest.judge.restricted_claims import TokenFormat
from selftest.judge.verdict import Verdict, judge
from tests.selftest.replies import document, kinds, reply_of

NAMES = ["Region", "groups", "aud", "xms_a", "https://claims.example/region", 'odd "name"\n\x1b', "ü", "spaced "]


def policy(*entries: dict[str, Any]) -> MappingPolicy:
    """Parse a policy of these entries."""
    return MappingPolicy.parse({"ClaimsMappingPolicy": {"ClaimsSchema": list(entries)}})


def provided(claim: str, **members: str) -> dict[str, str]:
    """Return an entry for a claim of the endpoint."""
    return {"Source": "CustomClaimsProvider", "ID": claim, **members}


def judged(claim: str, mapping: MappingPolicy, token: TokenFormat) -> Verdict:
    """Judge a reply with one claim."""
    return judge(reply_of(document({claim: "x"})), mapping=mapping, token=token)


@pytest.mark.parametrize("token", ["jwt", "saml"])
@pytest.mark.parametrize("name", NAMES)
def test_entry_that_is_shown_maps_the_claim(name: str, token: TokenFormat) -> None:
    """The entry of the warning, pasted into the policy, takes the claim into the token, and the warning is gone."""
    (warning,) = (each for each in judged(name, policy(), token).warnings if each.kind == "unmapped-claim")
    entry = json.loads(warning.message.partition("add the entry ")[2])
    mended = policy(entry)

    assert warning.message.isprintable()
    assert list(mended.apply({name: "x"}, token=token).values()) == ["x"]
    assert [kind for kind in kinds(judged(name, mended, token)) if kind not in {"blank-name", "mapping-space"}] == []


CONTENT = {"wrong-protocol", "duplicate-entry", "source-case", "misspelt-source"}
BOTH = [provided("a", JwtClaimType="a"), provided("a", SamlClaimType="urn:a")]
ENTRIES: list[tuple[str, TokenFormat, list[dict[str, str]], list[str]]] = [
    ("nothing but its name", "jwt", [provided("a")], []),
    ("SAML alone in an OpenID Connect app", "jwt", [provided("a", SamlClaimType="urn:a")], ["wrong-protocol"]),
    ("JWT alone in a SAML app", "saml", [provided("a", JwtClaimType="a")], ["wrong-protocol"]),
    ("no target in a SAML app", "saml", [provided("a")], ["wrong-protocol"]),
    ("a constant for the other protocol", "saml", [{"Value": "1", "JwtClaimType": "v"}], ["wrong-protocol"]),
    ("both targets", "saml", [provided("a", JwtClaimType="a", SamlClaimType="urn:a")], []),
    ("an entry for each protocol", "jwt", BOTH, []),
    ("an entry for each protocol, SAML", "saml", BOTH, []),
    ("one claim twice", "jwt", [provided("a", JwtClaimType="b"), provided("a", JwtClaimType="c")], ["duplicate-entry"]),
    ("one entry twice", "jwt", [provided("a"), provided("a")], ["duplicate-entry"]),
    (
        "one target twice",
        "jwt",
        [provided("a", JwtClaimType="c"), provided("b", JwtClaimType="c")],
        ["duplicate-entry"],
    ),
    ("a target of another source", "jwt", [provided("a"), {"Value": "1", "JwtClaimType": "a"}], ["duplicate-entry"]),
    ("names of two sources", "jwt", [provided("mail"), {"Source": "User", "ID": "mail", "JwtClaimType": "m"}], []),
    ("another case of a source of Entra", "jwt", [{"Source": "USER", "ID": "mail", "JwtClaimType": "m"}], []),
    ("another case", "jwt", [{"Source": "customclaimsprovider", "ID": "a"}], ["source-case"]),
    ("a source that nothing resembles", "jwt", [{"Source": "Mainframe", "ID": "a"}], ["misspelt-source"]),
]


@pytest.mark.parametrize(("token", "schema", "expected"), [row[1:] for row in ENTRIES], ids=[row[0] for row in ENTRIES])
def test_entry_that_does_not_do_what_it_says_is_a_warning(
    token: TokenFormat, schema: list[dict[str, str]], expected: list[str]
) -> None:
    """Wrong protocol, duplicates and sources are found by one function, and the judge shows what it finds."""
    mapping = policy(*schema)
    said = [warning.kind for warning in judge(reply_of(document({"a": "x"})), mapping=mapping, token=token).warnings]
    assert [warning.kind for warning in entry_warnings(mapping, token)] == expected
    assert [kind for kind in said if kind in CONTENT] == expected


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("CustomClaimProvider", "CustomClaimsProvider"),
        ("CustomClaimsProviders", "CustomClaimsProvider"),
        ("Custom Claims Provider", "CustomClaimsProvider"),
        ("custom_claims_provider", "CustomClaimsProvider"),
        ("CustomClaimsProvider ", "CustomClaimsProvider"),
        ("CustomClaimsProvidr", "CustomClaimsProvider"),
        ("Usr", "user"),
    ],
)
def test_misspelt_source_is_named_with_the_right_one(source: str, meant: str) -> None:
    """The claim gets no second warning as unmapped: correcting the source is all that it needs."""
    verdict = judged("a", policy({"Source": source, "ID": "a"}), "jwt")
    said = [warning.message for warning in verdict.warnings if warning.kind == "misspelt-source"]

    assert len(said) == 1
    assert said[0].endswith(f"write {meant}")
    assert repr(source) in said[0]
    assert ("unmapped-claim" in kinds(verdict)) == (meant == "user")


@pytest.mark.parametrize("token", ["jwt", "saml"])
def test_entry_has_the_member_of_the_protocol(token: TokenFormat) -> None:
    """JwtClaimType for a JSON Web Token, SamlClaimType for an assertion; a restricted name is replaced."""
    member = {"jwt": "JwtClaimType", "saml": "SamlClaimType"}[token]
    assert json.loads(entry_for("a", token)) == provided("a", **{member: "a"})
    assert json.loads(entry_for("groups", "jwt")) == provided("groups", JwtClaimType="custom_groups")
