"""The runner: order, skips with reasons, failing checks, and controls that make refusals count."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from selftest.checks import REGISTRY, Check, CheckOutcome
from selftest.checks.bench.environment import CheckEnvironment, OpenVariant
from selftest.checks.bench.probe import RawRequest, RawResponse
from selftest.checks.bench.variant import BY_POLICY, AppVariant
from selftest.checks.expectations import failed, skipped
from selftest.checks.registry import ANYWHERE
from selftest.checks.runner import run_checks
from selftest.report.results import CheckResult
from tests.checkout import ROOT
from tests.selftest.checks.key_faults import KEY_STAGES
from tests.selftest.checks.planted_fault import GOOD, answers, believes
from tests.selftest.checks.served_endpoint import ServedEndpoint, open_served_endpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="served")
async def shared_endpoint() -> AsyncIterator[ServedEndpoint]:
    """Return one endpoint for all tests here."""
    async with open_served_endpoint() as served:
        yield served


async def run(env: CheckEnvironment, *checks: Check, open_variant: OpenVariant | None = None) -> list[CheckResult]:
    """Return every result."""
    return [result async for result in run_checks(checks, env, open_variant=open_variant)]


def a_check(check_id: str, **changes: object) -> Check:
    """Return a check that passes, with changes."""

    async def holds(env: CheckEnvironment) -> CheckOutcome:
        del env
        return CheckOutcome(status="pass", expected="it", actual="it")

    check = Check(
        id=check_id, title="holds", level="sign-in", source="ours", why="why", fix="fix", explain="explain", run=holds
    )
    return replace(check, **changes)  # type: ignore[arg-type] # the fields of Check, chosen by the test


async def test_stages_follow_one_another(served: ServedEndpoint) -> None:
    """Rollovers run first and malformed keys last, the others in the order of ids."""
    last = a_check("A75", stage="malformed-keys")
    results = await run(served.env, last, a_check("C01"), a_check("T170", stage="rollover"), a_check("B01"))
    assert [result.id for result in results] == ["T170", "B01", "C01", "A75"]


async def test_a_check_that_breaks_is_an_error_and_names_the_class_only(served: ServedEndpoint) -> None:
    """An exception is neither a pass nor a leak, and the next check still runs."""

    async def breaks(env: CheckEnvironment) -> CheckOutcome:
        raise RuntimeError(f"secret {env.good_token()}")

    first, second = await run(served.env, a_check("B01", run=breaks), a_check("B02"))
    assert (first.status, first.actual) == ("error", "the check itself failed: RuntimeError")
    assert second.status == "pass"


@pytest.mark.parametrize(
    ("changes", "check_id", "reason"),
    [
        ({"trusted": False}, "C01", "--token-file"),
        ({"trusted": False, "real_token": "a.b.c"}, "T120", "trusts another issuer"),
        ({"log": None}, "C95", "the app runs elsewhere"),
        ({"runs_app": False}, "C95", "may have any form"),
        ({"log": None}, "C97", "name its file with --app-log"),
        ({}, "F03", "check --app DIR`, without --url"),
        ({"log": None, "trusted": False}, "F03", "check --app DIR`, without --url"),
    ],
)
async def test_what_cannot_run_is_a_skip_with_its_reason(
    served: ServedEndpoint, changes: dict[str, object], check_id: str, reason: str
) -> None:
    """A check with an unsatisfied need is skipped with its reason."""
    env = replace(served.env, **changes)  # type: ignore[arg-type] # the fields of Bench, chosen by the table
    (result,) = await run(env, REGISTRY[check_id])
    assert result.status == "skip"
    assert reason in result.actual


async def test_fix_names_our_file_where_the_app_has_it(served: ServedEndpoint, tmp_path: Path) -> None:
    """A foreign app that is started here has none of this project's files, nor has one that runs elsewhere."""
    check = a_check("B01", fix="Parse strictly. See claims/event.py.")
    fixes = [
        result.fix
        for folder in (None, tmp_path, ROOT)
        for result in await run(replace(served.env, app_dir=folder), check)
    ]
    assert fixes == ["Parse strictly.", "Parse strictly.", "Parse strictly. See claims/event.py."]


