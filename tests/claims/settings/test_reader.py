"""The reader of settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.errors import SettingsError
from claims.settings.reader import SettingsReader

GUID = "AAAAAAAA-0000-4000-8000-000000000001"


def reader_of(**environ: str) -> SettingsReader:
    """A reader to which every name of the test is declared."""
    return SettingsReader(environ, [*"ABCDLMNRSTUV"])


def test_problems_are_raised_together() -> None:
    """Each problem starts with the setting's name, in order and once; what is beside a secret is not shown."""
    reader = reader_of(N="12x", M="0", U="http://h.example/", V="https://h.example/?code=hush", C="x", A=":b,c", B="y")
    assert reader.integer("N", 1, 1, 99) == -1
    reader.integer("M", 1, 1, 99, "seconds")
    reader.required("R")
    reader.check_url("S", "http://secret.example", secret=True)
    assert (reader.url("U", "https://d"), reader.url("V"), reader.url("D")) == ("", "", "")
    assert reader.choice("C", "fail", "omit", "stale") == "fail"
    assert reader.claim_names("A").pairs == ()
    reader.guid("B")
    reader.guid("B")
    with pytest.raises(SettingsError) as failed:
        reader.require_good()
    assert failed.value.problems == (
        "N must be 1 to 99, got '12x'",
        "M must be 1 to 99 seconds, got '0'",
        "R is required and is not set",
        "S must be https (http is for a loopback host, outside Azure)",
        "U must be https (http is for a loopback host, outside Azure), got 'http://h.example/'",
        "V must not have a query or a fragment",
        "D is required and is not set",
        "C must be fail, omit or stale, got 'x'",
        "A must be 'name' or 'source:claim', comma-separated, got ':b'",
        "B must be a GUID, got 'y'",
    )
    assert str(failed.value).startswith("invalid settings (10 errors):\n  - N must")
    assert str(SettingsError(("X", "X"))) == "invalid settings (1 error):\n  - X"


def test_good_settings_pass() -> None:
    """Values come stripped and typed; a missing one is its default."""
    reader = reader_of(
        T=" x ", L="a, ,b", N="12", U=" HTTPS://D.example:443/ ", C="OMIT", A="x.y:z", B=GUID, M=f"{GUID},"
    )
    assert (reader.text("T"), reader.text("D", "d"), reader.items("L")) == ("x", "d", ("a", "b"))
    assert (reader.integer("N", 1, 1, 99), reader.integer("D", 7, 1, 99)) == (12, 7)
    assert (reader.url("U"), reader.url("D", "https://d/")) == ("https://d.example", "https://d")
    assert (reader.choice("C", "fail", "omit"), reader.choice("D", "fail", "omit")) == ("omit", "fail")
    assert reader.claim_names("A").pairs == (("x.y", "z"),)
    assert (reader.guid("B"), reader.guid("D"), reader.guids("M")) == (GUID.lower(), "", frozenset({GUID.lower()}))
    assert not reader.in_azure
    reader.require_good()


def test_http_is_refused_in_azure() -> None:
    """On loopback too."""
    reader = reader_of(WEBSITE_SITE_NAME="x", U="http://127.0.0.1:1")
    assert reader.url("U") == ""
    assert "outside Azure" in reader.problems[0]


@given(st.text())
def test_any_url_is_good_or_a_problem(text: str) -> None:
    """No text in the place of a URL raises anything."""
    reader = reader_of(U=text)
    assert bool(reader.url("U")) != bool(reader.problems)


def test_a_name_that_is_not_declared_cannot_be_read() -> None:
    """The mistake shows at the first start, whether or not the setting is set."""
    for environ in ({}, {"Claims__X": "1"}):
        with pytest.raises(SettingsError, match="Claims__X is read, but"):
            SettingsReader(environ, ()).text("Claims__X")
