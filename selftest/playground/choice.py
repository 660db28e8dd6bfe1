"""The choice that the page's form posts, validated against the available options."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from selftest.base.cannot_run import CannotRun
from selftest.playground.faults import FAULT_OPTIONS, NONE, FaultOption
from selftest.signin.tenant.directory import App, Directory, Person

type OnFailureSetting = Literal["fail", "omit", "stale"]

ON_FAILURE_SETTINGS: Final[tuple[OnFailureSetting, ...]] = get_args(OnFailureSetting.__value__)
#: The only provider that calls the emulated downstream, and so the only one with downstream faults.
DOWNSTREAM_PROVIDER: Final = "profile_api"


class ChoiceError(CannotRun):
    """Raised for a choice that is not available; the message names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One sign-in to play.

    Attributes:
        api: The API for which an access token is requested; None for the app alone.
        provider: The provider that answers; None leaves it to the app or to an endpoint elsewhere.
        preferred: The provider in the form; a downstream fault requires `DOWNSTREAM_PROVIDER` instead.
        on_failure: What the endpoint does when its provider fails.
    """

    person: Person
    app: App
    api: App | None
    fault: FaultOption
    provider: str | None
    preferred: str | None
    on_failure: OnFailureSetting

    @property
    def scope(self) -> str:
        """Return the scope that the app requests."""
        mine = "openid profile email"
        return mine if self.api is None else f"{mine} {self.api.application_id_uri}/.default"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceOptions:
    """The available options.

    Attributes:
        providers: The names of the providers; empty for an endpoint elsewhere.
        on_failure: The default of ``Claims__OnFailure``.
        local: Whether the playground runs the endpoint and its dependencies.
    """

    directory: Directory
    providers: Collection[str]
    provider: str | None
    on_failure: OnFailureSetting
    local: bool

    @property
    def apps(self) -> list[App]:
        """Return the apps that users sign in to, without the registrations that represent an endpoint."""
        endpoints = {extension.audience.key for extension in self.directory.extensions}
        return [app for app in self.directory.apps if app.key not in endpoints]

    @property
    def apis(self) -> list[App]:
        """Return the apps that publish permissions."""
        return [app for app in self.apps if app.application_id_uri is not None]

    def first(self) -> Choice:
        """Return the initial choice of the form."""
        return self.read({})

    def read(self, form: Mapping[str, str]) -> Choice:
        """Read a form; the default of a missing field is the first option.

        Raises:
            ChoiceError: An option is not available.
        """
        people = {person.key: person for person in self.directory.people}
        fault = _one_of("fault", form.get("fault", NONE), FAULT_OPTIONS)
        provider = preferred = form.get("provider") or self.provider
        if provider is not None and provider not in self.providers:
            raise ChoiceError(f"provider: {provider!r} is not available")
        if fault.kind == "downstream":
            if not self.local:
                raise ChoiceError("fault: the dependencies of an endpoint elsewhere cannot be made to fail")
            provider = DOWNSTREAM_PROVIDER
        api = form.get("api", "")
        return Choice(
            person=_one_of("user", form.get("user") or next(iter(people)), people),
            app=_one_of("app", form.get("app") or self.apps[0].key, {app.key: app for app in self.apps}),
            api=_one_of("api", api, {app.key: app for app in self.apis}) if api else None,
            fault=fault,
            provider=provider,
            preferred=preferred,
            on_failure=read_on_failure(form.get("on_failure") or self.on_failure),
        )


def read_on_failure(given: str) -> OnFailureSetting:
    """Read ``Claims__OnFailure``.

    Raises:
        ChoiceError: It is not one of the three values.
    """
    return _one_of("on_failure", given, {setting: setting for setting in ON_FAILURE_SETTINGS})


def _one_of[Known](field: str, given: str, known: Mapping[str, Known]) -> Known:
    if given not in known:
        raise ChoiceError(f"{field}: {given[:60]!r} is not available")
    return known[given]
