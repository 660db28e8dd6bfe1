"""Checks of one kind: a body, or what declares it, that must be refused with a clear 4xx and never with a 5xx."""

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
    """Register a check that sends one bad request of an authenticated caller.

    Args:
        id: Of the check.
        title: True of a good endpoint: "refuses …".
        sends: What is sent, for the explanation.
        body: Makes the bytes out of the good event.
        request: Changes the good request as a whole.
        statuses: What a refusal is.
        host_may_refuse: See `must_refuse`.
        **texts: Source, reason and fix.

    Raises:
        ValueError: Both or neither of ``body`` and ``request`` are given.
    """
    if (body is None) == (request is None):
        raise ValueError(f"{id} needs either a body or a request to send")

    async def run(env: CheckEnvironment) -> CheckOutcome:
        good = env.good_request()
        bad = good.with_body(body(env.event())) if body is not None else good
        bad = request(bad) if request is not None else bad
        return await must_refuse(env, bad, control=good, statuses=statuses, host_may_refuse=host_may_refuse)

    wanted = f"{in_words(statuses)}, and never a 5xx"
    if host_may_refuse:
        wanted += " but a host's: an empty 500 at once, from the announced length alone"
    explain = (
        f"Sends {sends}, with a good token.\nThe good event is sent first and must be answered 200.\nWanted: {wanted}."
    )
    check(id, title, explain=explain, **texts)(run)
