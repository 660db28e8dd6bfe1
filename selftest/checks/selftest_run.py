"""One run of the self-test against a target, and its results, also if the run is interrupted.

Everything that a run finds is a line of the raw file, and the results are made from the lines. An interrupted run, and
a raw file that is read later, therefore give the same results as the run itself.
"""

import argparse
import asyncio
import datetime as dt
import time
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.checks import Check
from selftest.checks.bench.environment import CheckEnvironment, OpenVariant
from selftest.checks.bench.variant import GIVEN
from selftest.checks.runner import run_checks
from selftest.checks.waivers import read_waivers
from selftest.entra.payloads import VARIETIES
from selftest.entra.token_mint import EntraVersion
from selftest.load.measured.collect import Collector
from selftest.load.measured.raw_file import RAW_NAME, RawFile
from selftest.load.missed_lines import MissedCalls
from selftest.load.plan.profiles import LoadPlan
from selftest.load.prepared_events import CalloutFactory, TokenPool
from selftest.load.run_plan import LoadTarget, play
from selftest.load.sockets import allow_connections
from selftest.play.app_log import LogSource
from selftest.play.call_verdict import whole_ms
from selftest.play.sign_in import SignIn, sign_in
from selftest.play.target import Target
from selftest.report import provenance
from selftest.report.load_result import LoadResult
from selftest.report.progress import Progress
from selftest.report.results import SCHEMA_VERSION, CheckResult, Results, SignInResult, as_members
from selftest.signin.tenant.mapping_flags import ClaimsRoute

#: A line of the app's log is written before its response, but travels through another pipe.
_LOGGED_WITHIN_S: Final = 0.1
#: Reasons that lie in the generator: the load is played again, because the machine may be less busy then.
_OF_THE_GENERATOR: Final = frozenset({"lateness", "rate", "clock"})


