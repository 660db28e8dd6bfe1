"""Large bodies: what a web host may refuse by itself, and what must not be held."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from selftest.checks import REGISTRY
from selftest.checks.bench.environment import Bench
from selftest.checks.bench.target_bench import bench_of, require_answer
from selftest.checks.runner import run_checks
from selftest.cli import parser
from selftest.host.http_edge import BODY_LIMIT_SETTING
from selftest.play.target import open_target
from selftest.report.results import CheckResult
from tests.selftest.checks.broken import Fault, Incoming, Outgoing, answers
from tests.selftest.checks.lab import Lab, open_lab

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT_BYTES = 64 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="lab")
async def shared_lab() -> AsyncIterator[Lab]:
    """One endpoint for all tests here."""
    async with open_lab() as lab:
        yield lab


async def outcome(check_id: str, bench: Bench) -> CheckResult:
    """Run one check."""
    (result,) = [result async for result in run_checks([REGISTRY[check_id]], bench)]
    return result


def empty(status: int) -> Fault:
    """Answer a large body with this status and nothing else, once all of it is there."""

    async def before(request: Incoming, _: object) -> Incoming | Outgoing:
        large = len(request.body) > LIMIT_BYTES
        return Outgoing(status=status, body=b"", headers=()) if large else request

    return Fault(before=before)


@pytest.mark.parametrize("check_id", ["B23", "B81"])
async def test_host_s_refusal_from_the_announced_length_is_accepted(lab: Lab, check_id: str) -> None:
    """An empty 500 that does not wait for the body is Microsoft's host, and not a failure of the endpoint."""
    lab.fault, lab.body_limit_bytes = Fault(), LIMIT_BYTES
    try:
        result = await outcome(check_id, lab.bench)
    finally:
        lab.body_limit_bytes = None
    assert (result.status, "HTTP 500 from the announced length" in result.actual) == ("pass", True)


@pytest.mark.parametrize(
    ("check_id", "fault"),
    [
        ("B23", empty(500)),
        ("B81", empty(500)),
        ("B81", empty(413)),
        ("B23", answers(500, lambda request: len(request.body) > LIMIT_BYTES)),
        ("B01", answers(500, lambda request: request.body == b"")),
    ],
    ids=["B23 empty 500 late", "B81 empty 500 late", "B81 413 late", "B23 500 with a text", "B01 500"],
)
async def test_other_failures_are_no_refusal_of_the_host(lab: Lab, check_id: str, fault: Fault) -> None:
    """What fails on the body needs it first; a 500 that says something is the app's; a small body has no excuse."""
    lab.fault = fault
    assert (await outcome(check_id, lab.bench)).status == "fail"


@pytest.mark.parametrize(("limit", "status"), [("65536", "pass"), ("104857600", "fail")])
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads the peak memory from /proc (Linux)")
async def test_bodies_that_the_host_holds_are_seen_in_its_memory(limit: str, status: str) -> None:
    """The app of this checkout behind the deployed limit, and behind Microsoft's own, which lets 64 MiB in."""
    args = parser().parse_args(["check", "--setting", f"{BODY_LIMIT_SETTING}={limit}"])
    async with open_target(args) as target:
        bench = bench_of(target)
        await require_answer(bench)
        result = await outcome("B84", bench)
    assert result.status == status, result.actual
    assert ("grew by" in result.actual) is (status == "fail")


async def test_stranger_who_is_let_in_is_told(lab: Lab) -> None:
    """Memory is not all that can be wrong."""
    lab.fault = answers(200, lambda request: len(request.body) > LIMIT_BYTES)
    assert (await outcome("B84", lab.bench)).status == "fail"


async def test_lost_health_is_told(lab: Lab) -> None:
    """An app that no longer answers its health afterwards has paid for the bodies."""
    lab.fault = answers(503, lambda request: request.method == "GET")
    result = await outcome("B84", lab.bench)
    assert (result.status, result.actual) == ("fail", "health afterwards: HTTP 503")
    assert (await outcome("B84", replace(lab.bench, log=None))).status == "pass"


async def test_nothing_is_sent_to_another_machine(lab: Lab) -> None:
    """64 MiB are not for somebody else's endpoint."""
    result = await outcome("B84", replace(lab.bench, url="https://claims.example/api/x"))
    assert (result.status, "on this machine alone" in result.actual) == ("skip", True)


async def test_silence_is_no_refusal(lab: Lab) -> None:
    """A closed port refuses nothing: elsewhere that is not known, where the app is ours it is a failure."""
    gone = replace(lab.bench, url="http://127.0.0.1:1/")
    assert (await outcome("B84", gone)).status == "fail"
    assert (await outcome("B84", replace(gone, log=None))).status == "skip"
