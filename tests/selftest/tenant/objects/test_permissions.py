"""Missing permissions are named together and before anything is written; unneeded ones are not requested."""

from collections.abc import Iterable

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.tenant.graph.token_permissions import TokenPermissions
from selftest.tenant.objects.permissions import REMOVAL, NeededRequest, require_reading, require_writing, scopes

EVERYTHING = {
    "AppRoleAssignment.ReadWrite.All",
    "Application.Read.All",
    "Application.ReadWrite.All",
    "CustomAuthenticationExtension.ReadWrite.All",
    "EventListener.ReadWrite.All",
    "Policy.ReadWrite.ApplicationConfiguration",
}
CONSENT = NeededRequest("POST", "/servicePrincipals/x/appRoleAssignments")


def held(names: Iterable[str], *, delegated: bool = True) -> TokenPermissions:
    """Return a token's permissions."""
    return TokenPermissions(granted=frozenset(names), delegated=delegated)


def test_a_person_is_asked_for_what_the_phases_need() -> None:
    """Least privileged, and only what a person can have."""
    assert set(scopes("ABCD")) == EVERYTHING
    assert set(scopes("AB")) == {"AppRoleAssignment.ReadWrite.All", "Application.Read.All", "Application.ReadWrite.All"}
    assert not any(name.startswith("AppRoleAssignment") for name in scopes("ABCD", writing=REMOVAL))
    status = set(scopes("ABCD", writing=()))
    assert {"CustomAuthenticationExtension.Read.All", "EventListener.Read.All", "Policy.Read.All"} < status


def test_all_that_is_missing_is_named_at_once() -> None:
    """If reading is refused, the permissions for writing are named too, so that an administrator is asked once."""
    with pytest.raises(CannotRun) as caught:
        require_reading(held({"Application.ReadWrite.All"}), "ABCD")
    text = str(caught.value)
    for name in EVERYTHING - {"Application.Read.All", "Application.ReadWrite.All"}:
        assert name in text
    assert "nothing was written" in text
    assert "The Azure CLI's token cannot have those for extension and listener" in text
    assert "--credential browser, or device-code" in text


def test_only_needed_writes_have_to_be_allowed() -> None:
    """Once somebody else has consented, the right to consent is not needed."""
    without = held(EVERYTHING - {"AppRoleAssignment.ReadWrite.All"})
    require_reading(without, "ABCD")
    require_writing(without, [])
    with pytest.raises(CannotRun, match=r"AppRoleAssignment\.ReadWrite\.All"):
        require_writing(without, [CONSENT])


def test_an_application_may_own_what_it_created() -> None:
    """The permission for owned objects covers the endpoint's, and not the applications of others."""
    owner = held({"Application.ReadWrite.OwnedBy"}, delegated=False)
    require_writing(owner, [NeededRequest("PATCH", "/applications/x")])
    with pytest.raises(CannotRun, match=r"(?s)Application.ReadWrite.All.*Grant them to the application"):
        require_writing(owner, [NeededRequest("PATCH", "/applications/x", of_others=True)])
    with pytest.raises(CannotRun):
        require_writing(held({"Application.ReadWrite.OwnedBy"}), [NeededRequest("PATCH", "/applications/x")])


def test_a_token_that_cannot_be_read_is_let_through() -> None:
    """Graph decides then."""
    opaque = TokenPermissions(granted=None)
    require_reading(opaque, "ABCD")
    require_writing(opaque, [CONSENT])
