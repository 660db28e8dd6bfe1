"""Checks that send a body or a content header that must be refused with a 4xx and never with a 5xx."""

from collections.abc import Callable, Collection
from typing import Final, Unpack

from selftest.checks.bench.environment import CheckEnvironment, EventJson
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import in_words, must_refuse
from selftest.checks.registry import CheckOutcome, CheckTexts, check

BAD_REQUEST: Final = frozenset({400})


def body_fault(
    id: str,  # noqa: A002 - the name of the field
    title: str,
    *,
    sends: str,
    body: Callable[[EventJson], bytes] | None = None,
    request: Callable[[RawRequest], RawRequest] | None = None,
    statuses: Collection[int] = BAD_REQUEST,
    host_may_refuse: bool = False,
    **texts: Unpack[CheckTexts],
) -> None:
    """Register a check that sends one invalid request of an authenticated caller.

    Args:
        id: The check's id.
        title: A statement about a valid endpoint: "refuses …".
        sends: What the check sends, for the explanation.
        body: Makes the invalid body from the valid event.
        request: Makes the invalid request from the valid one.
        statuses: The statuses that count as a refusal.
        host_may_refuse: See `must_refuse`.
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
        return await must_refuse(env, bad, control=good, statuses=statuses, host_may_refuse=host_may_refuse)

    wanted = f"{in_words(statuses)}, and never a 5xx"
    if host_may_refuse:
        wanted += " except the host's: an empty 500 at once, from the announced length alone"
    explain = (
        f"Sends {sends}, with a valid token.\nThe valid event is sent first and must be answered 200.\n"
        f"Expected: {wanted}."
    )
    check(id, title, explain=explain, **texts)(run)
