"""``objects``: plan, apply, show and remove the objects in Entra that make it call the endpoint.

Each step is one line on stdout when it is done, so that what an interrupted run has done can be read off; errors go to
stderr with a way on. Nothing of a person and no token is shown.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from selftest.base.cannot_run import COULD_NOT_RUN, INTERRUPTED, PASSED, CannotRun
from selftest.base.flag_values import guid_value
from selftest.tenant.graph.credentials import BROWSER, KINDS
from selftest.tenant.objects import azd_environment
from selftest.tenant.objects.actions import Job
from selftest.tenant.objects.actions import run as act
from selftest.tenant.objects.connection import CREDENTIAL
from selftest.tenant.objects.errors import Conflict, NotClean
from selftest.tenant.objects.intent import (
    CLAIMS,
    CLAIMS_FROM,
    ENVIRONMENT,
    HOST,
    PHASES,
    Intent,
    is_environment_name,
)
from selftest.tenant.objects.tenants import TENANT
from selftest.tenant.objects.wait_times import WaitTimes

_EPILOG: Final = """\
phases: A app registration, service principals, consent; B identifier URI; C Entra's validation and the extension.
A later phase does the earlier ones first. Only --enable lets sign-ins depend on the endpoint.

exit codes: 0 done, 1 refused: something is there that is not ours to change, 2 could not run,
3 Entra's validation was not clean in time, 130 interrupted
"""


def configure(top: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    top.description = "Make the objects in Entra that make it call the endpoint, show them, and take them away."
    top.epilog = _EPILOG
    top.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = top.add_subparsers(dest="command", required=True, metavar="ACTION")
    for name, says in (("plan", "say what apply would change; write nothing"), ("apply", "make it so")):
        _add_making(commands.add_parser(name, help=says, description=says))
    says = "read no tenant and need no sign-in: list what apply makes where nothing exists yet"
    commands.choices["plan"].add_argument("--offline", action="store_true", help=says)
    set_azd = f"run azd env set {azd_environment.API_APP_ID}"
    commands.choices["apply"].add_argument("--set-azd-env", action="store_true", help=set_azd)
    status = commands.add_parser("status", help="say what is there", description="Say what is there.")
    _add_common(status)
    status.add_argument("--host", metavar="NAME", help=f"the host that Entra calls (default: {HOST})")
    _add_switches(commands)
    _add_remove(commands.add_parser("remove", help="take it away, the listener first", description="Take it away."))


def _add_switches(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    says = "take the listener off an application: its users sign in without the claims"
    disable = commands.add_parser("disable", help=says, description=says)
    says = "put back the listener that disable took off, as it was"
    enable = commands.add_parser("enable", help=says, description=says)
    for one in (disable, enable):
        _add_common(one)
        one.add_argument("apps", type=guid_value, nargs="+", metavar="APP_ID", help="the application's client id")
    _add_refusals(enable)


def _add_refusals(one: argparse.ArgumentParser) -> None:
    one.add_argument("--replace-policy", action="store_true", help="take another mapping policy off the application")
    one.add_argument("--no-health-check", action="store_true", help="enable without asking the endpoint for its health")


def _add_making(one: argparse.ArgumentParser) -> None:
    _add_common(one)
    one.add_argument("--phase", choices=PHASES, default="C", help="the last phase to do (default: C)")
    says = "sign in for the phases up to this one, for which there will be another run (default: that of --phase)"
    one.add_argument("--sign-in-for", choices=PHASES, metavar="PHASE", help=says)
    one.add_argument("--host", metavar="NAME", help=f"the host that Entra calls (default: {HOST})")
    claims = one.add_mutually_exclusive_group()
    says = f"the claims of the reply, as signin --claims-out wrote them, to register and map (default: {CLAIMS_FROM})"
    claims.add_argument("--claims-from", type=Path, metavar="FILE", help=says)
    says = f"instead: NAME or NAME:NAME-IN-TOKEN, comma-separated (default: {CLAIMS}, else what is there)"
    claims.add_argument("--claims", metavar="NAMES", help=says)
    says = "let the sign-ins of this application get claims; its client id; may be repeated"
    one.add_argument("--enable", action="append", default=[], metavar="APP_ID", help=says)
    one.add_argument("--move", action="store_true", help="turn an extension that calls another host to this one")
    _add_refusals(one)


def _add_common(one: argparse.ArgumentParser) -> None:
    one.add_argument("--env", metavar="NAME", help=f"the azd environment (default: {ENVIRONMENT})")
    one.add_argument(
        "--tenant", type=guid_value, metavar="GUID", help=f"the tenant (default: {TENANT}, else the authority's)"
    )
    says = f"how to sign in (default: {CREDENTIAL}, else {BROWSER}, which asks for consent, as device-code does)"
    one.add_argument("--credential", choices=KINDS, help=says)
    one.add_argument("--graph-url", metavar="URL", help="another Graph: a national cloud's, or an emulated one")


def _add_remove(remove: argparse.ArgumentParser) -> None:
    _add_common(remove)
    which = remove.add_mutually_exclusive_group()
    says = "only what was made for this application: its sign-ins no longer need the endpoint; may be repeated"
    which.add_argument("--app", type=guid_value, action="append", default=[], metavar="APP_ID", help=says)
    says = "only this listener, policy or extension, whoever made it; may be repeated"
    which.add_argument("--id", type=guid_value, action="append", default=[], dest="ids", metavar="GUID", help=says)
    remove.add_argument("--yes", action="store_true", help="do not ask")


def run(args: argparse.Namespace, environ: Mapping[str, str] | None = None, times: WaitTimes | None = None) -> int:
    """Plan, apply, show, switch or remove, and return the exit code."""
    try:
        asyncio.run(act(_job(args, os.environ if environ is None else environ, times or WaitTimes())))
    except CannotRun as error:
        for line in str(error).splitlines():
            print(f"objects: {line}", file=sys.stderr)
        return error.exit_code if isinstance(error, Conflict | NotClean) else COULD_NOT_RUN
    except KeyboardInterrupt:
        print("objects: interrupted; what is listed is done: run the same command again to go on", file=sys.stderr)
        return INTERRUPTED
    return PASSED


def _job(args: argparse.Namespace, given: Mapping[str, str], times: WaitTimes) -> Job:
    """Read flags, then the environment, then azd's file."""
    if args.command not in {"plan", "apply"}:
        # A claims file that is gone must not prevent bringing sign-in back.
        given = {**given, CLAIMS: "", CLAIMS_FROM: ""}
    phase = getattr(args, "phase", "A")
    name = args.env or given.get(ENVIRONMENT) or ""
    known = azd_environment.read_environment(name, Path.cwd()) if is_environment_name(name) else {}
    environ = {**known, **given}
    intent = Intent.read(
        environ,
        environment=name,
        host=getattr(args, "host", None),
        claims=getattr(args, "claims", None),
        claims_from=getattr(args, "claims_from", None),
        clients=getattr(args, "enable", ()),
        replace_policy=getattr(args, "replace_policy", False),
        move=getattr(args, "move", False),
        needs_host=phase != "A",
    )
    if intent.clients and phase != "C":
        raise CannotRun(f"--enable needs the extension: leave --phase {phase} away")
    return Job(args=args, intent=intent, environ=environ, times=times)
