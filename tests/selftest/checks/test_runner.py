"""The runner: order, skips with reasons, a check that breaks, and controls that make refusals count."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio

from selftest.checks import REGISTRY, Check, Outcome
from selftest.checks.bench.environment import Bench, OpenVariant
from selftest.checks.bench.variant import BY_POLICY, Variant
from selftest.checks.registry import ANYWHERE, FRESH
from selftest.checks.runner import run_checks
from selftest.report.results import CheckResult
from tests.selftest.checks.broken import answers, believes
from tests.selftest.checks.lab import Lab, open_lab

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="lab")
async def shared_lab() -> AsyncIterator[Lab]:
    """One endpoint for all tests here."""
    async with open_lab() as lab:
        yield lab


async def run(bench: Bench, *checks: Check, open_variant: OpenVariant | None = None) -> list[CheckResult]:
    """Collect every result."""
    return [result async for result in run_checks(checks, bench, open_variant=open_variant)]


def a_check(check_id: str, **changes: object) -> Check:
    """Make a check that holds, with changes."""

    async def holds(bench: Bench) -> Outcome:
        del bench
        return Outcome(status="pass", expected="it", actual="it")

    check = Check(
        id=check_id, title="holds", level="must", source="ours", why="why", fix="fix", explain="explain", run=holds
    )
    return replace(check, **changes)  # type: ignore[arg-type] # the fields of Check, chosen by the test


async def test_checks_of_a_fresh_app_run_first(lab: Lab) -> None:
    """Those that spend a fresh key cache come before all others, the rest in the order of ids."""
    results = await run(lab.bench, a_check("C01"), a_check("T170", needs=FRESH), a_check("B01"))
    assert [result.id for result in results] == ["T170", "B01", "C01"]


async def test_a_check_that_breaks_is_an_error_and_names_the_class_only(lab: Lab) -> None:
    """An exception is neither a pass nor a leak, and the next check still runs."""

    async def breaks(bench: Bench) -> Outcome:
        raise RuntimeError(f"secret {bench.good_token()}")

    first, second = await run(lab.bench, a_check("B01", run=breaks), a_check("B02"))
    assert (first.status, first.actual) == ("error", "the check itself broke: RuntimeError")
    assert second.status == "pass"


@pytest.mark.parametrize(
    ("changes", "check_id", "reason"),
    [
        ({"trusted": False}, "C01", "--token-file"),
        ({"trusted": False, "real_token": "a.b.c"}, "T120", "trusts another issuer"),
        ({"log": None}, "C95", "its log cannot be read"),
        ({"fresh": False}, "T170", "key cache"),
        ({}, "F03", "leave out --url"),
        ({"log": None, "trusted": False}, "F03", "leave out --url"),
    ],
)
async def test_what_cannot_run_is_a_skip_with_its_reason(
    lab: Lab, changes: dict[str, object], check_id: str, reason: str
) -> None:
    """A check that lacks something is skipped, visibly."""
    bench = replace(lab.bench, **changes)  # type: ignore[arg-type] # the fields of Bench, chosen by the table
    (result,) = await run(bench, REGISTRY[check_id])
    assert result.status == "skip"
    assert reason in result.actual


async def test_an_endpoint_that_refuses_everything_passes_no_attack(lab: Lab) -> None:
    """Where the control is refused, a refusal proves nothing: skips, and C01 fails."""
    lab.fault = answers(401, lambda _: True)
    attacks = [check for check in REGISTRY.values() if check.id[0] in "TB" and not check.title.startswith("accepts")]
    # T79 wants the good request accepted; B84 sends no control, and fails for the health that is refused, too.
    tried = [check for check in attacks if "fresh" not in check.needs and check.id not in {"T79", "B84"}]
    results = await run(lab.bench, *tried)
    assert {result.status for result in results} == {"skip"}
    assert [result.status for result in await run(lab.bench, REGISTRY["C01"])] == ["fail"]


async def test_an_endpoint_that_believes_everything_passes_no_attack(lab: Lab) -> None:
    """Where every token is believed, no hostile one counts as refused."""
    lab.fault = believes(lambda _: True)
    attacks = [check for check in REGISTRY.values() if check.id[0] == "T" and check.title.startswith("refuses")]
    results = await run(lab.bench, *(check for check in attacks if "fresh" not in check.needs))
    assert {result.status for result in results} == {"fail"}


async def test_without_a_believed_token_the_attacks_that_need_none_say_so(lab: Lab) -> None:
    """Against a deployed endpoint an attack runs without its control, and the result tells it."""
    lab.fault = replace(lab.fault, before=answers(401, lambda _: False).before)
    bench = replace(lab.bench, trusted=False, fresh=False)
    (result,) = await run(bench, REGISTRY["T30"])
    assert (result.status, "without a control" in result.actual) == ("pass", True)


async def test_a_real_token_serves_as_the_good_one(lab: Lab) -> None:
    """With a token of the real Entra the contract is checked as with a minted one."""
    lab.fault = replace(lab.fault, before=answers(401, lambda _: False).before)
    bench = replace(lab.bench, trusted=False, real_token=lab.entra.mint.callout_token())
    results = await run(bench, *(check for check in REGISTRY.values() if check.id[0] == "B"))
    assert {result.status for result in results} == {"pass"}


async def test_no_result_holds_a_token_or_a_name(lab: Lab) -> None:
    """Whatever fails, what is kept of it is redacted, and the request can be repeated from it."""
    lab.fault = answers(500, lambda _: True)
    results = await run(lab.bench, *(check for check in REGISTRY.values() if "fresh" not in check.needs))
    text = repr(results)
    assert "eyJ" not in text
    assert "Ada" not in text
    assert "Sample Ltd" not in text
    assert "@sample.example" not in text
    assert any(result.curl and "Bearer $TOKEN" in result.curl for result in results)


async def test_a_bench_without_a_believed_token_gives_none(lab: Lab) -> None:
    """Asking for a good token where there is none is an error, not an empty token."""
    with pytest.raises(LookupError, match="--token-file"):
        replace(lab.bench, trusted=False).good_token()


async def test_a_check_that_needs_nothing_runs_anywhere(lab: Lab) -> None:
    """Need is what keeps a check from running, and no need keeps it from nothing."""
    bench = replace(lab.bench, trusted=False, log=None, fresh=False)
    (result,) = await run(bench, a_check("C01", needs=ANYWHERE))
    assert result.status == "pass"


async def test_each_variant_is_opened_once_and_closed(lab: Lab) -> None:
    """Checks of one variant share its bench, run in the order of ids, and the others run against the usual one."""
    opened: Counter[str] = Counter()
    benches: dict[str, Bench] = {}

    @asynccontextmanager
    async def open_variant(variant: Variant) -> AsyncIterator[Bench]:
        opened[variant.name] += 1
        yield replace(lab.bench, variant=variant)
        opened[variant.name] += 10

    async def notes(bench: Bench) -> Outcome:
        benches[bench.variant.name if bench.variant else "usual"] = bench
        return Outcome(status="pass", expected="it", actual="it")

    fail, omit = BY_POLICY["fail"], BY_POLICY["omit"]
    checks = [
        a_check("F02", run=notes, variant=fail),
        a_check("F01", run=notes, variant=fail),
        a_check("F31", run=notes, variant=omit),
        a_check("C01", run=notes),
    ]
    results = await run(lab.bench, *checks, open_variant=open_variant)
    ids = [result.id for result in results]
    assert (ids[0], sorted(ids)) == ("C01", ["C01", "F01", "F02", "F31"])
    assert ids.index("F01") < ids.index("F02")
    assert opened == {fail.name: 11, omit.name: 11}
    assert benches["usual"] is lab.bench
    assert benches[fail.name].variant == fail


async def test_an_app_that_does_not_start_is_the_result_of_its_checks(lab: Lab) -> None:
    """Its checks are errors with the reason, and those of another variant still run."""

    @asynccontextmanager
    async def open_variant(variant: Variant) -> AsyncIterator[Bench]:
        if variant.policy == "fail":
            raise OSError("no port is free")
        yield lab.bench

    checks = [a_check("F01", variant=BY_POLICY["fail"]), a_check("F31", variant=BY_POLICY["omit"])]
    results = {result.id: result for result in await run(lab.bench, *checks, open_variant=open_variant)}
    assert (results["F01"].status, results["F31"].status) == ("error", "pass")
    assert "did not start: OSError: no port is free" in results["F01"].actual


async def test_who_stops_listening_stops_the_variants(lab: Lab) -> None:
    """An interrupted run leaves no app behind."""
    closed = asyncio.Event()

    @asynccontextmanager
    async def open_variant(variant: Variant) -> AsyncIterator[Bench]:
        try:
            yield replace(lab.bench, variant=variant)
        finally:
            closed.set()

    async def never(bench: Bench) -> Outcome:
        del bench
        await asyncio.Event().wait()
        raise AssertionError

    first = a_check("F01", variant=BY_POLICY["fail"])
    results = run_checks(
        [first, a_check("F02", variant=BY_POLICY["fail"], run=never)], lab.bench, open_variant=open_variant
    )
    assert (await anext(results)).id == "F01"
    await results.aclose()
    assert closed.is_set()
