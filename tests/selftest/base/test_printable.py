"""Text from elsewhere: tokens are replaced, nothing is obeyed by a terminal, and the cost is linear."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftest.base.printable import printable, redacted, visible
from tests.selftest.base.cost_ratio import cost_ratio

HEADER = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ"
CLAIMS = "eyJhdWQiOiJhIiwibmFtZSI6IkFkYSBTYW1wbGUifQ"
TOKEN = f"{HEADER}.{CLAIMS}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Bearer {TOKEN}, and", "Bearer $TOKEN, and"),
        (f"token={TOKEN}&x=1", "token=$TOKEN&x=1"),
        (f"prefix{TOKEN}", "prefix$TOKEN"),
        (f"{HEADER}.{CLAIMS}.", "$TOKEN"),
        (f"{HEADER}.{CLAIMS}", "$TOKEN"),
        (f"cut {HEADER}.{CLAIMS[:24]}", "cut $TOKEN"),
        (f"{HEADER}.key.iv.text.tag after", "$TOKEN after"),
        (f"{TOKEN} {TOKEN}", "$TOKEN $TOKEN"),
        ("keyJsonSerializer.cs line 3", "keyJsonSerializer.cs line 3"),
        ("apiKeyJsonOfTheApp", "apiKeyJsonOfTheApp"),
        ("eyJ. eyJshort.a.b", "eyJ. eyJshort.a.b"),
    ],
)
def test_tokens_are_replaced_and_words_are_not(text: str, shown: str) -> None:
    """Also a token whose signature, or part of whose claims, was cut off."""
    assert redacted(text) == shown


@given(st.text(), st.text(alphabet=" ,;=()[]\x1b\u202e\n", max_size=3))
def test_no_token_and_no_control_character_is_left(text: str, mark: str) -> None:
    """Whatever stands around it."""
    shown = printable(f"{text}{mark} {TOKEN}{mark} {text}")
    assert CLAIMS not in shown
    assert all(character.isprintable() or character == "\n" for character in shown)


@pytest.mark.parametrize("text", ["\x1b]0;owned\x07", "\x9b2J", "\u202e", "\u2066", "\ud800", "\ufffe", "\r", "\t"])
def test_what_a_terminal_obeys_is_written_out(text: str) -> None:
    """Escape sequences, direction marks, lone surrogates, characters that no XML may contain."""
    assert visible(f"a{text}b").isascii()


@pytest.mark.quiet
@pytest.mark.parametrize("piece", ["eyJ", "eyJabcdefgh", "eyJabcdefgh.", "a.", f"{HEADER}.{CLAIMS}", "\x1b"])
def test_cost_is_linear(piece: str) -> None:
    """Four times the text costs at most five times as much."""

    def make(size: int) -> Callable[[], str]:
        text = piece * (size // len(piece))
        return lambda: redacted(text)

    assert cost_ratio(make) <= 5