def add_verdict_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that decide which findings count."""
    parser.add_argument("--strict", action="store_true", help="findings of every level count")
    parser.add_argument(
        "--waivers",
        type=Path,
        metavar="FILE",
        help="known findings that do not count: TOML, [[waiver]] with check, reason, until",
    )


class SelftestRun:
    """Plays sign-ins, load and checks, and collects what they find.

    Args:
        args: The command's arguments: ``url``, ``strict``, and ``deployed``, ``waivers`` and ``out`` if it has them.
            The raw file is written to ``out``.

    Raises:
        CannotRun: The waiver file cannot be used.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._strict: bool = args.strict
        waivers: Path | None = getattr(args, "waivers", None)
        self._waivers = {} if waivers is None else read_waivers(waivers)
        self._mode = _mode(args.url, deployed=getattr(args, "deployed", False))
        self._target = provenance.target(args.url or "", self._mode)
        self._started_at = dt.datetime.now(dt.UTC)
        self._start_s = time.perf_counter()
        self._interrupted = False
        self._path = None if args.out is None else args.out / RAW_NAME
        self._raw: RawFile | None = None
        self._collector = Collector()
        self._begun = False

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run the work until it ends or is interrupted with Ctrl-C; results so far are kept.

        Raises:
            ReportError: The raw file cannot be written.
        """
        try:
            asyncio.run(work)
        except KeyboardInterrupt:
            self._interrupted = True
        except BaseException:
            # Without an end line, so that a reader sees that the run was aborted.
            if self._raw is not None:
                self._raw.close()
            raise

    def reached(self, target: Target, *, faults: bool = False) -> None:
        """Record the endpoint's URL once it is known, and around which provider faults are played."""
        mode = self._mode
        if target.answered_by:
            mode += f"; {target.answered_by}"
            if faults:
                given = GIVEN.as_given(target.settings).settings()
                mode += f", faults around it with {', '.join(f'{name}={value}' for name, value in given.items())}"
        self._target = provenance.target(target.url, mode)

    async def play_signins(
        self,
        target: Target,
        route: ClaimsRoute | None = None,
        *,
        version: EntraVersion = "2.0",
        real_token: str | None = None,
    ) -> None:
        """Play each documented variety once, as Entra does with its longest timeout and one retry.

        Args:
            target: The endpoint.
            route: The claims' way into the token; the varieties of the other format are then left out.
            version: As in `play_load`.
            real_token: As in `play_load`.
        """
        saml = None if route is None else route.token == "saml"  # noqa: S105 - a format
        varieties = [one for one in VARIETIES if saml in {None, one.protocol == "SAML"}]
        play = partial(sign_in, target.caller, target.url, target.entra.mint, target.tenant, log=target.log)
        if route is not None:
            play = partial(play, mapping=route.mapping, registered=route.registered)
        with Progress(len(varieties)) as progress:
            for variety in varieties:
                played = await play(variety, callout_token=real_token or target.entra.mint.callout_token(version))
                self._take({"kind": "signin", **as_members(_result(played))})
                progress.step(variety.id)

    async def play_load(
        self,
        target: Target,
        plan: LoadPlan,
        *,
        version: EntraVersion = "2.0",
        real_token: str | None = None,
        tries: int = 1,
    ) -> LoadResult:
        """Play a load and return its result.

        Args:
            target: The endpoint.
            plan: The load.
            version: The version of the tokens that the endpoint takes.
            real_token: A token that a deployed endpoint accepts; None if the emulated Entra mints the tokens.
            tries: How often to play the load at most if the generator was late.

        Raises:
            AppStartError: A worker of a cold start does not start.
        """
        in_flight = allow_connections(plan.config.max_in_flight)
        plan = replace(plan, config=replace(plan.config, max_in_flight=in_flight))
        while True:
            await self._play(_load_target(target, plan, version, real_token), plan, target.log)
            tries -= 1
            load = self._collector.load()
            assert load is not None  # noqa: S101 - it was just played
            if not tries or not any(fault.name in _OF_THE_GENERATOR for fault in load.faults):
                return load
            plan = replace(plan, cold_starts=0)

    async def _play(self, load: LoadTarget, plan: LoadPlan, log: LogSource | None) -> None:
        missed = MissedCalls()

        def take(line: dict[str, Any]) -> None:
            self._take(line)
            missed.take(line)

        await play(load, plan, take)
        if log is not None:
            await asyncio.sleep(_LOGGED_WITHIN_S)
            for cause in missed.causes(log()):
                self._take({"kind": "cause", **as_members(cause)})

    async def run_checks(
        self, checks: Sequence[Check], env: CheckEnvironment, *, open_variant: OpenVariant | None = None
    ) -> CheckResult | None:
        """Run checks and keep each result; checks that need other settings only with ``open_variant``.

        Returns:
            The result of the check during which the endpoint stopped answering; None if it still answers.
        """
        stopped = None
        with Progress(len(checks)) as progress:
            env = replace(env, say=progress.say, countdown=progress.wait)
            async for found in run_checks(checks, env, open_variant=open_variant):
                waiver = self._waivers.get(found.id)
                result = found if waiver is None else waiver.applied_to(found, self._started_at.date())
                self._take({"kind": "check", **as_members(result)})
                stopped = result if result.stopped else stopped
                progress.step(result.id)
        return stopped

    def results(self) -> Results:
        """End the run and return its results, with the checks in the order of their ids.

        Raises:
            ReportError: The raw file cannot be written.
        """
        duration_s = round(time.perf_counter() - self._start_s, 3)
        self._take({"kind": "end", "duration_s": duration_s, "interrupted": self._interrupted})
        if self._raw is not None:
            self._raw.close()
        return self._collector.results()

    def _take(self, line: dict[str, Any]) -> None:
        """Collect a line and write it to the raw file, after the run's first line."""
        if not self._begun:
            self._begun = True
            self._raw = None if self._path is None else RawFile(self._path)
            self._take(
                {
                    "kind": "run",
                    "schema_version": SCHEMA_VERSION,
                    "tool": provenance.tool(),
                    "environment": provenance.environment(),
                    "target": self._target,
                    "started_at": self._started_at.isoformat(timespec="seconds"),
                    "strict": self._strict,
                }
            )
        if self._raw is not None:
            self._raw.write(line)
        self._collector.take(line)


def _load_target(target: Target, plan: LoadPlan, version: EntraVersion, real_token: str | None) -> LoadTarget:
    mint = partial(target.entra.mint.callout_token, version)
    tokens = TokenPool(mint) if real_token is None else TokenPool(lambda: real_token, pool=1)
    callouts = CalloutFactory(target.tenant, tokens, seed=plan.config.seed)
    if target.app is None or target.folder is None:
        return LoadTarget(url=target.url, callouts=callouts)
    return LoadTarget(
        url=target.url,
        callouts=callouts,
        pid=target.app.pid,
        app_dir=target.folder.directory,
        python=target.folder.python,
        settings=target.settings,
        callout_path=CALLOUT_PATH,
    )


def _mode(url: str | None, *, deployed: bool) -> str:
    if url is None:
        return "the local app, emulated Entra"
    return "deployed, trusts the real Entra" if deployed else "your endpoint, emulated Entra"


def _result(played: SignIn) -> SignInResult:
    return SignInResult(
        variety=played.variety.id,
        title=played.variety.title,
        code=played.verdict.code,
        name=played.verdict.name,
        minted=played.verdict.minted,
        reason=played.verdict.reason,
        attempts=len(played.call.attempts),
        latency_ms=round(whole_ms(played.call), 3),
        warnings=tuple(warning.message for warning in played.verdict.warnings),
        app_lines=played.app_lines,
    )
