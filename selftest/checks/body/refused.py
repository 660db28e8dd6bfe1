"""Checks that send a body or a content header that must be refused."""

from collections.abc import Callable
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment, EventJson
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import must_refuse
from selftest.checks.registry import CheckOutcome, check

_EXPLAIN: Final = (
    "Sends {sends}, with a valid token.\nThe valid event is sent first and must be answered 200.\nExpected: a refusal,"
    " which is any whole response but a 200."
)


def body_fault(check_id: str, body: Callable[[EventJson], bytes]) -> None:
    """Register a check that sends an invalid body, made from the valid event, of an authenticated caller."""

    async def run(env: CheckEnvironment) -> CheckOutcome:
        good = env.good_request()
        return await must_refuse(env, good.with_body(body(env.event())), control=good)

    check(check_id, explain=_EXPLAIN)(run)


def request_fault(check_id: str, request: Callable[[RawRequest], RawRequest]) -> None:
    """Register a check that sends an invalid request, made from the valid one."""

    async def run(env: CheckEnvironment) -> CheckOutcome:
        good = env.good_request()
        return await must_refuse(env, request(good), control=good)

    check(check_id, explain=_EXPLAIN)(run)
