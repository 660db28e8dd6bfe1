"""Runs checks one after the other against a bench.

In turn, so that a count of fetches or of log lines is one check's own; those that need a fresh app come first, because
every other check may spend what they need. A check that raises is a result of its own and never a pass.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from selftest.checks.bench import Bench, Need
from selftest.checks.probe import redact
from selftest.checks.registry import Check, Outcome
from selftest.report.results import CheckResult

#: Fifty requests that each time out two at a time take less.
CHECK_TIMEOUT_S: Final = 60.0

_LACKS: Final[dict[Need, str]] = {
    "token": "no token that the endpoint believes is at hand; give a real one with --token-file",
    "issuer": "the endpoint trusts another issuer than the emulated Entra, so its tokens cannot be forged",
    "app": "the app runs elsewhere, so its log cannot be read",
    "fresh": "the app was not started by this run, so its key cache is in an unknown state",
}


async def run_checks(
    checks: Sequence[Check], bench: Bench, *, clock: Callable[[], float] = time.perf_counter
) -> AsyncIterator[CheckResult]:
    """Run checks and yield each result when it is there.

    Whoever stops listening, or is cancelled, keeps what came so far. The order is that of running; sort by
    ``Check.order`` for a report.
    """
    for check in sorted(checks, key=lambda check: ("fresh" not in check.needs, check.order)):
        start_s = clock()
        outcome = await _run(check, bench)
        yield CheckResult(
            id=check.id,
            title=check.title,
            level=check.level,
            status=outcome.status,
            expected=outcome.expected,
            actual=redact(outcome.actual),
            why=check.why,
            fix=check.fix,
            source=check.source,
            curl=outcome.curl,
            latency_ms=None if outcome.latency_ms is None else round(outcome.latency_ms, 3),
            duration_ms=round((clock() - start_s) * 1000, 3),
        )


async def _run(check: Check, bench: Bench) -> Outcome:
    expected = f"the endpoint {check.title}"
    lacking = [need for need in _LACKS if need in check.needs - bench.have]
    if lacking:
        return Outcome(status="skip", expected=expected, actual=_LACKS[lacking[0]])
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check.run(bench)
    except TimeoutError:
        return Outcome(status="error", expected=expected, actual=f"the check took longer than {CHECK_TIMEOUT_S:.0f} s")
    except Exception as error:  # noqa: BLE001 - one broken check must not hide what the others find
        # The class alone: a message could hold what was sent.
        return Outcome(status="error", expected=expected, actual=f"the check itself broke: {type(error).__name__}")
