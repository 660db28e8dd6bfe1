"""What an error shows: the type and the place, never the message."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any, cast

import pytest

from claims.endpoint import Endpoint
from claims.errors import SettingsError, place_of
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.settings.authority import Authority
from claims.token.keys import SigningKeys
from tests.claims.site import AUTHORITY, TENANT_ID, Clock, Site, settings


def _raise() -> None:
    raise LookupError("someone@example.com")


def _calls(file: str, call: Callable[[], None]) -> Callable[[], None]:
    """Return a function of that file, which calls another one in its second line."""
    names: dict[str, Any] = {"call": call}
    exec(compile("def called():\n    return call()\n", file, "exec"), names)  # noqa: S102 (a module of the test)
    return cast("Callable[[], None]", names["called"])


_MINE = "/app/claims/providers/mine.py"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ([_MINE], "claims/providers/mine.py:2"),
        ([_MINE, "/app/claims/wire/fetch.py", "/usr/lib/python3/json.py"], "claims/providers/mine.py:2"),
        ([_MINE, "/app/helpers/h.py"], "helpers/h.py:2"),
        ([_MINE, "/app/claims/providers/shared/h.py", "/app/function_app.py"], "claims/providers/shared/h.py:2"),
        ([_MINE, "/app/.python_packages/lib/site-packages/x/providers/a.py"], "claims/providers/mine.py:2"),
        ([_MINE, '/app/helpers/o\x1b"o.py'], "helpers/o?'o.py:2"),
    ],
)
def test_place_is_the_last_line_of_the_developer(monkeypatch: pytest.MonkeyPatch, files: list[str], place: str) -> None:
    """What a library or the endpoint's own module raises is shown at the developer's line that called it."""
    monkeypatch.setattr("claims.errors._APP", PurePath("/app"))
    call = _calls("/usr/lib/python3/library.py", _raise)
    for file in reversed(files):
        call = _calls(file, call)
    with pytest.raises(LookupError) as caught:
        call()
    shown = place_of(caught.value.with_traceback(caught.value.__traceback__ and caught.value.__traceback__.tb_next))
    assert shown == f"LookupError at {place}"


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
        (LookupError("someone@example.com"), "LookupError at tests/claims/test_errors.py"),
    ],
    ids=["too large", "raises"],
)
def test_default_claims_that_cannot_be_sent_stop_the_start(default: object, why: str, clock: Clock) -> None:
    """``omit`` must be able to send them later, so the setting is at fault now."""
    keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], Site(), clock=clock, sleep=clock.sleep)
    with pytest.raises(SettingsError, match=f"^invalid settings .*\n.*Claims__OnFailure=omit .*{why}") as failed:
        Endpoint(settings(Claims__OnFailure="omit"), keys, _Defaults(default))
    assert "someone" not in str(failed.value)
