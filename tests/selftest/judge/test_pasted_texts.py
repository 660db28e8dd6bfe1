"""Texts that people paste without a number are recognized by what they say."""

import json

import pytest

from selftest.cli import main
from selftest.commands.explain import SYMPTOMS
from selftest.judge.codes import CODES
from selftest.judge.ids_in_text import codes_meant_by
from tests.checkout import ROOT


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CustomExtensionTimedOut", "1003005"),
        ('"errorCode": "customextensioninvalidhttpstatus", attempts', "1003002"),
        (
            "This application is required to be configured with an application-specific signing key. It is either not",
            "AADSTS50146",
        ),
        ("Non-retryable error has occurred.", "AADSTS1100001"),
        ("AcceptMappedClaims is only supported for a token audience matching the application GUID", "AADSTS501461"),
        (
            "Your administrator has configured the application x to block users\nunless they are specifically granted",
            "AADSTS50105",
        ),
        ("The signed in user 'x' is not assigned to a role for the application '1'(y).", "AADSTS50105"),
        ("Application '1'(y) is disabled.", "AADSTS7000112"),
        ("There is a problem with the service.", "AADB2C90063"),
        ("Application with identifier 'x' was not found in the directory 'y'.", "AADSTS700016"),
        ("The resource principal named x was not found in the tenant", "AADSTS500011"),
        ("Invalid client secret provided. Ensure the secret being sent is the client secret value", "AADSTS7000215"),
        ("must contain the following parameter: 'client_assertion' or 'client_secret'.", "AADSTS7000218"),
        ("OAuth2 Authorization code was already redeemed, please retry", "AADSTS54005"),
        ("The redirect URI 'x' specified in the request does not match the redirect URIs configured", "AADSTS50011"),
        ("Proof Key for Code Exchange is required for cross-origin authorization code redemption.", "AADSTS9002325"),
    ],
)
def test_text_is_recognized(text: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By the code's name or by its wording, in any case and over line breaks."""
    assert codes_meant_by(text, CODES) == (code,)
    assert main(["explain", text]) == 0
    assert capsys.readouterr().out.startswith(f"{code}  ")


def test_number_wins_over_wording(capsys: pytest.CaptureFixture[str]) -> None:
    """A text that names a code means that one."""
    assert main(["explain", "AADSTS50105: Non-retryable error"]) == 0
    assert "AADSTS1100001  " not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('"errorCode": 1100001,', "AADSTS1100001"),
        ('{"errorCode":1100001,"correlationId":"0c000000-0000-4000-8000-000000000004"}', "AADSTS1100001"),
        ("Sign-in error code: 1100001 Failure reason: Other", "AADSTS1100001"),
        ("1100001 Non-retryable", "AADSTS1100001"),
        ("50146: This app needs a key", "AADSTS50146"),
        ('{"error":"server_error","error_codes":[1100001]}', "AADSTS1100001"),
        ("ResultType : 50146", "AADSTS50146"),
        ("error 50105", "AADSTS50105"),
        ("AADSTS 1100001", "AADSTS1100001"),
        ("AADST1100001", "AADSTS1100001"),
        ("AADSTS\u00a050146", "AADSTS50146"),
        ("10030\u200b05", "1003005"),
        ("1\u202f003\u00a0005", "1003005"),
        ("\ufeff1003005", "1003005"),
        ("Non retryable error", "AADSTS1100001"),
        ("nonretryable error", "AADSTS1100001"),
        ("Non\u2011retriable error", "AADSTS1100001"),
        ("the custom extension timed out", "1003005"),
    ],
)
def test_code_is_found_where_the_text_names_it(text: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As logs, portals, libraries and mails write it."""
    assert main(["explain", text, "--json"]) == 0
    out, err = capsys.readouterr()
    assert [entry["id"] for entry in json.loads(out)] == [code]
    assert err == ""


@pytest.mark.parametrize(
    "text",
    [
        "listening on port 50011",
        "http://localhost:50011/api",
        "50011 bytes were sent",
        "postal code 50011",
        "16000 MB",
        "16000 users, 50011 sign-ins",
        "exit code 16000",
        "error 2026-01-02T10:11:12Z",
        "the year 2026",
    ],
)
def test_number_that_nothing_names_is_no_code(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A port, a count, a size, a year."""
    assert main(["explain", text]) == 2
    assert capsys.readouterr().out == ""


def test_word_like_a_check_is_one_where_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    """In lower case it may be anything else."""
    assert main(["explain", "fail t10: in room b99, AADSTS50146", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [entry["id"] for entry in json.loads(out)] == ["T10", "AADSTS50146"]
    assert err == ""


def test_known_number_without_a_name_has_its_command_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The reader knows whether it is a code."""
    assert main(["explain", "what does 1100001 mean"]) == 2
    assert "if 1100001 is a code of Entra: `explain 1100001`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("HTTP 404", "`explain 1003002`, or the section 'No token and a generic error'"),
        ("status: 401", "Called but refused"),
        ("a token without claim", "Token without the claim"),
        ("the call timed out", "Slow sometimes"),
        ("something else", "leads from a symptom"),
    ],
)
def test_text_without_a_code_leads_to_the_page(text: str, section: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No id that only resembles a word of it, and nothing of the text."""
    assert main(["explain", text]) == 2
    err = capsys.readouterr().err
    assert section in err
    assert "similar" not in err
    assert text not in err


def test_sections_are_on_the_page() -> None:
    """Each named section is a heading."""
    headings = (ROOT / "docs" / "troubleshooting.md").read_text().splitlines()
    assert {f"## {section}" for _, section, _ in SYMPTOMS} <= set(headings)


@pytest.mark.parametrize("text", ["an error", "the token is late", "is disabled", "x" * 100_000, "\x1b[2J"])
def test_other_texts_mean_nothing(text: str) -> None:
    """No guess."""
    assert codes_meant_by(text, CODES) == ()


def test_no_phrase_is_of_two_codes() -> None:
    """Each phrase is lower case, and leads to one code."""
    for code, entry in CODES.items():
        for phrase in entry.says:
            assert phrase == phrase.lower()
            assert codes_meant_by(phrase, CODES) == (str(code),)


@pytest.mark.parametrize(("typed", "meant"), [("provider_lat", "provider_late"), ("Audiense", "audience")])
def test_a_mistyped_outcome_has_its_neighbours_named(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Like a check's id and a code of Entra's."""
    assert main(["explain", typed]) == 2
    assert f"similar: {meant}" in capsys.readouterr().err
