"""What an error shows: the type and the place, never the message."""

import pytest

from claims.endpoint import Endpoint
from claims.errors import SettingsError, place_of
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.settings.authority import Authority
from claims.token.keys import SigningKeys
from tests.claims.site import AUTHORITY, TENANT_ID, Clock, Site, settings


def _raised(call: object) -> BaseException:
    # As a module in a provider's folder, which calls a library.
    names: dict[str, object] = {"call": call}
    exec(compile("def provide():\n    return call()\n", "/app/claims/providers/mine.py", "exec"), names)  # noqa: S102 (a module of the test)
    provide = names["provide"]
    assert callable(provide)
    with pytest.raises(Exception, match="someone") as caught:
        provide()
    return caught.value


def _library() -> None:
    raise LookupError("someone@example.com")


def test_place_is_the_last_line_of_the_provider() -> None:
    """What a library raises is shown at the line of the provider that called it."""
    assert place_of(_raised(_library)) == "LookupError at mine.py:2"


class _Defaults:
    """A provider whose default claims are what a test says."""

    def __init__(self, default: object) -> None:
        self._default = default

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> dict[str, object]:
        """Return no claims."""
        del event, context
        return {}

    def default_claims(self) -> dict[str, object]:
        """Return the defaults, or raise them."""
        if isinstance(self._default, Exception):
            raise self._default
        return {"a": self._default}


@pytest.mark.parametrize(
    ("default", "why"),
    [
        ("x" * 4000, "at most 3000 bytes, got 4001"),
        (LookupError("someone@example.com"), "LookupError at test_errors.py"),
    ],
    ids=["too large", "raises"],
)
def test_default_claims_that_cannot_be_sent_stop_the_start(default: object, why: str, clock: Clock) -> None:
    """``omit`` must be able to send them later, so the setting is at fault now."""
    keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], Site(), clock=clock, sleep=clock.sleep)
    with pytest.raises(SettingsError, match=f"^invalid settings .*\n.*Claims__OnFailure=omit .*{why}") as failed:
        Endpoint(settings(Claims__OnFailure="omit"), keys, _Defaults(default))
    assert "someone" not in str(failed.value)
