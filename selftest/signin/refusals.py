"""The errors with which a sign-in is refused, by the names that they have in ``refusals.toml``."""

import tomllib
from pathlib import Path
from typing import Any, Final

from selftest.entra.oauth_error import OAuthError

REFUSALS: Final[dict[str, dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("refusals.toml").read_text(encoding="utf-8")
)


def refused(name: str, /, **values: object) -> OAuthError:
    """Return the error with this name, whose text has these values in the place of their names in braces."""
    members = dict(REFUSALS[name])
    return OAuthError(members.pop("error"), members.pop("text").format(**values), **members)
