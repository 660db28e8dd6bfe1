"""Sign-ins at several instances: who signs in, how an event is delivered, and how many sign-ins are lost.

The instances answer in turn. The number of users is no multiple of theirs, so that each round of sign-ins meets every
user on another instance than the round before.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.faults.setup import claims_before, downstream_and_variant, event_of
from selftest.contract import MAX_RETRIES
from selftest.downstream.faults import FAULTS
from selftest.host.instances import Instances
from selftest.judge.verdict import judge
from selftest.play.call_verdict import whole_ms
from selftest.play.caller import Call, Caller

_USERS_AN_INSTANCE: Final = 4
#: An instance writes into the shared cache after its answers, and begins when it has imported the client.
_STORED_WITHIN_S: Final = 15.0
_POLL_S: Final = 0.1
_TRIALS: Final = 3
#: An instance that does not know a user answers sooner, and one that waited for the shared cache in vain later.
_AT_ONCE_MS: Final = 150.0
#: Between two sign-ins: an instance that starts needs a processor, too.
_PAUSE_S: Final = 0.02
#: The claim of the emulated API that names the user.
_WHOSE: Final = "ProfileId"


class SignInTally:
    """Sign-ins and what became of them. A sign-in is lost if Entra would not mint, or not with this user's claims.

    Attributes:
        total: How many.
        reasons: Why some are lost, with their number.
        slowest_ms: The longest time from the start of a sign-in to the end of its last attempt.
        lost_at_once: How many are lost by an answer that came at once, and not by one that was late.
        losers: The users that lose any.
    """

    def __init__(self) -> None:
        self.total = 0
        self.reasons: Counter[str] = Counter()
        self.slowest_ms = 0.0
        self.lost_at_once = 0
        self.losers: set[str] = set()

    @property
    def lost(self) -> int:
        """Return how many are lost."""
        return self.reasons.total()

    def take(self, user_id: str, call: Call) -> None:
        """Count a sign-in by its last attempt."""
        self.total += 1
        self.slowest_ms = max(self.slowest_ms, whole_ms(call))
        if reason := lost_because(user_id, call):
            self.reasons[reason] += 1
            self.losers.add(user_id)
            self.lost_at_once += whole_ms(call) < _AT_ONCE_MS

    def __str__(self) -> str:
        """Return how many are lost, of how many users, and the most frequent reason."""
        lost = f"{self.lost:,} of {self.total:,} sign-ins lost"
        for reason, _ in self.reasons.most_common(1):
            lost += f", of {len(self.losers)} {'user' if len(self.losers) == 1 else 'users'}; mostly {reason}"
        return lost


def lost_because(user_id: str, call: Call) -> str:
    """Return why a sign-in is lost; empty if it is not."""
    verdict = judge(call.reply)
    if not verdict.minted:
        return f"{verdict.code} {verdict.name}, {call.reply.failure or f'HTTP {call.reply.status}'}"
    return "" if (verdict.claims or {}).get(_WHOSE) == user_id else "a token without this user's claims"


def instances_of(env: CheckEnvironment) -> Instances:
    """Return the instances.

    Raises:
        LookupError: There is one only; the runner skips such a check.
    """
    if env.instances is None:
        raise LookupError("the check needs several instances")
    return env.instances


async def known_users(env: CheckEnvironment) -> list[str]:
    """Sign new users in, each once, and return their ids when the shared cache, if there is one, has their claims.

    Raises:
        NoClaimsBeforeFault: See `claims_before`.
    """
    users = new_users(env)
    for user_id in users:
        await claims_before(env, user_id)
    give_up_s = env.stopwatch() + _STORED_WITHIN_S
    # Each of them, not their number: the reply of a call before may still be on its way to the cache.
    while env.redis is not None and not await env.redis.has_keys_of(users) and env.stopwatch() < give_up_s:
        await env.sleep(_POLL_S)
    return users


def new_users(env: CheckEnvironment, rounds: int = 1) -> list[str]:
    """Return ids of users that nobody knows: no multiple of the number of instances."""
    return [env.new_id() for _ in range(rounds * _USERS_AN_INSTANCE * instances_of(env).count + 1)]


async def met_by_each_instance(env: CheckEnvironment) -> str:
    """Let a new user sign in at one instance after the other, and return the id.

    Raises:
        NoClaimsBeforeFault: See `claims_before`.
    """
    user_id = env.new_id()
    for _ in range(instances_of(env).count):
        await claims_before(env, user_id)
    return user_id


async def signed_in(env: CheckEnvironment, users: Sequence[str], tally: SignInTally) -> None:
    """Let users sign in, one after the other, and count what becomes of it."""
    for user_id in users:
        event, _ = event_of(env, user_id)
        tally.take(user_id, await delivered(env, event))
        await env.sleep(_PAUSE_S)


async def play_own_memory(env: CheckEnvironment, user_id: str) -> SignInTally:
    """Let a user that each instance has met sign in at each while the API is down."""
    tally = SignInTally()
    with downstream_and_variant(env)[0].playing(FAULTS["unavailable"]):
        await signed_in(env, [user_id] * instances_of(env).count, tally)
    return tally


async def least_lost(play: Callable[[], Awaitable[SignInTally]]) -> SignInTally:
    """Play sign-ins, and play them again, at most twice, if some are lost by late answers alone.

    A busy machine delays the first answer of an instance that starts; an endpoint that knows nothing answers at once.
    """
    for _ in range(_TRIALS):
        tally = await play()
        if not tally.lost or tally.lost_at_once:
            break
    return tally


async def delivered(env: CheckEnvironment, event: dict[str, Any], *, max_retries: int = MAX_RETRIES) -> Call:
    """Deliver an event as Entra does, and return the call."""
    return await Caller(env.session).call(env.url, token=env.good_token(), event=event, max_retries=max_retries)
