"""Runs checks one after the other against an environment.

They run sequentially, so that fetches and log lines can be counted per check, and in their stages: key rollovers first
and malformed keys last. Checks that need an app with other settings run after all others: each variant
has its own app, tenant and downstream; its checks run sequentially and the variants concurrently, because they mostly
wait. Variants with several instances run one after the other, because these processes need the machine for themselves.
A check that raises has the status error and never passes.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from typing import Final

from selftest.base.program import PROGRAM
from selftest.base.setting_names import PROVIDER
from selftest.checks.bench.environment import (
    GOOD_CALL,
    STARTABLE,
    CheckEnvironment,
    CheckNeed,
    GoodCallRefusal,
    OpenVariant,
)
from selftest.checks.bench.probe import redact
from selftest.checks.bench.variant import AppVariant
from selftest.checks.registry import STAGES, Check, CheckOutcome
from selftest.judge.app_line import AppLine
from selftest.play.app_log import host_lines, request_lines
from selftest.report.families import family_of
from selftest.report.results import NO_ENDPOINT, STOPPED, CheckResult

#: The provider that calls the emulated downstream.
_CALLS_DOWNSTREAM: Final = "profile_api"
_NO_CONNECTION: Final = "no response (connection)"
_FIX_STOPPED: Final = "Read the endpoint's own log: its process ended or closed its port. Start it again for the rest."

#: The app logs before it answers; what has no line by then is refused before its event is read.
_LINE_WITHIN_S: Final = 0.05
#: Where this project does it; the fix of a result names it only where the app has that file.
_OUR_PLACE: Final = re.compile(r" See (claims/[\w/]+\.py)[^.]*\.")

_LACKS: Final[dict[CheckNeed, str]] = {
    "instances": "one instance of the app was started; several need the local app and --instances 3",
    "redis-server": "there is no redis-server to share; install it (Debian: apt-get install redis-server)",
    "redis-client": "the app's Python has no client for a shared cache; install the package redis into it",
    "downstream": "the HTTP API of an endpoint that runs elsewhere cannot be made to fail; a function app with this "
    f"project's providers is started here with `{PROGRAM} check --app DIR`, without --url",
    "provider": "no fault can be injected: the app runs elsewhere (leave out --url), or has no module in "
    "claims/providers/",
    "token": "there is no token that the endpoint accepts; pass one with --token-file",
    "issuer": "the endpoint trusts another issuer than the emulated Entra, so its tokens cannot be signed here",
    "app": "the app runs elsewhere: its log, if there is one, may have any form",
    "log": "the app runs elsewhere, so its log cannot be read; name its file with --app-log",
    "load": "no load was run: that needs `load`, or `check L` for a short one, with the flags of this command",
    "cold": "no new process of the app was started; that needs the local app and --cold",
    "soak": "this needs hours of load: `load --profile soak`, with the flags of this command",
    "step": "this needs rising rates: `load --profile step`, with the flags of this command",
    "spike": "this needs a spike: `load --profile spike`, with the flags of this command",
}


async def run_checks(
    checks: Sequence[Check],
    env: CheckEnvironment,
    *,
    open_variant: OpenVariant | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> AsyncGenerator[CheckResult]:
    """Run checks and yield each result as soon as it is available.

    Closing the generator stops the run. The results come in the order of running; sort by ``Check.order`` for a
    report.

    Args:
        checks: The checks to run.
        env: The endpoint with its usual settings.
        open_variant: Starts an app with other settings; without it, the checks that need one run against ``env`` and
            are skipped unless it has these settings.
        clock: Monotonic seconds.
    """
    ordered = sorted(checks, key=lambda check: (STAGES.index(check.stage), check.order))
    variants: dict[AppVariant, list[Check]] = {}
    for check in ordered:
        lacking = check.needs & STARTABLE - env.have
        unplayed = env.refusal is not None or _other_provider(check, env) or lacking
        if check.variant is None or open_variant is None or unplayed:
            result = await _result(check, env, clock)
            if env.refusal is None and _NO_CONNECTION in result.actual and await _has_stopped(env):
                result = _as_stopped(result, env)
                env = replace(env, refusal=GoodCallRefusal(result.actual, result.fix, result.curl or "", check.id))
            yield result
        else:
            variants.setdefault(check.variant, []).append(check)
    if open_variant is None:
        return
    together = {variant: theirs for variant, theirs in variants.items() if not variant.several}
    alone = [{variant: theirs} for variant, theirs in variants.items() if variant.several]
    for lanes in (together, *alone):
        async with aclosing(_run_variants(lanes, open_variant, clock)) as results:
            async for result in results:
                yield result


async def _run_variants(
    variants: Mapping[AppVariant, Sequence[Check]], open_variant: OpenVariant, clock: Callable[[], float]
) -> AsyncGenerator[CheckResult]:
    """Run the checks of variants, all variants at the same time."""
    results: asyncio.Queue[CheckResult] = asyncio.Queue()
    lanes = [
        asyncio.create_task(_run_variant(open_variant(variant), theirs, results, clock))
        for variant, theirs in variants.items()
    ]
    try:
        for _ in range(sum(map(len, variants.values()))):
            yield await results.get()
        # Each ends its app, which a cancellation would leave to itself.
        await asyncio.gather(*lanes)
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


async def _run_variant(
    opening: AbstractAsyncContextManager[CheckEnvironment],
    checks: Sequence[Check],
    results: asyncio.Queue[CheckResult],
    clock: Callable[[], float],
) -> None:
    """Run the checks of one variant; if its app does not start, each gets the status error."""
    left = list(checks)
    try:
        async with opening as env:
            while left:
                results.put_nowait(await _result(left[0], env, clock))
                del left[0]
    except Exception as error:  # noqa: BLE001 - any failure to start is the checks' result
        reason = (str(error).splitlines() or [""])[0]
        actual = f"the app for this check did not start: {type(error).__name__}: {reason}"
        for check in left:
            outcome = CheckOutcome(status="error", expected=f"the endpoint {check.title}", actual=actual)
            results.put_nowait(_shown(check, outcome, 0.0))


async def _has_stopped(env: CheckEnvironment) -> bool:
    """Whether the endpoint, which answered before, cannot be connected to any more."""
    return (await env.send(env.control() or env.request())).failure == "connection"


def _as_stopped(result: CheckResult, env: CheckEnvironment) -> CheckResult:
    """Return the result during which the endpoint stopped: whatever was checked, nobody can sign in any more."""
    lines = () if env.log is None else host_lines(env.log())
    actual = f"{STOPPED}: {result.actual}"
    return replace(result, level="sign-in", status="error", actual=actual, fix=_FIX_STOPPED, app_lines=lines)


async def _result(check: Check, env: CheckEnvironment, clock: Callable[[], float]) -> CheckResult:
    start_s, before = clock(), 0 if env.log is None else len(env.log())
    outcome = await _run(check, env)
    shown = _shown(check, outcome, (clock() - start_s) * 1000)
    if shown.bad:
        shown = replace(shown, app_lines=await _app_lines(env, outcome, before))
    place = _OUR_PLACE.search(shown.fix)
    if place and env.app_dir is not None and (env.app_dir / place[1]).is_file():
        return shown
    return replace(shown, fix=_OUR_PLACE.sub("", shown.fix))


async def _app_lines(env: CheckEnvironment, outcome: CheckOutcome, before: int) -> tuple[AppLine, ...]:
    """Return what the app's log says about the request that decided a failure."""
    if env.refusal is not None:
        return env.refusal.app_lines
    if env.log is None or outcome.correlation_id is None:
        return ()
    return await request_lines(env.log, outcome.correlation_id, before=before, wait_s=_LINE_WITHIN_S)


