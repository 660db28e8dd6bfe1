"""The pytest plugin: the fixtures ``sign_in`` and ``loopback_api``, in every environment that has the tool.

docs/testing-your-provider.md describes them. Everything else is imported by the first test that uses one.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from selftest.contract import MAX_TIMEOUT_MS

if TYPE_CHECKING:
    from selftest.testing.loopback_api import LoopbackApi
    from selftest.testing.outcome import SignInOutcome


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the configuration file."""
    parser.addini("claims_app", "the folder of function_app.py (default: the root directory of pytest)", default=".")
    parser.addini("claims_settings", "settings of the app in every sign-in: NAME=VALUE", type="linelist")


@pytest.fixture(scope="session")
def claims_settings(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Return the settings of the app in every sign-in; those that a test gives take precedence.

    A test module that gets its settings from elsewhere overrides this fixture.
    """
    lines: list[str] = request.config.getini("claims_settings")
    if odd := [line for line in lines if "=" not in line]:
        raise pytest.UsageError(f"claims_settings in the configuration file: expected NAME=VALUE, got {odd[0]!r}")
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="session")
def _claims_apps(request: pytest.FixtureRequest) -> Iterator[Callable[..., "SignInOutcome"]]:
    """Return a function that signs users in; it starts one app for each set of settings, at its first sign-in."""
    from selftest.testing.apps import RunningApps  # noqa: PLC0415 - see above
    from selftest.testing.loop_thread import LoopThread  # noqa: PLC0415 - see above

    loop = LoopThread()
    apps = RunningApps(request.config.rootpath / request.config.getini("claims_app"))

    def play(user: Any, settings: Mapping[str, str], *, fresh: bool, **options: Any) -> "SignInOutcome":
        if fresh:
            loop.run(apps.stop(settings))
        return loop.run(apps.sign_in(user, settings, **options))

    yield play
    loop.run(apps.stop())
    loop.close()


@pytest.fixture
def sign_in(
    request: pytest.FixtureRequest, _claims_apps: Callable[..., "SignInOutcome"], claims_settings: Mapping[str, str]
) -> Callable[..., "SignInOutcome"]:
    """Return a function that runs a sign-in: Entra's call, the app in Microsoft's worker library, Entra's verdict.

    Its arguments: ``user``, a kind of user (``"guest"``), or JSON names of the event with the values that differ from
    those of a member (``{"userType": "Guest", "mail": None}``; a None in it leaves that name out), or None if an app
    signs in as itself, without a user; ``fresh``, whether the app is started again; ``timeout_ms`` of Entra's call;
    ``retries``, how often Entra calls again after a late answer (default: never, so that a late provider fails the
    test); ``mapping``, the application's claims mapping policy; and settings of the app by their names.
    """
    from selftest.base.cannot_run import CannotRun  # noqa: PLC0415 - see above
    from selftest.base.printable import printable  # noqa: PLC0415 - see above
    from selftest.judge.mapping import MappingPolicy  # noqa: PLC0415 - see above
    from selftest.testing.users import user_of  # noqa: PLC0415 - see above

    def play(
        user: str | Mapping[str, object] | None = "member",
        *,
        fresh: bool = False,
        timeout_ms: int = MAX_TIMEOUT_MS,
        retries: int = 0,
        mapping: Mapping[str, Any] | None = None,
        **settings: str | int,
    ) -> "SignInOutcome":
        policy = None if mapping is None else MappingPolicy.parse(mapping)
        options = {"timeout_ms": timeout_ms, "retries": retries, "mapping": policy, "fresh": fresh}
        texts = {
            name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()
        }
        try:
            signed_in = _claims_apps(user_of(user), {**claims_settings, **texts}, **options)
        except CannotRun as error:
            pytest.fail(str(error), pytrace=False)
        # Shown if the test fails.
        request.node.add_report_section("call", "app log", "\n".join(map(printable, signed_in.log)))
        return signed_in

    return play


@pytest.fixture(scope="session")
def _claims_api() -> Iterator["LoopbackApi"]:
    """Return the API. Its port stays the same, so apps whose settings name it are kept from test to test."""
    from selftest.testing.loopback_api import LoopbackApi  # noqa: PLC0415 - see above

    with LoopbackApi() as api:
        yield api


@pytest.fixture
def loopback_api(_claims_api: "LoopbackApi") -> Iterator["LoopbackApi"]:
    """Return an HTTP API on this machine that answers as the test tells it."""
    _claims_api.forget()
    yield _claims_api
    _claims_api.forget()
