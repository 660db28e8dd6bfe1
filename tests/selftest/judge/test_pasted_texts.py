"""Texts that people paste without a number are recognized by what they say."""

import pytest

from selftest.cli import main
from selftest.judge.codes import CODES
from selftest.judge.ids_in_text import codes_meant_by


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
