"""The provider: the one module that you write.

A provider is a module in ``claims/providers/`` with a function ``create(environ)`` that returns an object with one
coroutine, ``provide``. ``Claims__Provider`` names the module. Its ``SETTINGS`` names the settings that it reads. The
object may have more: ``start()`` and ``aclose()`` for connections and tokens, ``default_claims()`` for the times when
``provide`` fails, ``claim_names`` for the log.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol, runtime_checkable

from claims.event import TokenIssuanceStart


class ProviderContext(NamedTuple):
    """What a provider may use in addition to the event. By default nothing is measured or recorded.

    Attributes:
        remaining_s: Returns for how many seconds a result is still useful, counting Entra's retry; starts at the budget
            plus 2 s. The first attempt ends with the budget; a later result is used by the retry.
        phase: Measures a block: ``with context.phase("downstream_call"):``; the request's log line shows the time.
        cache_hit: Notes for the log line whether a cache of that name had what was asked of it.
        note_failing: Adds to this request's log line why background work fails that this request does not depend on;
            Azure drops what is logged outside a request.
    """

    remaining_s: Callable[[], float]
    phase: Callable[[str], AbstractContextManager[None]] = lambda _name: nullcontext()
    cache_hit: Callable[[str, bool], None] = lambda _name, _hit: None
    note_failing: Callable[[str, str], None] = lambda _name, _reason: None


@runtime_checkable
class Provider(Protocol):
    """Returns the claims of a user."""

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
        """Close them. Called once, at the end."""


@runtime_checkable
class Defaults(Protocol):
    """A provider with default claims, which ``Claims__OnFailure=omit`` sends when ``provide`` fails or is late."""

    def default_claims(self) -> Mapping[str, object]:
        """Return the default claims. Called once, at the start."""


@runtime_checkable
class NamesClaims(Protocol):
    """A provider whose settings or code name its claims."""

    @property
    def claim_names(self) -> frozenset[str]:
        """The names that come from settings or code, not from data: the log shows these whole, others shortened."""


def known_claim_names(provider: Provider) -> frozenset[str]:
    """Return the names that the log may show whole."""
    return provider.claim_names if isinstance(provider, NamesClaims) else frozenset()


def default_claims(provider: Provider) -> Callable[[], Mapping[str, object]]:
    """Return the provider's `default_claims`, or a function that returns no claims."""
    return provider.default_claims if isinstance(provider, Defaults) else dict
