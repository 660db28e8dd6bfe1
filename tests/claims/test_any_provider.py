"""Whatever a provider does: exactly one answer, in time, by the policy, with nobody else's claims, and no growth."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from claims.endpoint import Endpoint, Response
from claims.errors import ProviderFailed, TokenUnavailable
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.settings.authority import Authority
from claims.token.keys import SigningKeys
from selftest.entra.signing import KeySet
from tests.claims.site import AUTHORITY, NOW_S, TENANT_ID, Site, good_event, good_token, settings

USERS = [f"77777777-7777-4777-8777-{number:012}" for number in range(3)]
BUDGET_S = 0.1
KEYS = KeySet()
TOKEN = good_token(KEYS)


class _LazyMapping(dict[str, object]):
    """A mapping that fails while it is read."""

    def items(self) -> Any:
        """Fail."""
        raise OSError("someone@example.com")


@dataclass(frozen=True)
class Behavior:
    """What the provider does with one event.

    Attributes:
        names: of phases and caches that it records.
        pause_s: how long it waits before it ends.
        error: what it raises; None returns.
        value: what it returns beside the user's own claim; a sentinel for the odd ones.
        reuse: whether it returns one object for everybody, and changes it afterwards.
    """

    names: list[Any] = field(default_factory=list)
    pause_s: float = 0
    error: BaseException | type[BaseException] | None = None
    value: Any = None
    reuse: bool = False


class AnyProvider:
    """Does what it is told, and has default claims."""

    def __init__(self) -> None:
        self.behavior = Behavior()
        self.shared: dict[str, object] = {}

    def default_claims(self) -> Mapping[str, object]:
        """Say that nothing is known."""
        return {"Default": "yes"}

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Any:
        """Follow the behavior."""
        behavior = self.behavior
        for name in behavior.names:
            with context.phase(name):
                context.cache_hit(name, True)  # noqa: FBT003 (the two values of one line)
        if behavior.pause_s:
            await asyncio.sleep(behavior.pause_s)
        if behavior.error is not None:
            raise behavior.error
        assert event.context.user
        if behavior.value == "not a mapping":
            return [event]
        if behavior.value == "lazy":
            return _LazyMapping(a=1)
        claims = self.shared if behavior.reuse else {}
        value = 10**5000 if behavior.value == "huge" else behavior.value
        claims |= {"User": event.context.user.id, "Value": value}
        asyncio.get_running_loop().call_soon(self.shared.update, {"User": "changed"})
        return claims


ODD = st.one_of(st.text(max_size=80), st.none(), st.integers(), st.binary(max_size=3))
VALUES = st.recursive(
    st.one_of(ODD, st.floats(), st.booleans(), st.sampled_from([Decimal("sNaN"), object(), "x" * 4000])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
ERRORS = st.sampled_from(
    [
        *(LookupError, SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, StopAsyncIteration),
        *(TimeoutError, RecursionError, MemoryError, ExceptionGroup("x", [ValueError("someone@example.com")])),
        *(ProviderFailed("x"), TokenUnavailable("y", "z" * 9999), ProviderFailed({}, 1 / 3)),  # type: ignore[arg-type] # the mistakes under test
    ]
)
BEHAVIORS = st.builds(
    Behavior,
    names=st.lists(ODD, max_size=40),
    pause_s=st.sampled_from([0, 0, 0, 0, 0.001, 0.3, 60]),
    error=st.none() | ERRORS,
    value=st.one_of(VALUES, st.sampled_from(["not a mapping", "lazy", "huge"])),
    reuse=st.booleans(),
)
REQUESTS = st.lists(st.tuples(st.sampled_from(USERS), BEHAVIORS), min_size=1, max_size=6)


def _body(user: str, number: int) -> bytes:
    event = good_event()
    event["data"]["authenticationContext"]["user"]["id"] = user
    event["data"]["authenticationContext"]["correlationId"] = f"55555555-5555-4555-8555-{number:012}"
    return json.dumps(event).encode()


async def _play(policy: str, requests: list[tuple[str, Behavior]]) -> None:
    site, provider = Site(keys=KEYS), AnyProvider()
    keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], site, clock=time.monotonic, sleep=asyncio.sleep)
    changes = {"Claims__OnFailure": policy, "Claims__BudgetMs": str(int(BUDGET_S * 1000))}
    endpoint = Endpoint(settings(**changes), keys, provider, wall_clock=lambda: NOW_S)
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    await endpoint.token_issuance_start(headers, _body(USERS[0], 999))
    had_claims = {USERS[0]}
    for number, (user, provider.behavior) in enumerate(requests):
        for _delivery in range(2):
            async with asyncio.timeout(30):  # a provider may take a minute
                response = await endpoint.token_issuance_start(headers, _body(user, number))
            _judge(response, policy, user, had_claims)
    assert len(endpoint._calls._running) <= len(requests)
    endpoint._calls._limit_s = 0
    await endpoint.aclose()
    assert not endpoint._calls._running


def _judge(response: Response, policy: str, user: str, had_claims: set[str]) -> None:
    outcome = response.headers["x-claims-outcome"]
    if response.status != 200:
        assert (response.status, outcome) == (503, "failed")
        assert policy == "fail" or (policy == "stale" and user not in had_claims)
        return
    claims = json.loads(response.body)["data"]["actions"][0]["claims"]
    if outcome == "omitted":
        assert (policy, claims) == ("omit", {"Default": "yes"})
        return
    assert outcome in {"claims", "joined"} or (outcome, policy) == ("stale", "stale")
    assert claims["User"] == user, "another user's claims"
    had_claims.add(user)


@hypothesis_settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(policy=st.sampled_from(["fail", "omit", "stale"]), requests=REQUESTS)
def test_exactly_one_answer_by_the_policy(policy: str, requests: list[tuple[str, Behavior]]) -> None:
    """Values of any type, exceptions, cancellations, phases, objects that are reused, slow and fast."""
    asyncio.run(_play(policy, requests))
