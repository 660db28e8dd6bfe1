"""The provider: the one place where a copier writes code.

A provider is a module in ``claims/providers/`` with a function ``create(environ)`` that returns an object with one
coroutine, ``provide``. ``Claims__Provider`` names the module.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from claims.errors import SettingsError
from claims.event import TokenIssuanceStart
from claims.settings import PROVIDER


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """What a provider may want to know beside the event.

    Attributes:
        remaining_s: says how many seconds are left of the budget; at zero the answer has left without the provider's.
    """

    remaining_s: Callable[[], float]


class Provider(Protocol):
    """Knows the claims of a user."""

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Return the claims for this event, by name.

        Values may be strings, numbers, booleans, dates, UUIDs, enumerations, None, and lists of these;
        `claims.reply` says what becomes of each. It runs on the event loop: await what takes time, never block.
        Whatever it raises fails the sign-in, and so does an answer after the budget.
        """


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
    return cast("Provider", create(environ))
