"""What the token endpoint's refusals mean for this test, a line each, from ``token_errors.toml``."""

from typing import Final

from selftest.judge.texts import own_table

_ERRORS: Final[dict[str, str]] = own_table(__file__)


def meaning_of_error(number: int | None) -> str:
    """Return what a refusal means and what to do; a general text for an unusual number."""
    if number is None:
        return "the reply has no AADSTS code: something other than Entra answered, or the URL is wrong"
    return _ERRORS.get(str(number), "not a usual code for this request: look it up in Microsoft's list of AADSTS codes")
