"""The fixture ``sign_in``, against the endpoint of this checkout: what it gives for each user, setting and failure."""

from collections.abc import Callable

import pytest

from selftest.entra.payloads import UnknownVarietyError
from selftest.testing.loopback_api import LoopbackApi
from selftest.testing.outcome import SignInOutcome
from selftest.testing.users import USERS

type SignIn = Callable[..., SignInOutcome]
ROLES = ["Writer", "Editor"]


@pytest.mark.parametrize("user", USERS)
def test_every_kind_of_user_signs_in(sign_in: SignIn, user: str) -> None:
    """The sample provider answers for each of them, an app without a user included."""
    signed_in = sign_in(user)
    assert signed_in.minted
    assert (signed_in.code, signed_in.status, signed_in.attempts) == (None, 200, 1)
    assert signed_in.claims["CustomRoles"] == ROLES
    assert signed_in.token["CustomRoles"] == ROLES
    assert signed_in.line["outcome"] == "claims"
    assert signed_in.line["correlationId"] == signed_in.event["data"]["authenticationContext"]["correlationId"]


def test_members_of_the_user_can_be_changed(sign_in: SignIn) -> None:
    """The rest is the member's; None leaves a member out, and instead of a user there may be none."""
    changed = sign_in({"userType": "Guest", "mail": None}).event["data"]["authenticationContext"]["user"]
    assert (changed["userType"], changed["givenName"], "mail" in changed) == ("Guest", "Ada", False)
    assert sign_in(None).event["data"]["authenticationContext"]["user"] is None


def test_unknown_user_is_named_with_the_known_ones(sign_in: SignIn) -> None:
    """A misspelled name is no default."""
    with pytest.raises(UnknownVarietyError, match="unknown user 'gest'; the known ones are member, "):
        sign_in("gest")


def test_policy_decides_what_the_token_has(sign_in: SignIn) -> None:
    """The claims are what the app sent, and the token has what the policy maps."""
    entry = {"Source": "CustomClaimsProvider", "ID": "CustomRoles", "JwtClaimType": "my_roles"}
    signed_in = sign_in(mapping={"ClaimsMappingPolicy": {"Version": 1, "ClaimsSchema": [entry]}})
    assert signed_in.token["my_roles"] == ROLES
    assert "CustomRoles" not in signed_in.token
    assert "CustomRoles" in signed_in.claims


def test_settings_reach_the_app(sign_in: SignIn) -> None:
    """By their names; an app that is started again has them too."""
    assert sign_in(Claims__BudgetMs="1234").line["budget_ms"] == 1234
    assert sign_in(fresh=True, Claims__BudgetMs=1234).line["budget_ms"] == 1234


def test_failed_sign_in_has_code_and_line(sign_in: SignIn, loopback_api: LoopbackApi) -> None:
    """The line names what failed, and a failed assertion shows it."""
    loopback_api.fails("error")
    signed_in = sign_in(Claims__Provider="profile_api", Claims__ProfileApi__Url=loopback_api.url)
    assert not signed_in.minted
    assert (signed_in.code, signed_in.status, signed_in.claims, signed_in.token) == (1003002, 503, {}, {})
    assert signed_in.line["outcome"] == "downstream_status"
    assert "downstream_status" in repr(signed_in)
    assert "Ada" not in repr(signed_in)


def test_entras_retry_is_played(sign_in: SignIn, loopback_api: LoopbackApi) -> None:
    """The second attempt joins the work of the first; the line is that of the last attempt."""
    loopback_api.answers({"Role": "Reader"}, after_s=0.8)
    settings = {"Claims__Provider": "profile_api", "Claims__ProfileApi__Url": loopback_api.url}
    signed_in = sign_in(timeout_ms=500, retries=1, **settings)
    assert (signed_in.attempts, signed_in.minted, signed_in.line["joined"]) == (2, True, True)
    assert len(loopback_api.requests) == 1
    alone = sign_in(timeout_ms=500, **settings)
    assert (alone.attempts, alone.code) == (1, 1003005)


def test_app_that_does_not_start_fails_the_test_with_its_own_words(sign_in: SignIn) -> None:
    """No traceback of the tool stands around the app's message."""
    with pytest.raises(pytest.fail.Exception, match="Claims__BudgetMs") as failed:
        sign_in(Claims__BudgetMs="5")
    assert failed.value.pytrace is False
    assert "Traceback" not in str(failed.value)
