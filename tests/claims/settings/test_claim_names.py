"""Which members become claims."""

import pytest

from claims.settings.claim_names import ClaimNames


def test_all() -> None:
    """An empty text takes everything, in a copy."""
    members = {"a": 1}
    assert ClaimNames.parse(" , ").select(members) == members
    assert (ClaimNames().sources, ClaimNames().claims) == ((), frozenset())


def test_any_claim_name_is_accepted() -> None:
    """Restricted names are a rule of the claims mapping policy's target, not of the reply."""
    names = ClaimNames.parse("groups, roles, mail:email, a:xms_b, oid")
    assert names.claims == {"groups", "roles", "email", "xms_b", "oid"}


def test_paths_go_into_objects() -> None:
    """A dot goes one object deeper, unless a member has that very name; the claim is the last part."""
    names = ClaimNames.parse("a.b.c, a.b.d:D, x.y, x.z, s.t")
    members = {"a": {"b": {"c": 1, "d": 2}}, "x.y": 3, "s": "text"}
    assert names.select(members) == {"c": 1, "D": 2, "y": 3, "z": None, "t": None}
    assert names.sources == ("a", "x", "s")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (":claim", "'name' or 'source:claim'"),
        ("name:", "'name' or 'source:claim'"),
        ("a.", "'name' or 'source:claim'"),
        ("a,b:a", "'a' twice"),
    ],
)
def test_refuses(text: str, why: str) -> None:
    """A mistake is reported at the start, not at a sign-in."""
    with pytest.raises(ValueError, match=why):
        ClaimNames.parse(text)
