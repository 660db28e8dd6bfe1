"""Every check of the failure policies passes for the endpoint and fails with its planted fault."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from selftest.checks import REGISTRY
from selftest.checks.bench.variant import BY_POLICY, TWO_ATTEMPTS, VariantPolicy
from selftest.checks.runner import run_checks
from selftest.downstream.server import DownstreamServer
from selftest.report.results import CheckResult
from tests.selftest.checks.planted_fault import GOOD, Incoming, Outgoing, PlantedFault
from tests.selftest.checks.policy_faults import (
    INVENTS,
    OMITS,
    POLICY_FAULTS,
    REASON_FAULTS,
    RETRY_FAULTS,
    UNNAMED,
    Make,
    logged,
    spoiled,
    total_ms,
)
from tests.selftest.checks.served_endpoint import ServedEndpoint
from tests.selftest.checks.served_with_downstream import open_with_downstream

BUDGET_MS = 400
VARIANTS = {policy: replace(variant, budget_ms=BUDGET_MS) for policy, variant in BY_POLICY.items()}
#: One forced refresh of the keys a minute: these take a fresh endpoint each time.
ROTATIONS = ["F16", "F46", "F76"]

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.waits]


def _ids(policy: VariantPolicy) -> list[str]:
    rows = [name for name, check in REGISTRY.items() if check.variant == BY_POLICY[policy]]
    return [name for name in rows if name not in ROTATIONS]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def one_endpoint_a_policy(request: pytest.FixtureRequest) -> AsyncIterator[ServedEndpoint]:
    """Return one endpoint per policy, one at a time, because the identity's address is an environment variable."""
    async with open_with_downstream(VARIANTS[request.param]) as served:
        yield served


async def outcome(served: ServedEndpoint, check_id: str, fault: PlantedFault) -> CheckResult:
    """Run one check against the endpoint with this fault."""
    served.fault = fault
    (result,) = [result async for result in run_checks([REGISTRY[check_id]], fault.env(served.env))]
    return result


def downstream_of(served: ServedEndpoint) -> DownstreamServer:
    """Return the endpoint's downstream."""
    assert served.env.downstream is not None
    return served.env.downstream


@pytest.mark.parametrize(
    ("served", "check_id"), [(policy, name) for policy in BY_POLICY for name in _ids(policy)], indirect=["served"]
)
async def test_holds_and_fails(served: ServedEndpoint, check_id: str) -> None:
    """A check distinguishes the valid endpoint from one that ignores policy, deadline or code."""
    good = await outcome(served, check_id, GOOD)
    assert good.status == "pass", good.actual
    bad = await outcome(served, check_id, POLICY_FAULTS[check_id](downstream_of(served)))
    assert bad.status == "fail", bad.actual


@pytest.mark.parametrize("check_id", ROTATIONS)
async def test_a_rotation_is_told_apart_by_two_fresh_endpoints(check_id: str) -> None:
    """A check of a key rollover passes for one endpoint and fails for one that does not read the keys again."""
    variant = replace(VARIANTS["fail"], policy=REGISTRY[check_id].variant.policy)  # type: ignore[union-attr] # F has one
    async with open_with_downstream(variant) as served:
        good = await outcome(served, check_id, GOOD)
        assert good.status == "pass", good.actual
    async with open_with_downstream(variant) as served:
        bad = await outcome(served, check_id, POLICY_FAULTS[check_id](downstream_of(served)))
        assert bad.status == "fail", bad.actual


@pytest.mark.parametrize("check_id", RETRY_FAULTS)
async def test_a_retry_succeeds_by_the_join_alone(check_id: str) -> None:
    """With the join every sign-in succeeds, and without it none."""
    async with open_with_downstream(TWO_ATTEMPTS, delays=1) as served:
        good = await outcome(served, check_id, GOOD)
        assert (good.status, good.actual[:6]) == ("pass", "5 of 5"), good.actual
        bad = await outcome(served, check_id, RETRY_FAULTS[check_id](downstream_of(served)))
        assert (bad.status, bad.actual[:6]) == ("fail", "0 of 5"), bad.actual


@pytest.mark.parametrize("check_id", REASON_FAULTS)
async def test_a_reason_is_wanted_in_a_line_that_azure_shows(check_id: str) -> None:
    """A check passes where the request's line has the reason, and fails where it is logged at import."""
    variant = REGISTRY[check_id].variant
    assert variant is not None
    for fault, status in ((None, "pass"), (REASON_FAULTS[check_id], "fail")):
        async with open_with_downstream(variant) as served:
            made = GOOD if fault is None else fault(downstream_of(served))
            result = await outcome(served, check_id, made)
            assert result.status == status, result.actual


def _asks_again(downstream: DownstreamServer) -> PlantedFault:
    """Count one additional API call."""

    def after(request: Incoming, answer: Outgoing) -> Outgoing:
        if downstream.fault is not None and request.method == "POST":
            downstream.asked_about[request.json["data"]["authenticationContext"]["user"]["id"]] += 1
        return answer

    return PlantedFault(after=after)


def _comes_late(_: DownstreamServer) -> PlantedFault:
    """Advance the stopwatch at each reading; an exchange reads it three times more."""
    ticks = iter(range(10_000))
    return PlantedFault(env=lambda env: replace(env, stopwatch=lambda: next(ticks) * (BUDGET_MS + 151) / 3000))


@pytest.mark.parametrize("served", ["stale"], indirect=True)
@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (OMITS, "X-Claims-Outcome: omitted"),
        (INVENTS, "other claims: CustomRoles"),
        (spoiled(lambda answer: answer.with_header("X-Claims-Outcome", None)), "X-Claims-Outcome: absent"),
        (spoiled(lambda answer: answer.with_header("Server-Timing", None)), "no total in Server-Timing"),
        (total_ms(BUDGET_MS + 51), f"the response left after {BUDGET_MS + 51} ms"),
        (_comes_late, f"the response arrived after {BUDGET_MS + 151} ms"),
        (_asks_again, "the API was called 2 times"),
        (UNNAMED, "the failure is logged as unexpected"),
        (logged(lambda line: [line, line]), "2 log lines"),
        (logged(lambda _: []), "0 log lines"),
        (logged(lambda line: [{**line, "outcome": "claims"}]), "logged as claims"),
    ],
)
async def test_each_complaint_is_made(served: ServedEndpoint, make: Make, complaint: str) -> None:
    """Status, header, claims, both times, calls and log line are each checked."""
    bad = await outcome(served, "F71", make(downstream_of(served)))
    assert bad.status == "fail"
    assert complaint in bad.actual


@pytest.mark.parametrize("served", ["fail"], indirect=True)
async def test_an_endpoint_that_is_never_well_fails(served: ServedEndpoint) -> None:
    """If no dependency fails and there are still no claims, the check fails and is not skipped."""
    fault = PlantedFault(
        after=lambda _, answer: replace(answer, status=503, headers=()),
        env=lambda env: replace(env, stopwatch=lambda: time.monotonic() * 30),
    )
    bad = await outcome(served, "F11", fault)
    assert (bad.status, "although no dependency fails" in bad.actual) == ("fail", True)
