"""``check``: the checks, against the local app or any endpoint in any language."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from selftest.base.cannot_run import PASSED, CannotRun
from selftest.base.loopback import is_this_machine
from selftest.checks import REGISTRY, Check, select
from selftest.checks.bench.environment import (
    GOOD_CALL,
    ON_REQUEST,
    CheckEnvironment,
    CheckNeed,
    GoodCallRefusal,
)
from selftest.checks.bench.several_instances import add_instances_argument, startable
from selftest.checks.bench.target_environment import await_keys_read, environment_of, require_answer, variants_of
from selftest.checks.good_call import make_good_call
from selftest.checks.selftest_run import SelftestRun, add_verdict_arguments
from selftest.checks.token.malformed_keys import add_malformed_keys_argument
from selftest.commands.run import COLD_STARTS, TRIES
from selftest.entra.server import EntraServer
from selftest.load.plan.arguments import short_plan
from selftest.play.consent import require_consent
from selftest.play.deployed_flags import add_deployed_arguments, real_token
from selftest.play.target import add_target_arguments, open_target
from selftest.report.outputs import add_output_arguments, emit, files_of_this_run
from selftest.signin.tenant.mapping_flags import ClaimsRoute, add_mapping_arguments, read_route


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Run checks: C contract, T token, B body, F faults, L load, I instances. Exit code 0: no finding counts. "
        "1: one of the level sign-in or security does (with --strict: one of any level). 2: they could not run. "
        "3: nothing could be proved. 130: interrupted; what was found is kept."
    )
    parser.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help="a check's id (C03) or the first characters of several (T, B4); default: all",
    )
    add_target_arguments(parser)
    parser.add_argument("--list", action="store_true", help="name the checks instead of running them")
    add_verdict_arguments(parser)
    add_mapping_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="consent to load and faults for a host elsewhere")
    add_malformed_keys_argument(parser)
    add_instances_argument(parser)
    add_deployed_arguments(parser)
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the checks that the arguments name, and report."""
    if args.list:
        return _list(select(args.ids))
    with files_of_this_run(args, "check"):
        checks = select(args.ids)
        token = real_token(args)
        route = read_route(args, saml=args.saml)
        if route.is_given and args.deployed and token is None:
            raise CannotRun("--mapping needs a reply of the endpoint: with --deployed, give --token-file, too")
        _require_consent(args, checks)
        session = SelftestRun(args)
        session.run(_collect(args, checks, token, session, route))
        results = session.results()
        emit(results, args)
    return results.verdict.exit_code


async def _collect(
    args: argparse.Namespace, checks: Sequence[Check], token: str | None, session: SelftestRun, route: ClaimsRoute
) -> None:
    async with open_target(args, prepare=EntraServer.publish_well_formed) as target:
        session.reached(target, faults=any("provider" in check.needs for check in checks))
        bench = environment_of(target, deployed=args.deployed, real_token=token, malformed_keys=args.malformed_keys)
        bench = replace(bench, startable=await startable(target, args.instances))
        await require_answer(bench)
        await await_keys_read(bench)
        bench = await make_good_call(bench)
        # What takes hours or more processes is played when it is asked for; leaving it out here is no skip.
        unasked = frozenset[CheckNeed]() if args.ids else ON_REQUEST - bench.startable
        asked = [check for check in checks if not check.needs & unasked]
        if bench.refusal is not None:
            with_good_call = {check.id: check for check in (REGISTRY[GOOD_CALL], *asked)}
            await session.run_checks(list(with_good_call.values()), bench)
            return
        if route.is_given:
            await session.play_signins(target, route, version=bench.version, real_token=token)
        of_load = [check for check in asked if "load" in check.needs]
        others = [check for check in asked if "load" not in check.needs]
        variants = variants_of(target, instances=args.instances)
        stopped = await session.run_checks(others, bench, open_variant=variants)
        if stopped is not None:
            refusal = GoodCallRefusal(stopped.actual, stopped.fix, stopped.curl or "", stopped.id)
            bench = replace(bench, refusal=refusal)
        elif of_load and _may_load(args, bench):
            plan = short_plan(cold_starts=COLD_STARTS)
            found = await session.play_load(target, plan, version=bench.version, real_token=token, tries=TRIES)
            bench = replace(bench, load=found)
        await session.run_checks(of_load, bench)


def _may_load(args: argparse.Namespace, bench: CheckEnvironment) -> bool:
    """Whether a load was asked for or meets this machine alone; it needs a token that the endpoint accepts."""
    asked = any(word.upper().startswith("L") for word in args.ids)
    return "token" in bench.have and (asked or args.url is None or is_this_machine(args.url))


def _require_consent(args: argparse.Namespace, checks: Sequence[Check]) -> None:
    asked = {word[:1].upper() for word in args.ids}
    rate_per_s = short_plan(cold_starts=0).config.rate_per_s if "L" in asked else 0.0
    faults = "F" in asked and any("downstream" in check.needs for check in checks)
    require_consent(args.url, rate_per_s=rate_per_s, faults=faults, yes=args.yes)


def _list(checks: Sequence[Check]) -> int:
    for check in checks:
        needs = f"  [{', '.join(sorted(check.needs))}]" if check.needs else ""
        print(f"{check.id:<5} {check.level:<10} {check.title}{needs}")
    return PASSED
