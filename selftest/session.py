"""One run against a target: what it found, also when it was interrupted, made into results."""

import argparse
import asyncio
import datetime as dt
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from selftest.checks import Check
from selftest.checks.bench import Bench
from selftest.checks.runner import OpenVariant, run_checks
from selftest.entra.payloads import VARIETIES
from selftest.report import provenance
from selftest.report.progress import Progress
from selftest.report.results import CheckResult, Results, SignInResult, decide
from selftest.signin import SignIn, sign_in
from selftest.target import Target


class Session:
    """Collects what a run finds.

    Args:
        args: of the command: ``url``, ``strict``, and ``deployed`` where it has it.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._strict: bool = args.strict
        self._mode = _mode(args.url, deployed=getattr(args, "deployed", False))
        self._target = provenance.target(args.url or "", self._mode)
        self._started_at = dt.datetime.now(dt.UTC)
        self._start_s = time.perf_counter()
        self._interrupted = False
        self._checks: list[tuple[tuple[str, int], CheckResult]] = []
        self._signins: list[SignInResult] = []

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the work to its end, or until Ctrl-C; what was found until then stays."""
        try:
            asyncio.run(work)
        except KeyboardInterrupt:
            self._interrupted = True

    def reached(self, target: Target) -> None:
        """Note where the endpoint is, once it is known."""
        self._target = provenance.target(target.url, self._mode)

    async def play_signins(self, target: Target) -> None:
        """Play each documented variety once, as Entra does with its longest timeout and one retry."""
        with Progress(len(VARIETIES)) as progress:
            for variety in VARIETIES:
                played = await sign_in(target.caller, target.url, target.entra.mint, target.tenant, variety)
                self._signins.append(_result(played))
                progress.step(variety.id)

    async def run_checks(
        self, checks: Sequence[Check], bench: Bench, *, open_variant: OpenVariant | None = None
    ) -> None:
        """Run checks, keeping each result as it comes; those that need other settings where apps can be started."""
        order = {check.id: check.order for check in checks}
        with Progress(len(checks)) as progress:
            async for result in run_checks(checks, bench, open_variant=open_variant):
                self._checks.append((order[result.id], result))
                progress.step(result.id)

    def results(self) -> Results:
        """Make the results, checks in the order of their ids."""
        checks = tuple(result for _, result in sorted(self._checks, key=lambda each: each[0]))
        signins = tuple(self._signins)
        return Results(
            tool=provenance.tool(),
            environment=provenance.environment(),
            target=self._target,
            started_at=self._started_at.isoformat(timespec="seconds"),
            duration_s=round(time.perf_counter() - self._start_s, 3),
            strict=self._strict,
            checks=checks,
            signins=signins,
            verdict=decide(checks, signins, strict=self._strict, interrupted=self._interrupted),
        )


def _mode(url: str | None, *, deployed: bool) -> str:
    if url is None:
        return "the app of this checkout, emulated Entra"
    return "deployed, trusts the real Entra" if deployed else "any endpoint, emulated Entra"


def _result(played: SignIn) -> SignInResult:
    attempts = played.call.attempts
    return SignInResult(
        variety=played.variety.id,
        title=played.variety.title,
        code=played.verdict.code,
        name=played.verdict.name,
        minted=played.verdict.minted,
        reason=played.verdict.reason,
        attempts=len(attempts),
        latency_ms=round((attempts[-1].end_s - attempts[0].due_s) * 1000, 3),
        warnings=tuple(warning.message for warning in played.verdict.warnings),
    )
