"""The provider: the one place where a copier writes code.

A provider is a module in ``claims/providers/`` with a function ``create(environ)`` that returns an object with one
coroutine, ``provide``. ``Claims__Provider`` names the module. What holds connections or tokens may have two more:
``start()``, called on the running loop when the app starts, and ``aclose()``. One that knows what to say of a user of
whom nothing is known has ``default_claims()``.
"""

import importlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from claims.errors import SettingsError
from claims.event import TokenIssuanceStart
from claims.settings.settings import PROVIDER


def _unmeasured(name: str) -> AbstractContextManager[None]:
    del name
    return nullcontext()


def _unrecorded(name: str, hit: bool) -> None:  # noqa: FBT001 (the two values of one line)
    del name, hit


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """What a provider may want to know beside the event.

    Attributes:
        remaining_s: says for how many seconds an answer is still of use to Entra, its second delivery included. The
            first delivery may be over before; what is found afterwards serves the second.
        phase: measures a block: ``with context.phase("downstream_call"):``; the request's log line shows the time.
        cache_hit: notes for the log line whether a cache of that name had what was asked of it.
    """

    remaining_s: Callable[[], float]
    phase: Callable[[str], AbstractContextManager[None]] = _unmeasured
    cache_hit: Callable[[str, bool], None] = _unrecorded


@runtime_checkable
class Provider(Protocol):
    """Knows the claims of a user."""

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Return the claims for this event, by name.

        Values may be strings, numbers, booleans, dates, UUIDs, enumerations, None, and lists of these;
        `claims.reply` says what becomes of each. It runs on the event loop: await what takes time, never block.
        When it raises, or is not done within the budget, ``Claims__OnFailure`` decides. `claims.errors.ProviderFailed`
        brings its code to the log; of any other exception the log names the type and the line.
        """


@runtime_checkable
class Starts(Protocol):
    """A provider that has something to get ready."""

    def start(self) -> None:
        """Begin in the background what a first request should not wait for. Called once, on the running loop."""


@runtime_checkable
class Closes(Protocol):
    """A provider that holds connections or tasks."""

    async def aclose(self) -> None:
        """Let go of them. Called once, at the end."""


@runtime_checkable
class Defaults(Protocol):
    """A provider that has claims for a user of whom nothing is known."""

    def default_claims(self) -> Mapping[str, object]:
        """Return them; ``Claims__OnFailure=omit`` answers with them."""


@runtime_checkable
class NamesClaims(Protocol):
    """A provider that knows the names of its claims beforehand; the log shows them whole, and others shortened."""

    claim_names: frozenset[str]


def known_claim_names(provider: Provider) -> frozenset[str]:
    """Return the names that the log may show whole."""
    return provider.claim_names if isinstance(provider, NamesClaims) else frozenset()


def default_claims(provider: Provider) -> Callable[[], Mapping[str, object]]:
    """Give a provider's default claims: none, where it has none."""
    return provider.default_claims if isinstance(provider, Defaults) else dict


def load_provider(name: str, environ: Mapping[str, str]) -> Provider:
    """Import the named provider and create it.

    Args:
        name: a module in ``claims/providers/``.
        environ: where the provider finds settings of its own.

    Raises:
        SettingsError: no such module, or it has no ``create``; or the provider's own settings are at fault.
    """
    qualified = f"claims.providers.{name}"
    try:
        module = importlib.import_module(qualified)
    except ModuleNotFoundError as error:
        if error.name != qualified:
            raise
        raise SettingsError((f"{PROVIDER} names '{name}', and there is no claims/providers/{name}.py",)) from error
    create = getattr(module, "create", None)
    if not callable(create):
        raise SettingsError((f"{PROVIDER} names '{name}', and claims/providers/{name}.py has no create(environ)",))
    provider = create(environ)
    if not isinstance(provider, Provider):
        raise SettingsError((f"{PROVIDER} names '{name}', and what it creates has no provide(event, context)",))
    return provider
