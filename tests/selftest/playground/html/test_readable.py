"""What came over the wire, laid out and cut."""

import pytest

from selftest.playground.html.readable import body_text, cut, header_lines, value_text
from tests.selftest.playground.html.test_timing import attempt


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"a":["\xc3\xa9"]}', '{\n  "a": [\n    "é"\n  ]\n}'),
        (b"<h1>no</h1>", "<h1>no</h1>"),
        (b"\xff{", "\\xff{"),
        (b"[" * 5000, "[" * 5000),  # too deep to lay out
    ],
)
def test_a_body_is_laid_out_where_it_is_json(body: bytes, text: str) -> None:
    """Everything else is shown as it came."""
    assert body_text(body) == text


def test_what_is_long_is_cut_and_says_so() -> None:
    """The rest is counted; four megabytes are not laid out."""
    assert cut("x" * 8_010).endswith("x\n... and 10 more")
    huge = body_text(b'{"a":"' + b"x" * 4_000_000 + b'"}')
    assert len(huge) < 9_000
    assert huge.endswith("... and 3992008 more")


def test_a_value_that_is_no_text_is_json() -> None:
    """Text needs no quotes."""
    assert (value_text("a"), value_text(["a", 1])) == ("a", '["a", 1]')


def test_headers_keep_their_order_and_are_cut() -> None:
    """Each on its line."""
    assert header_lines(attempt(1, timing="x" * 600)) == ["Server-Timing: " + "x" * 500]
