"""Large bodies: when a web host may refuse them, and that they are not held in memory."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from selftest.checks import REGISTRY
from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.target_environment import environment_of, require_answer
from selftest.checks.runner import run_checks
from selftest.cli import parser
from selftest.host.http_edge import BODY_LIMIT_SETTING
from selftest.play.target import open_target
from selftest.report.results import CheckResult
from tests.selftest.checks.planted_fault import Incoming, Outgoing, PlantedFault, answers
from tests.selftest.checks.served_endpoint import ServedEndpoint, open_served_endpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT_BYTES = 64 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def shared_endpoint() -> AsyncIterator[ServedEndpoint]:
    """One endpoint for all tests here."""
    async with open_served_endpoint() as served:
        yield served


async def outcome(check_id: str, env: CheckEnvironment) -> CheckResult:
    """Run one check."""
    (result,) = [result async for result in run_checks([REGISTRY[check_id]], env)]
    return result


def empty(status: int) -> PlantedFault:
    """Return a fault that answers a complete large body with this status and an empty body."""

    async def before(request: Incoming, _: object) -> Incoming | Outgoing:
        large = len(request.body) > LIMIT_BYTES
        return Outgoing(status=status, body=b"", headers=()) if large else request

    return PlantedFault(before=before)


@pytest.mark.parametrize("check_id", ["B23", "B81", "C54"])
async def test_host_s_refusal_from_the_announced_length_is_accepted(served: ServedEndpoint, check_id: str) -> None:
    """An empty 500 that does not wait for the body is Microsoft's host, and not a failure of the endpoint."""
    served.fault, served.body_limit_bytes = PlantedFault(), LIMIT_BYTES
    try:
        result = await outcome(check_id, served.env)
    finally:
        served.body_limit_bytes = None
    announced = " from the announced length" if check_id == "B81" else ""
    assert (result.status, result.actual) == ("pass", f"HTTP 500{announced}")


@pytest.mark.parametrize(
    ("check_id", "fault"),
    [
        ("B81", empty(500)),
        ("B81", empty(413)),
        ("C54", answers(500, lambda request: len(request.body) > LIMIT_BYTES)),
        ("C52", answers(500, lambda request: request.body == b"")),
    ],
    ids=["B81 empty 500 late", "B81 413 late", "C54 500 with a text", "C52 500"],
)
async def test_other_failures_are_no_refusal_of_the_host(
    served: ServedEndpoint, check_id: str, fault: PlantedFault
) -> None:
    """A failure after the whole body, a 500 with a text, and a 500 for a small body are the app's failures."""
    served.fault = fault
    assert (await outcome(check_id, served.env)).status == "fail"


@pytest.mark.parametrize(("limit", "status"), [("65536", "pass"), ("104857600", "fail")])
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads the peak memory from /proc (Linux)")
async def test_bodies_that_the_host_holds_are_seen_in_its_memory(limit: str, status: str) -> None:
    """The app of this checkout behind the deployed limit, and behind Microsoft's default, which accepts 64 MiB."""
    args = parser().parse_args(["check", "--setting", f"{BODY_LIMIT_SETTING}={limit}"])
    async with open_target(args) as target:
        env = environment_of(target)
        await require_answer(env)
        result = await outcome("B84", env)
    assert result.status == status, result.actual
    assert ("grew by" in result.actual) is (status == "fail")


async def test_stranger_who_is_let_in_is_told(served: ServedEndpoint) -> None:
    """B84 fails if an unauthenticated request is answered 200."""
    served.fault = answers(200, lambda request: len(request.body) > LIMIT_BYTES)
    assert (await outcome("B84", served.env)).status == "fail"


async def test_lost_health_is_told(served: ServedEndpoint) -> None:
    """B84 fails if the health endpoint does not answer afterwards."""
    served.fault = answers(503, lambda request: request.method == "GET")
    result = await outcome("B84", served.env)
    assert (result.status, result.actual) == ("fail", "health afterwards: HTTP 503")
    assert (await outcome("B84", replace(served.env, log=None))).status == "pass"


async def test_nothing_is_sent_to_another_machine(served: ServedEndpoint) -> None:
    """64 MiB are sent only to this machine."""
    result = await outcome("B84", replace(served.env, url="https://claims.example/api/x"))
    assert (result.status, "only to an endpoint on this machine" in result.actual) == ("skip", True)


async def test_silence_is_no_refusal(served: ServedEndpoint) -> None:
    """Without a response B84 is an error: the endpoint stopped, wherever it runs."""
    gone = replace(served.env, url="http://127.0.0.1:1/")
    for env in (gone, replace(gone, log=None)):
        stopped = await outcome("B84", env)
        assert (stopped.stopped, stopped.level) == (True, "sign-in")
