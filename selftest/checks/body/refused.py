"""Checks that send a body or a content header that must be refused."""

from collections.abc import Callable
from typing import Unpack

from selftest.checks.bench.environment import CheckEnvironment, EventJson
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import must_refuse
from selftest.checks.registry import CheckOutcome, CheckTexts, check


def body_fault(
    id: str,  # noqa: A002 - the name of the field
    title: str,
    *,
    sends: str,
    body: Callable[[EventJson], bytes] | None = None,
    request: Callable[[RawRequest], RawRequest] | None = None,
    **texts: Unpack[CheckTexts],
) -> None:
    """Register a check that sends one invalid request of an authenticated caller.

    Args:
        id: The check's id.
        title: A statement about a valid endpoint: "refuses …".
        sends: What the check sends, for the explanation.
        body: Makes the invalid body from the valid event.
        request: Makes the invalid request from the valid one.
        **texts: Source, reason and fix.

    Raises:
        ValueError: Both or neither of ``body`` and ``request`` are given.
    """
    if (body is None) == (request is None):
        raise ValueError(f"{id} needs either a body or a request")

    async def run(env: CheckEnvironment) -> CheckOutcome:
        good = env.good_request()
        bad = good.with_body(body(env.event())) if body is not None else good
        bad = request(bad) if request is not None else bad
        return await must_refuse(env, bad, control=good)

    explain = (
        f"Sends {sends}, with a valid token.\nThe valid event is sent first and must be answered 200.\n"
        "Expected: a refusal, which is any whole response but a 200."
    )
    check(id, title, explain=explain, **texts)(run)
