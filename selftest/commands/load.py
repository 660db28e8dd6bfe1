"""``load``: sign-ins when they are due, under Entra's timeout and with its retry, and what that proves."""

import argparse
import sys
from dataclasses import replace
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.checks import REGISTRY, select
from selftest.checks.bench.environment import GOOD_CALL, PROFILES
from selftest.checks.bench.target_environment import await_keys_read, environment_of, require_answer
from selftest.checks.good_call import make_good_call, of_every_call
from selftest.checks.selftest_run import SelftestRun
from selftest.commands.run import REPORT_DIR
from selftest.contract import MAX_EXTERNAL_CALLS_PER_S
from selftest.load.plan.arguments import add_load_arguments, plan_of
from selftest.load.plan.profiles import LoadPlan
from selftest.load.sockets import allow_connections
from selftest.play.consent import require_consent
from selftest.play.deployed_flags import add_deployed_arguments, real_token
from selftest.play.target import add_target_arguments, open_target
from selftest.report.outputs import add_output_arguments, emit, files_of_this_run

_ABOVE_THE_LIMIT: Final = (
    f"note: an external tenant sends at most {MAX_EXTERNAL_CALLS_PER_S} calls a second over all its extensions, and "
    "fails the other sign-ins with 1003004; this rate is above it"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Send sign-ins when they are due, whatever became of those before, and judge each as Entra would. An endpoint "
        "that refuses the first valid call with 3xx, 401, 403 or as if there were none is loaded with no more. "
        f"Every call is kept in {REPORT_DIR}/run.jsonl as it ends. Exit code 0: what has to hold is proved. 1: it does "
        "not hold, or a threshold is crossed. 2: it could not run. 3: the run is not valid, or too short to prove it. "
        "130: interrupted; what was found is kept."
    )
    add_target_arguments(parser)
    add_deployed_arguments(parser)
    add_load_arguments(parser)
    parser.add_argument("--strict", action="store_true", help="findings of every level count")
    add_output_arguments(parser)
    parser.set_defaults(out=REPORT_DIR)


def run(args: argparse.Namespace) -> int:
    """Play the load, judge it and report."""
    with files_of_this_run(args, "load"):
        plan = plan_of(args)
        token = real_token(args)
        if args.deployed and token is None:
            raise CannotRun("--deployed needs --token-file here: an endpoint answers no load without a token")
        require_consent(args.url, rate_per_s=plan.config.rate_per_s, yes=args.yes)
        if plan.config.rate_per_s > MAX_EXTERNAL_CALLS_PER_S:
            print(_ABOVE_THE_LIMIT, file=sys.stderr)
        # Before the app is started, which inherits it: both ends of a connection need a file.
        allow_connections(plan.config.max_in_flight)
        session = SelftestRun(args)
        session.run(_play(args, plan, token, session))
        results = session.results()
        emit(results, args)
    return results.verdict.exit_code


async def _play(args: argparse.Namespace, plan: LoadPlan, token: str | None, session: SelftestRun) -> None:
    if args.url is None and sys.stderr.isatty():
        print("starting the emulated Entra and the app ...", file=sys.stderr)
    async with open_target(args) as target:
        session.reached(target)
        bench = environment_of(target, deployed=args.deployed, real_token=token)
        try:
            await require_answer(bench)
        except CannotRun as error:
            # A load that is measured to its end has a report, also if nothing answers.
            print(f"load: {error}\nload: the load runs all the same; Ctrl-C ends it", file=sys.stderr)
        else:
            await await_keys_read(bench)
            bench = await make_good_call(bench)
        if of_every_call(bench.refusal):
            print("load: no load was sent, because the first valid call was refused", file=sys.stderr)
            await session.run_checks([REGISTRY[GOOD_CALL]], bench)
            return
        bench = replace(bench, refusal=None)
        found = await session.play_load(target, plan, version=bench.version, real_token=token)
        judging = replace(bench, load=found)
        # What another profile would show was not asked for; that is no skip.
        await session.run_checks([each for each in select(["L"]) if not each.needs & PROFILES - judging.have], judging)
