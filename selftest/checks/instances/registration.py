"""Registers the checks of several instances: what they need, and how what was played becomes an outcome."""

from collections.abc import Awaitable, Callable
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.variant import NOT_SHARING, SHARING
from selftest.checks.expectations import failed
from selftest.checks.faults.setup import NoClaimsBeforeFault
from selftest.checks.registry import INSTANCES, SHARED_CACHE, CheckFunction, CheckOutcome, CheckStage, check

#: Longer than three outages of which each restarts sixteen instances.
_TIMEOUT_S: Final = 300.0

#: Plays sign-ins; returns what became of them, and whether that is as expected.
type PlayInstances = Callable[[CheckEnvironment], Awaitable[tuple[str, bool]]]


def check_instances(
    check_id: str, expected: str, *, shared_cache: bool = True, stage: CheckStage = "usual", **values: object
) -> Callable[[PlayInstances], CheckFunction]:
    """Register the decorated function as a check of several instances.

    Args:
        check_id: The id.
        expected: What a valid endpoint does.
        shared_cache: Whether the instances share one.
        stage: See `selftest.checks.registry.Check`.
        **values: What placeholders in the texts stand for.
    """

    def decorate(play: PlayInstances) -> CheckFunction:
        async def run(env: CheckEnvironment) -> CheckOutcome:
            try:
                actual, good = await play(env)
            except NoClaimsBeforeFault as error:
                return failed(error.response, expected, str(error))
            return CheckOutcome(status="pass" if good else "fail", expected=expected, actual=actual)

        needs, variant = (SHARED_CACHE, SHARING) if shared_cache else (INSTANCES, NOT_SHARING)
        return check(check_id, needs=needs, variant=variant, stage=stage, timeout_s=_TIMEOUT_S, **values)(run)

    return decorate
