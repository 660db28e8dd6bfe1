"""The errors with which a sign-in is refused, by the names that they have in ``refusals.toml``."""

from typing import Any, Final

from selftest.entra.oauth_error import OAuthError
from selftest.judge.texts import own_table

REFUSALS: Final[dict[str, dict[str, Any]]] = own_table(__file__)


def refused(name: str, /, **values: object) -> OAuthError:
    """Return the error with this name, whose text has these values in the place of their names in braces."""
    members = dict(REFUSALS[name])
    return OAuthError(members.pop("error"), members.pop("text").format(**values), **members)
