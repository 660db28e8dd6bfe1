"""``run``: everything, here: the app in Microsoft's worker library, signed in to, attacked and judged."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from selftest.base.loopback import is_this_machine
from selftest.checks import REGISTRY
from selftest.checks.bench.environment import ON_REQUEST
from selftest.checks.bench.several_instances import add_instances_argument, startable
from selftest.checks.bench.target_environment import await_keys_read, environment_of, require_answer, variants_of
from selftest.checks.good_call import make_good_call
from selftest.checks.selftest_run import SelftestRun, add_verdict_arguments
from selftest.checks.token.malformed_keys import add_malformed_keys_argument
from selftest.entra.server import EntraServer
from selftest.load.plan.arguments import short_plan
from selftest.play.target import add_target_arguments, open_target
from selftest.report.outputs import add_output_arguments, emit, files_of_this_run

REPORT_DIR: Final = Path("selftest-report")
#: How many fresh workers are timed, and how often a load is played whose generator was late.
COLD_STARTS: Final = 2
TRIES: Final = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Start the emulated Entra and the app, sign every kind of user in, run a short load, run every "
        f"check, and report. The results are kept in {REPORT_DIR}/."
    )
    add_target_arguments(parser)
    add_verdict_arguments(parser)
    add_malformed_keys_argument(parser)
    add_instances_argument(parser)
    add_output_arguments(parser)
    parser.set_defaults(out=REPORT_DIR)


def run(args: argparse.Namespace) -> int:
    """Run everything and report."""
    with files_of_this_run(args, "run"):
        session = SelftestRun(args)
        session.run(_everything(args, session))
        results = session.results()
        emit(results, args)
    return results.verdict.exit_code


async def _everything(args: argparse.Namespace, session: SelftestRun) -> None:
    if sys.stderr.isatty():
        print("starting the emulated Entra and the app ...", file=sys.stderr)
    async with open_target(args, prepare=EntraServer.publish_well_formed) as target:
        session.reached(target, faults=True)
        bench = environment_of(target, malformed_keys=args.malformed_keys)
        bench = replace(bench, startable=await startable(target, args.instances))
        await require_answer(bench)
        await await_keys_read(bench)
        bench = await make_good_call(bench)
        await session.play_signins(target, version=bench.version)
        # What takes hours or more processes is played when it is asked for; leaving it out here is no skip.
        asked = [check for check in REGISTRY.values() if not check.needs & ON_REQUEST - bench.startable]
        of_load = [check for check in asked if "load" in check.needs]
        others = [check for check in asked if "load" not in check.needs]
        if bench.refusal is not None:
            await session.run_checks(asked, bench)
            return
        # The load has the machine to itself: the checks of faults start apps of their own.
        if args.url is None or is_this_machine(args.url):
            plan = short_plan(cold_starts=COLD_STARTS)
            found = await session.play_load(target, plan, version=bench.version, tries=TRIES)
            await session.run_checks(of_load, replace(bench, load=found))
        else:
            await session.run_checks(of_load, bench)
        await session.run_checks(others, bench, open_variant=variants_of(target, instances=args.instances))