async def test_an_endpoint_that_refuses_everything_passes_no_attack(served: ServedEndpoint) -> None:
    """If the control is refused, a refusal proves nothing: the attacks are skipped, and C01 fails."""
    served.fault = answers(401, lambda _: True)
    attacks = [check for check in REGISTRY.values() if check.id[0] in "TB" and not check.title.startswith("accepts")]
    # T79 wants the good request accepted; B84 sends no control, and fails for the health that is refused, too.
    tried = [check for check in attacks if check.stage not in KEY_STAGES and check.id not in {"T79", "B84"}]
    results = await run(served.env, *tried)
    assert {result.status for result in results} == {"skip"}
    assert [result.status for result in await run(served.env, REGISTRY["C01"])] == ["fail"]


async def test_an_endpoint_that_believes_everything_passes_no_attack(served: ServedEndpoint) -> None:
    """If every token is accepted, no hostile one counts as refused."""
    served.fault = believes(lambda _: True)
    attacks = [check for check in REGISTRY.values() if check.id[0] == "T" and check.title.startswith("refuses")]
    results = await run(served.env, *(check for check in attacks if check.stage not in KEY_STAGES))
    assert {result.status for result in results} == {"fail"}


async def test_without_a_believed_token_the_attacks_that_need_none_say_so(served: ServedEndpoint) -> None:
    """Against a deployed endpoint an attack runs without its control, and the result says so."""
    served.fault = replace(served.fault, before=answers(401, lambda _: False).before)
    env = replace(served.env, trusted=False)
    (result,) = await run(env, REGISTRY["T30"])
    assert (result.status, "without a control" in result.actual) == ("pass", True)


async def test_a_real_token_serves_as_the_good_one(served: ServedEndpoint) -> None:
    """A token of the real Entra serves as the valid one."""
    served.fault = replace(served.fault, before=answers(401, lambda _: False).before)
    env = replace(served.env, trusted=False, real_token=served.entra.mint.callout_token())
    results = await run(env, *(check for check in REGISTRY.values() if check.id[0] == "B"))
    assert {result.status for result in results} == {"pass"}


async def test_no_result_holds_a_token_or_a_name(served: ServedEndpoint) -> None:
    """Failed results are redacted, and have a command that repeats the request."""
    served.fault = answers(500, lambda _: True)
    results = await run(served.env, *(check for check in REGISTRY.values() if check.stage not in KEY_STAGES))
    text = repr(results)
    assert "eyJ" not in text
    assert "Ada" not in text
    assert "Sample Ltd" not in text
    assert "@sample.example" not in text
    assert any(result.curl and "Bearer $TOKEN" in result.curl for result in results)


async def test_a_bench_without_a_believed_token_gives_none(served: ServedEndpoint) -> None:
    """Asking for a valid token without one raises an error."""
    with pytest.raises(LookupError, match="--token-file"):
        replace(served.env, trusted=False).good_token()


async def test_a_check_that_needs_nothing_runs_anywhere(served: ServedEndpoint) -> None:
    """A check without needs is never skipped."""
    env = replace(served.env, trusted=False, log=None)
    (result,) = await run(env, a_check("C01", needs=ANYWHERE))
    assert result.status == "pass"


async def test_each_variant_is_opened_once_and_closed(served: ServedEndpoint) -> None:
    """The checks of a variant share its environment and run in the order of ids; others use the usual one."""
    opened: Counter[str] = Counter()
    benches: dict[str, CheckEnvironment] = {}

    @asynccontextmanager
    async def open_variant(variant: AppVariant) -> AsyncIterator[CheckEnvironment]:
        opened[variant.name] += 1
        yield replace(served.env, variant=variant)
        await asyncio.sleep(0.01)  # an app takes a moment to end
        opened[variant.name] += 10

    async def notes(env: CheckEnvironment) -> CheckOutcome:
        benches[env.variant.name if env.variant else "usual"] = env
        return CheckOutcome(status="pass", expected="it", actual="it")

    fail, omit = BY_POLICY["fail"], BY_POLICY["omit"]
    checks = [
        a_check("F02", run=notes, variant=fail),
        a_check("F01", run=notes, variant=fail),
        a_check("F31", run=notes, variant=omit),
        a_check("C01", run=notes),
    ]
    results = await run(served.env, *checks, open_variant=open_variant)
    ids = [result.id for result in results]
    assert (ids[0], sorted(ids)) == ("C01", ["C01", "F01", "F02", "F31"])
    assert ids.index("F01") < ids.index("F02")
    assert opened == {fail.name: 11, omit.name: 11}
    assert benches["usual"] is served.env
    assert benches[fail.name].variant == fail


