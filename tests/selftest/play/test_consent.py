"""Consent: what needs it, who is asked, and what a no means."""

import io

import pytest

from selftest.base.loopback import is_this_machine
from selftest.play.consent import ConsentError, require_consent

ELSEWHERE = "https://claims.example/api/onTokenIssuanceStart?code=secret"
HERE = "http://127.0.0.1:7071/api"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:1", True),
        ("http://LOCALHOST.:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8", True),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
        ("http://10.0.0.1", False),
        ("https://claims.example", False),
    ],
)
def test_this_machine_is_a_loopback_address(url: str, here: bool) -> None:  # noqa: FBT001 - a table
    """A name that only looks like one is not."""
    assert is_this_machine(url) is here


@pytest.mark.parametrize(
    ("url", "options"),
    [
        (None, {"rate_per_s": 5000.0, "faults": True}),
        (HERE, {"rate_per_s": 5000.0}),
        (HERE, {"faults": True}),
        (ELSEWHERE, {"rate_per_s": 50.0}),
        (ELSEWHERE, {}),
    ],
)
def test_what_bothers_nobody_is_not_asked(url: str | None, options: dict[str, float]) -> None:
    """This machine may be loaded; others a little."""
    require_consent(url, yes=False, terminal=io.StringIO(), out=io.StringIO(), **options)  # type: ignore[arg-type] # a table


@pytest.mark.parametrize(
    ("options", "words"), [({"rate_per_s": 51.0}, "51 calls a second"), ({"faults": True}, "faults")]
)
def test_without_a_terminal_it_takes_the_flag(options: dict[str, float], words: str) -> None:
    """The refusal says to what and how to agree; it shows the host and no key."""
    with pytest.raises(ConsentError, match=rf"{words}.* for claims\.example, .*needs --yes") as caught:
        require_consent(ELSEWHERE, yes=False, terminal=io.StringIO("y\n"), out=io.StringIO(), **options)  # type: ignore[arg-type] # a table
    assert "secret" not in str(caught.value)
    require_consent(ELSEWHERE, yes=True, terminal=io.StringIO(), out=io.StringIO(), **options)  # type: ignore[arg-type] # a table


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_on_a_terminal_it_asks(answer: str, agreed: bool) -> None:  # noqa: FBT001 - a table
    """Only a yes is one."""
    out = Terminal()
    try:
        require_consent(ELSEWHERE, rate_per_s=100, yes=False, terminal=Terminal(answer), out=out)
    except ConsentError:
        assert not agreed
    else:
        assert agreed
    assert "Is it yours to test? [y/N]" in out.getvalue()
