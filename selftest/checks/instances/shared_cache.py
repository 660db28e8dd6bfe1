"""I03 and I04: what the shared cache gives a retry on another instance, and what its own failure costs."""

import asyncio
from functools import partial
from typing import Any, Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.faults.setup import downstream_and_variant, event_of
from selftest.checks.instances.registration import check_instances
from selftest.checks.instances.sign_ins import (
    SignInTally,
    delivered,
    known_users,
    least_lost,
    met_by_each_instance,
    new_users,
    play_own_memory,
    signed_in,
)
from selftest.contract import MAX_TIMEOUT_MS
from selftest.downstream.faults import FAULTS
from selftest.play.caller import Call

_ROUNDS: Final = 3
#: Between two sign-ins: the second deliveries come in the order of the first ones, and so at other instances.
_APART_S: Final = 0.01


async def _play_slow_api(env: CheckEnvironment) -> SignInTally:
    """Let new users sign in while the API is slow, and count what the second delivery of each event gets."""
    tally, users, deliveries = SignInTally(), new_users(env, rounds=_ROUNDS), []
    with downstream_and_variant(env)[0].playing(FAULTS["slowness"]):
        for user_id in users:
            event, _ = event_of(env, user_id)
            deliveries.append(asyncio.create_task(_delivered_twice(env, event)))
            await env.sleep(_APART_S)
        for user_id, call in zip(users, await asyncio.gather(*deliveries), strict=True):
            tally.take(user_id, call)
    return tally


async def _delivered_twice(env: CheckEnvironment, event: dict[str, Any]) -> Call:
    """Deliver an event, and again after Entra's timeout; return the second call: the first one's answer is lost."""
    first = asyncio.create_task(delivered(env, event, max_retries=0))
    await env.sleep(MAX_TIMEOUT_MS / 1000)
    second = await delivered(env, event, max_retries=0)
    await first
    return second


@check_instances("I03", "no sign-in is lost if the second delivery meets another instance")
async def hands_late_claims_to_the_retry(env: CheckEnvironment) -> tuple[str, bool]:
    """Deliver each event at two instances, of which neither gets the claims within its budget."""
    await known_users(env)
    tally = await least_lost(partial(_play_slow_api, env))
    return str(tally), not tally.lost


# The last one, because it leaves no Redis.
@check_instances("I04", "no sign-in is lost, each is answered within the budget", stage="end")
async def goes_on_without_the_cache(env: CheckEnvironment) -> tuple[str, bool]:
    """Stop Redis; let users sign in, and then those that each instance has met while the API is down, too."""
    _, variant = downstream_and_variant(env)
    users, met = await known_users(env), await met_by_each_instance(env)
    if env.redis is not None:
        await env.redis.stop()

    async def play_good_sign_ins() -> SignInTally:
        tally = SignInTally()
        await signed_in(env, users, tally)
        return tally

    good = await least_lost(play_good_sign_ins)
    own = await least_lost(partial(play_own_memory, env, met))
    late = good.slowest_ms > variant.budget_ms
    actual = f"{good}, answered within {good.slowest_ms:,.0f} ms; with the API down, of a user met before: {own}"
    return actual, not (good.lost or late or own.lost)
