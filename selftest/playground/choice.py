"""What the page's form asks for, read against the tenant: nothing that is not on offer gets further than this."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from selftest.base.cannot_run import CannotRun
from selftest.playground.faults import NONE, TROUBLES, Trouble
from selftest.signin.tenant.directory import App, Directory, Person

type OnFailure = Literal["fail", "omit", "stale"]

POLICIES: Final[tuple[OnFailure, ...]] = get_args(OnFailure.__value__)
#: The one provider that asks the emulated downstream, which is what can fail there.
DOWNSTREAM_PROVIDER: Final = "profile_api"


class ChoiceError(CannotRun):
    """Raised when a form asks for what is not on offer; the message names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One sign-in to play.

    Attributes:
        person: who.
        app: to which app.
        api: for which API there is to be an access token; None: for the app alone.
        trouble: what goes wrong.
        provider: which provider answers; None leaves it to the app, or to an endpoint elsewhere.
        preferred: the provider that was asked for; a fault of the downstream needs the one that asks it.
        on_failure: what the endpoint does when its provider fails.
    """

    person: Person
    app: App
    api: App | None
    trouble: Trouble
    provider: str | None
    preferred: str | None
    on_failure: OnFailure

    @property
    def scope(self) -> str:
        """Write the scope that the app asks for."""
        mine = "openid profile email"
        return mine if self.api is None else f"{mine} {self.api.application_id_uri}/.default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What can be chosen.

    Attributes:
        directory: users and apps.
        providers: names; empty where the endpoint's settings are not ours.
        provider: the one that answers if none is chosen.
        on_failure: the same for the policy.
        local: whether the endpoint and what it depends on are ours to change.
    """

    directory: Directory
    providers: Collection[str]
    provider: str | None
    on_failure: OnFailure
    local: bool

    @property
    def apps(self) -> list[App]:
        """List the apps that people sign in to; a registration that stands for an endpoint is none."""
        endpoints = {extension.audience.key for extension in self.directory.extensions}
        return [app for app in self.directory.apps if app.key not in endpoints]

    @property
    def apis(self) -> list[App]:
        """List the apps that publish permissions."""
        return [app for app in self.apps if app.application_id_uri is not None]

    def first(self) -> Choice:
        """Give what the form shows before anybody has chosen."""
        return self.read({})

    def read(self, form: Mapping[str, str]) -> Choice:
        """Read a form; what is left out is the first of its list.

        Raises:
            ChoiceError: It asks for what is not there.
        """
        people = {person.key: person for person in self.directory.people}
        trouble = _one_of("fault", form.get("fault", NONE), TROUBLES)
        provider = preferred = form.get("provider") or self.provider
        if provider is not None and provider not in self.providers:
            raise ChoiceError(f"provider: there is no {provider!r} here")
        if trouble.kind == "downstream":
            if not self.local:
                raise ChoiceError("fault: what an endpoint elsewhere depends on is not ours to make fail")
            provider = DOWNSTREAM_PROVIDER
        api = form.get("api", "")
        return Choice(
            person=_one_of("user", form.get("user") or next(iter(people)), people),
            app=_one_of("app", form.get("app") or self.apps[0].key, {app.key: app for app in self.apps}),
            api=_one_of("api", api, {app.key: app for app in self.apis}) if api else None,
            trouble=trouble,
            provider=provider,
            preferred=preferred,
            on_failure=read_policy(form.get("on_failure") or self.on_failure),
        )


def read_policy(given: str) -> OnFailure:
    """Read ``Claims__OnFailure``.

    Raises:
        ChoiceError: It is none of the three.
    """
    return _one_of("on_failure", given, {policy: policy for policy in POLICIES})


def _one_of[Known](field: str, given: str, known: Mapping[str, Known]) -> Known:
    if given not in known:
        raise ChoiceError(f"{field}: there is no {given[:60]!r} here")
    return known[given]
