"""I01 and I02: an outage of the API during which one instance is killed and then each is restarted."""

import asyncio
import signal
from collections.abc import Sequence
from functools import partial
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.faults.setup import downstream_and_variant
from selftest.checks.instances.registration import check_instances
from selftest.checks.instances.sign_ins import (
    SignInTally,
    instances_of,
    known_users,
    least_lost,
    met_by_each_instance,
    play_own_memory,
    signed_in,
)
from selftest.downstream.faults import FAULTS

#: How long the API is down in addition to the restarts.
OUTAGE_S: Final = 5.0


async def _play_outage(env: CheckEnvironment, users: Sequence[str]) -> SignInTally:
    """Let known users sign in all the time while the API is down, one instance is killed and each is restarted."""
    instances, (downstream, _) = instances_of(env), downstream_and_variant(env)
    tally, over = SignInTally(), asyncio.Event()

    async def sign_in_until_over() -> None:
        while not over.is_set():
            await signed_in(env, users, tally)

    with downstream.playing(FAULTS["unavailable"]):
        async with asyncio.TaskGroup() as group:
            group.create_task(sign_in_until_over())
            try:
                await instances.replace(1, signal.SIGKILL)
                await env.sleep(OUTAGE_S)
                for number in range(1, instances.count + 1):
                    await instances.replace(number, signal.SIGTERM)
            finally:
                over.set()
        await signed_in(env, users, tally)
    return tally


@check_instances("I01", "no sign-in of a known user is lost", outage_s=f"{OUTAGE_S:.0f}")
async def keeps_known_users(env: CheckEnvironment) -> tuple[str, bool]:
    """Count the sign-ins that an outage costs with the shared cache."""
    tally = await least_lost(partial(_play_outage, env, await known_users(env)))
    return str(tally), not tally.lost


@check_instances("I02", "no sign-in is lost at an instance that has met the user", shared_cache=False)
async def keeps_users_that_it_has_met(env: CheckEnvironment) -> tuple[str, bool]:
    """Show what an outage costs without the shared cache; only what an instance knows itself must not be lost."""
    users, met = await known_users(env), await met_by_each_instance(env)
    own = await least_lost(partial(play_own_memory, env, met))
    all_of_them = await _play_outage(env, users)
    return f"{own}; an outage with restarts costs without a shared cache: {all_of_them}", not own.lost
