"""The checks of the log accept each documented way to log refusals, and find a secret in the log of any request."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from selftest.checks import REGISTRY
from selftest.checks.bench.probe import RawRequest, RawResponse
from selftest.checks.runner import run_checks
from selftest.judge.received_reply import CallFailure
from selftest.report.results import CheckResult
from tests.selftest.checks.planted_fault import Incoming, Outgoing, PlantedFault
from tests.selftest.checks.served_endpoint import ServedEndpoint, open_served_endpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")

type Line = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def shared_endpoint() -> AsyncIterator[ServedEndpoint]:
    """Return one endpoint for all tests here; each test has its own log."""
    async with open_served_endpoint() as served:
        yield served


def code_of(request: Incoming) -> str:
    """Return the reason as this project's endpoint does."""
    return "issued_in_future" if request.token.payload["iat"] > request.token.payload["nbf"] else "not_yet_valid"


def logs(change: Callable[[Line, int], list[Line]], *, good: bool = True) -> PlantedFault:
    """Return a fault with its own log, independent of the endpoint's.

    Args:
        change: Makes the lines of a refusal from a complete line and the number of earlier refusals with its code.
        good: Whether answered requests have a line.
    """
    written: list[str] = []
    seen: Counter[str] = Counter()

    def after(request: Incoming, answer: Outgoing) -> Outgoing:
        line: Line = {"event": "onTokenIssuanceStart", "correlationId": None, "status": answer.status}
        if answer.status == 401:
            code = code_of(request)
            seen[code] += 1
            written.extend(json.dumps(changed) for changed in change({**line, "outcome": code}, seen[code] - 1))
        elif good:
            correlation_id = request.json["data"]["authenticationContext"]["correlationId"]
            written.append(json.dumps({**line, "correlationId": correlation_id, "outcome": "claims"}))
        return answer

    return PlantedFault(after=after, env=lambda env: replace(env, log=lambda: written))


async def c96(served: ServedEndpoint, fault: PlantedFault) -> CheckResult:
    """Run C96 against an endpoint with this log."""
    return await run_one("C96", served, fault)


async def run_one(check_id: str, served: ServedEndpoint, fault: PlantedFault) -> CheckResult:
    """Run one check against an endpoint with this log."""
    served.fault = fault
    (result,) = [result async for result in run_checks([REGISTRY[check_id]], fault.env(served.env))]
    return result


def writes(line: Callable[[Incoming, Outgoing], str | None]) -> PlantedFault:
    """Return a fault whose own log has what ``line`` returns for each answered request."""
    written: list[str] = []

    def after(request: Incoming, answer: Outgoing) -> Outgoing:
        written.extend(filter(None, [line(request, answer)]))
        return answer

    return PlantedFault(after=after, env=lambda env: replace(env, log=lambda: written))


GOOD: dict[str, Callable[[Line, int], list[Line]]] = {
    "each is written": lambda line, _: [line],
    "the first is written": lambda line, before: [] if before else [line],
    "a minute ends in between": lambda line, before: [[line], [], [{**line, "not_written": 1}]][before],
    "a minute ends after the first": lambda line, before: [line] if before < 2 else [],
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
async def test_both_ways_to_log_refusals_are_accepted(
    served: ServedEndpoint, change: Callable[[Line, int], list[Line]]
) -> None:
    """A refusal without a line is counted in a later line."""
    result = await c96(served, logs(change))
    assert result.status == "pass", result.actual


BAD: dict[str, tuple[Callable[[Line, int], list[Line]], str]] = {
    "none is written": (lambda *_: [], "0 lines for 4 refusals"),
    "the limit is not per code": (
        lambda line, before: [] if before or line["outcome"] == "issued_in_future" else [line],
        "1 line for 4 refusals",
    ),
    "the first is not written": (
        lambda line, before: (
            [line] if line["outcome"] == "issued_in_future" else [{**line, "not_written": 2}] * (before // 2)
        ),
        "the first refusal of a kind has no line",
    ),
    "the count is no number": (lambda line, _: [{**line, "not_written": "2"}], "not a number above zero"),
    "the count is zero": (lambda line, _: [{**line, "not_written": 0}], "not a number above zero"),
    "the count is too high": (
        lambda line, before: [[line], [], [{**line, "not_written": 7}]][before],
        "9 refusals are counted where 3 were sent",
    ),
    "no reason is given": (lambda line, _: [{**line, "outcome": ""}], "no outcome"),
}


@pytest.mark.parametrize(("change", "says"), BAD.values(), ids=BAD)
async def test_what_is_lost_is_told(
    served: ServedEndpoint, change: Callable[[Line, int], list[Line]], says: str
) -> None:
    """A kind of refusal without a line, and a wrong count, fail the check."""
    result = await c96(served, logs(change))
    assert (result.status, says in result.actual) == ("fail", True), result.actual


async def test_authenticated_request_without_a_line_is_told(served: ServedEndpoint) -> None:
    """The valid request that follows must have a line."""
    result = await c96(served, logs(lambda line, _: [line], good=False))
    assert (result.status, result.actual) == ("fail", "the valid request that followed has no line")


@pytest.mark.parametrize("check_id", ["C97", "C98"])
@pytest.mark.parametrize("logged_status", [200, None], ids=["replies", "refusals"])
async def test_a_secret_is_found_whichever_requests_are_logged(
    served: ServedEndpoint, check_id: str, logged_status: int | None
) -> None:
    """An app may log its refusals alone: every request is sent before the log is judged."""

    def line(request: Incoming, answer: Outgoing) -> str | None:
        is_logged = (answer.status == 200) is (logged_status == 200)
        return f"got {request.header('authorization')} {request.body.decode()}" if is_logged else None

    result = await run_one(check_id, served, writes(line))
    assert (result.status, result.actual.startswith("the log contains: ")) == ("fail", True), result.actual
    refused = await run_one(check_id, served, writes(lambda _, answer: f"refused {answer.status}"))
    assert (refused.status, refused.actual) == ("pass", f"none in {3 if check_id == 'C97' else 2} lines of the log")


async def test_a_refused_token_is_found_where_the_version_is_not_read(served: ServedEndpoint) -> None:
    """Many endpoints accept an unknown version, so that another token is needed that each endpoint refuses."""

    def line(request: Incoming, answer: Outgoing) -> str | None:
        accepted = answer.status == 200 or request.token.payload["ver"] == "9.0"
        return None if accepted else f"refused {request.header('authorization')}"

    assert (await run_one("C97", served, writes(line))).status == "fail"


async def test_a_log_without_a_line_is_not_judged(served: ServedEndpoint) -> None:
    """What was not logged is unknown, not fine."""
    result = await run_one("C97", served, writes(lambda *_: None))
    assert (result.status, result.actual) == ("skip", "the app logged nothing meanwhile")


@pytest.mark.parametrize(("status", "failure", "judged"), [(None, "timeout", "skip"), (200, None, "fail")])
async def test_a_request_that_is_not_answered_may_have_no_line(
    served: ServedEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    status: int | None,
    failure: CallFailure | None,
    judged: str,
) -> None:
    """A blocked event loop is another check's finding; an answer without a line is this one's."""

    async def logged(_env: object, request: RawRequest, **_: object) -> tuple[RawResponse, list[str]]:
        return RawResponse(request=request, status=status, failure=failure), []

    monkeypatch.setattr("selftest.checks.contract.log.logged", logged)
    env = replace(served.env, log=list)
    (result,) = [result async for result in run_checks([REGISTRY["C95"]], env)]
    assert result.status == judged, result.actual