async def test_an_app_that_does_not_start_is_the_result_of_its_checks(served: ServedEndpoint) -> None:
    """Its checks have the status error with the reason, and those of another variant still run."""

    @asynccontextmanager
    async def open_variant(variant: AppVariant) -> AsyncIterator[CheckEnvironment]:
        if variant.policy == "fail":
            raise OSError("no port is free")
        yield served.env

    checks = [a_check("F01", variant=BY_POLICY["fail"]), a_check("F31", variant=BY_POLICY["omit"])]
    results = {result.id: result for result in await run(served.env, *checks, open_variant=open_variant)}
    assert (results["F01"].status, results["F31"].status) == ("error", "pass")
    assert "did not start: OSError: no port is free" in results["F01"].actual


async def test_who_stops_listening_stops_the_variants(served: ServedEndpoint) -> None:
    """Closing the generator stops the apps of the variants."""
    closed = asyncio.Event()

    @asynccontextmanager
    async def open_variant(variant: AppVariant) -> AsyncIterator[CheckEnvironment]:
        try:
            yield replace(served.env, variant=variant)
        finally:
            closed.set()

    async def never(env: CheckEnvironment) -> CheckOutcome:
        del env
        await asyncio.Event().wait()
        raise AssertionError

    first = a_check("F01", variant=BY_POLICY["fail"])
    results = run_checks(
        [first, a_check("F02", variant=BY_POLICY["fail"], run=never)], served.env, open_variant=open_variant
    )
    assert (await anext(results)).id == "F01"
    await results.aclose()
    assert closed.is_set()


async def test_a_failure_carries_the_apps_line(served: ServedEndpoint) -> None:
    """The line of the request that decided it, found by its correlation id."""

    async def fails(env: CheckEnvironment) -> CheckOutcome:
        return failed(await env.send(env.good_request()), "another answer")

    served.fault = GOOD
    env = replace(served.env, log=lambda: served.lines)
    failing, passing = await run(env, a_check("C01", run=fails), a_check("C02"))
    (line,) = failing.app_lines
    assert (line.status, line.outcome) == (200, "claims")
    assert {"token", "body", "provider"} <= line.phases_ms.keys()
    assert passing.app_lines == ()


async def test_an_endpoint_that_stops_is_one_finding(served: ServedEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was checked just then, users cannot sign in any more; what follows is a skip that names it."""
    served.fault = GOOD
    gone = RawResponse(request=served.env.good_request(), status=None, failure="connection")

    async def no_connection(_: CheckEnvironment, request: RawRequest) -> RawResponse:
        return replace(gone, request=request)

    async def stops(_: CheckEnvironment) -> CheckOutcome:
        monkeypatch.setattr(CheckEnvironment, "send", no_connection)
        return skipped("a refusal", f"{gone}, which is not a refusal")

    env = replace(served.env, log=lambda: ["the worker ended (exit code 3): running calls"])
    stops_here = a_check("C02", run=stops, level="convention")
    first, second, third = await run(env, a_check("C01"), stops_here, a_check("C03"))
    assert first.status == "pass"
    assert (second.status, second.level) == ("error", "sign-in")
    assert second.actual.startswith("the endpoint answered before this check, and stopped answering")
    assert str(second.app_lines[0]) == "the app's process ended (exit code 3)"
    assert (third.status, third.cause) == ("skip", "C02")
    assert "stopped answering (C02)" in third.actual


async def test_a_broken_connection_alone_is_no_stop(served: ServedEndpoint) -> None:
    """The endpoint answers the next call, so the run goes on."""
    served.fault = GOOD

    async def breaks(_: CheckEnvironment) -> CheckOutcome:
        return skipped("a refusal", "no response (connection), which is not a refusal")

    first, second = await run(served.env, a_check("C02", run=breaks), a_check("C03"))
    assert (first.status, second.status) == ("skip", "pass")
