"""The kinds of user that a test can sign in: the documented ones, and some that a provider is seldom tried with."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from selftest.base.sample_tenant import Tenant
from selftest.entra.payloads import VARIETIES, UnknownVarietyError, Variety, variety

_OURS: Final = "ours: allowed by entra-docs custom-claims-provider-reference.md, and shown in no sample"
_NAME_CHARACTERS: Final = 64
_LONG: Final = 256
_MEMBER: Final = variety("member")


def _changed(user: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in {**user, **changes}.items() if value is not None}


def _nobody(_: Tenant) -> None:
    return None


def _only_id(tenant: Tenant) -> dict[str, Any]:
    return {"id": _member(tenant)["id"]}


def _long_names(tenant: Tenant) -> dict[str, Any]:
    names = {"givenName": "A" * _NAME_CHARACTERS, "surname": "B" * _NAME_CHARACTERS, "displayName": "C" * _LONG}
    return _changed(_member(tenant), {**names, "companyName": "D" * _NAME_CHARACTERS})


def _other_scripts(tenant: Tenant) -> dict[str, Any]:
    names = {"givenName": "Ада", "surname": "O'Reilly-Ægir", "displayName": '王 "Ada" مثال 🙂'}
    return _changed(_member(tenant), names)


def _member(tenant: Tenant) -> dict[str, Any]:
    return _MEMBER.user(tenant) or {}


#: By name; ``no-user`` is a sign-in of an app as itself.
USERS: Final[Mapping[str, Variety]] = {
    **{known.id: known for known in VARIETIES},
    "no-user": Variety(id="no-user", title="an app without a user", source=_OURS, user=_nobody),
    "only-id": Variety(id="only-id", title="a user of whom only the id is known", source=_OURS, user=_only_id),
    "long-names": Variety(id="long-names", title="a member with the longest names", source=_OURS, user=_long_names),
    "other-scripts": Variety(
        id="other-scripts", title="a member whose names are not ASCII", source=_OURS, user=_other_scripts
    ),
}


def user_of(who: str | Mapping[str, object] | None) -> Variety:
    """Return a kind of user.

    Args:
        who: A name in `USERS`; or members of the event's user that differ from those of the member, where None leaves
            one out; or None for no user.

    Raises:
        UnknownVarietyError: The name is unknown; the message lists the known ones.
    """
    if isinstance(who, Mapping):
        return replace(_MEMBER, user=lambda tenant: _changed(_member(tenant), who))
    name = "no-user" if who is None else who
    if name not in USERS:
        raise UnknownVarietyError(f"unknown user {name!r}; the known ones are {', '.join(USERS)}")
    return USERS[name]
