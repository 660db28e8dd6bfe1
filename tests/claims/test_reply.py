"""The reply: the documented shape, values by the stated rule, size by the stated limit."""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.contract import SAFE_CLAIMS_BYTES, claims_size_bytes
from claims.errors import ProviderFailed
from claims.reply import build_reply

GUID = "99999999-9999-4999-8999-999999999999"


class _Name(str):
    """Text of a library's own kind."""

    __slots__ = ()


class _Colour(Enum):
    RED = "red"


class _Level(IntEnum):
    HIGH = 3


class _Role(StrEnum):
    WRITER = "Writer"


def _claims(provided: dict[Any, object]) -> dict[str, object]:
    document = json.loads(build_reply(provided).body)
    claims = document["data"]["actions"][0]["claims"]
    assert isinstance(claims, dict)
    return claims


def test_documented_shape() -> None:
    """Exactly the documented members, in one action."""
    assert json.loads(build_reply({"CustomRoles": ["Writer"], "Name": "x"}).body) == {
        "data": {
            "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData",
            "actions": [
                {
                    "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken",
                    "claims": {"CustomRoles": ["Writer"], "Name": "x"},
                }
            ],
        }
    }


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("text", "text"),
        (_Name("text"), "text"),
        ("", ""),
        ("Zoë \N{GRINNING FACE}", "Zoë \N{GRINNING FACE}"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (-(10**20), "-" + "1" + "0" * 20),
        (1.5, "1.5"),
        (Decimal("2.50"), "2.50"),
        (UUID(GUID), GUID),
        (date(2000, 1, 2), "2000-01-02"),
        (time(3, 4, 5), "03:04:05"),
        (datetime(2000, 1, 2, 3, 4, 5, tzinfo=UTC), "2000-01-02T03:04:05+00:00"),
        (datetime(2000, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2000-01-02T03:04:05+02:00"),
        (_Colour.RED, "red"),
        (_Level.HIGH, "3"),
        (_Role.WRITER, "Writer"),
        ([], []),
        (["a", 1, None, True], ["a", "1", "true"]),
        (("b", "a"), ["b", "a"]),
        ({"b", "a"}, ["a", "b"]),
        (frozenset({2}), ["2"]),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_values(value: object, sent: object) -> None:
    """Each kind of value by the stated rule."""
    assert _claims({"Claim": value}) == {"Claim": sent}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"a": 1}, "claim_value"),
        ([["a"]], "claim_value"),
        ([{"a": 1}], "claim_value"),
        (b"bytes", "claim_value"),
        (float("nan"), "claim_value"),
        (float("inf"), "claim_value"),
        (Decimal("NaN"), "claim_value"),
        (Decimal("sNaN"), "claim_value"),
        (10**5000, "claim_value"),
        (-(10**5000), "claim_value"),
        (datetime(2000, 1, 2), "claim_value"),  # noqa: DTZ001 (the mistake under test)
        (object(), "claim_value"),
        ("\ud800", "claims_unicode"),
        (["\udfff"], "claims_unicode"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_refused_values(value: object, code: str) -> None:
    """What has no string form is a mistake of the provider; the detail names the claim and not the value."""
    with pytest.raises(ProviderFailed) as failed:
        build_reply({"Claim": value}, frozenset({"Claim"}))
    assert failed.value.code == code
    assert "Claim" in failed.value.detail or code == "claims_unicode"


def test_null_and_nameless_are_dropped() -> None:
    """None as a value and blank names are left out, and the log can say so."""
    reply = build_reply({"Kept": "x", "Gone": None, "": "y", " ": "z"}, frozenset({"Gone"}))
    assert reply.dropped == ("Gone", "...", " ...")
    assert b"Kept" in reply.body
    assert b"Gone" not in reply.body


def test_names_from_a_data_source_are_shown_shortened_and_few() -> None:
    """A broken data source can put addresses where names belong: the log shows few of them, and none whole."""
    reply = build_reply({f"someone{number}@example.com": None for number in range(1000)})
    assert reply.dropped == ("someone0...", "someone1...", "someone2...", "and 997 more")
    with pytest.raises(ProviderFailed) as failed:
        build_reply({f"someone{number}@example.com": "x" for number in range(1000)})
    assert "@" not in failed.value.detail
    with pytest.raises(ProviderFailed, match=r"^claim_value: jan\.\.\.: a value of type object"):
        build_reply({"jan@x": object()})


def test_no_claims_is_an_answer() -> None:
    """An empty mapping is a user without claims."""
    assert _claims({}) == {}


@pytest.mark.parametrize("name", ["groups", "roles", "email", "iss", "xms_anything", "extn.dateOfBirth", "Roles"])
def test_any_name_is_sent(name: str) -> None:
    """What a token may carry is a rule of the mapping policy's target; names keep their case."""
    assert _claims({name: "x"}) == {name: "x"}


@pytest.mark.parametrize("provided", [[], None, "text"])
def test_not_a_mapping(provided: Any) -> None:
    """A provider that returns something else."""
    with pytest.raises(ProviderFailed, match="claims_shape"):
        build_reply(provided)


def test_name_that_is_no_string() -> None:
    """A name that JSON could not carry."""
    with pytest.raises(ProviderFailed, match="claim_name"):
        build_reply({7: "x"})  # type: ignore[dict-item] # the mistake under test


@pytest.mark.parametrize("character", ["a", "é", "\N{GRINNING FACE}"])
def test_size_limit_counts_bytes(character: str) -> None:
    """Exactly the limit is sent; one byte more fails and the largest claims are named."""
    width = len(character.encode())
    fill = character * ((SAFE_CLAIMS_BYTES - 4) // width)
    pad = "x" * (SAFE_CLAIMS_BYTES - 4 - len(fill.encode()))
    assert build_reply({"Name": fill + pad}).claims_bytes == SAFE_CLAIMS_BYTES
    with pytest.raises(ProviderFailed, match=r"claims_size: at most 3000 bytes, got 3001: Name 3001"):
        build_reply({"Name": fill + pad + "x"}, frozenset({"Name"}))


@given(
    claims=st.dictionaries(
        st.text(min_size=1, max_size=10).map(lambda name: "Claim" + name),
        st.text(max_size=20) | st.lists(st.text(max_size=10), max_size=3) | st.integers() | st.booleans() | st.dates(),
        max_size=5,
    )
)
def test_every_reply_is_strings(claims: dict[str, object]) -> None:
    """Whatever goes in, what leaves is UTF-8 JSON with strings and arrays of strings, and the size is right."""
    try:
        reply = build_reply(claims)
    except ProviderFailed as error:
        assert error.code == "claims_unicode"
        return
    sent = json.loads(reply.body.decode())["data"]["actions"][0]["claims"]
    assert all(isinstance(value, str) or all(isinstance(item, str) for item in value) for value in sent.values())
    assert reply.claims_bytes == claims_size_bytes(sent) <= SAFE_CLAIMS_BYTES