def _shown(check: Check, outcome: CheckOutcome, duration_ms: float) -> CheckResult:
    return CheckResult(
        id=check.id,
        title=check.title,
        level=check.level,
        status=outcome.status,
        expected=outcome.expected,
        actual=redact(outcome.actual),
        why=check.why,
        fix=outcome.fix or check.fix,
        source=check.source,
        curl=outcome.curl,
        latency_ms=None if outcome.latency_ms is None else round(outcome.latency_ms, 3),
        duration_ms=round(duration_ms, 3),
        let_in=outcome.let_in,
        cause=outcome.cause or (family_of(check.id) if outcome.status == "fail" else None),
        answer=outcome.answer,
    )


def _other_provider(check: Check, env: CheckEnvironment) -> bool:
    """Whether a check makes the emulated downstream fail, which the provider that the command names does not call."""
    return "downstream" in check.needs and env.provider not in {None, _CALLS_DOWNSTREAM}


def _to_play(check: Check) -> str:
    return f"{check.id[0]} --instances 3" if "instances" in check.needs else check.id[0]


async def _run(check: Check, env: CheckEnvironment) -> CheckOutcome:
    expected = f"the endpoint {check.title}"
    if env.refusal is not None:
        refusal, cause = env.refusal, env.refusal.check_id
        if check.id == cause:
            wanted = "HTTP 200" if "token" in env.have else "a refusal of the call without a token"
            failed = CheckOutcome(status="fail", expected=wanted, actual=refusal.reason, fix=refusal.fix)
            return replace(failed, curl=refusal.curl, answer=refusal.answer)
        called = "the valid call is refused" if "token" in env.have else NO_ENDPOINT
        what = called if cause == GOOD_CALL else "the endpoint stopped answering"
        reason = f"{what} ({cause}), so that nothing else was run"
        return CheckOutcome(status="skip", expected=expected, actual=reason, cause=cause)
    if _other_provider(check, env):
        reason = (
            f"{PROVIDER}={env.provider} does not call the HTTP API that fails here, or makes claims of its own of it. "
            "In a test, the fixture loopback_api is an API that fails for it. To see how the endpoint handles it "
            f"with the built-in {_CALLS_DOWNSTREAM}, set no {PROVIDER}: `{PROGRAM} check {_to_play(check)}`"
        )
        return CheckOutcome(status="skip", expected=expected, actual=reason)
    lacking = [need for need in _LACKS if need in check.needs - env.have]
    if lacking:
        return CheckOutcome(status="skip", expected=expected, actual=_LACKS[lacking[0]])
    try:
        async with asyncio.timeout(check.timeout_s):
            return await check.run(env)
    except TimeoutError:
        return CheckOutcome(
            status="error", expected=expected, actual=f"the check took longer than {check.timeout_s:.0f} s"
        )
    except Exception as error:  # noqa: BLE001 - one failing check must not stop the others
        # Only the class: a message could contain the request.
        return CheckOutcome(
            status="error", expected=expected, actual=f"the check itself failed: {type(error).__name__}"
        )
