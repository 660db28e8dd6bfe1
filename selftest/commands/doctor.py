"""``doctor``: compares the settings and the tenant's objects with the rule behind every documented error code."""

import argparse
import os
from pathlib import Path
from typing import Final

from selftest.base.app_folder import add_app_arguments
from selftest.base.cannot_run import PASSED
from selftest.base.endpoint_url import endpoint_url
from selftest.base.flag_values import guid_value, tenant_value
from selftest.judge.claims_file import read_claims_file
from selftest.tenant.doctor.examination import examine
from selftest.tenant.doctor.outputs import emit
from selftest.tenant.doctor.statements import TENANT_STATEMENTS
from selftest.tenant.graph.credentials import KINDS

_EPILOG: Final = """\
exit codes: 0 every check passed, 1 something is wrong, 2 it could not run, 3 not enough evidence for a verdict

Settings come from --settings, else --azd-env, else the environment, else local.settings.json. Nothing is changed.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the description and the arguments of the command."""
    parser.description = (
        "Compare the endpoint's settings and the tenant's objects with the rule behind every documented error code."
    )
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_sources(parser)
    chosen = parser.add_argument_group("what is examined")
    chosen.add_argument(
        "--app",
        type=guid_value,
        metavar="APP_ID",
        help="the client id (a GUID) of the application that should get claims",
    )
    chosen.add_argument("--extension", type=guid_value, metavar="GUID", help="the id of the extension")
    claims = chosen.add_mutually_exclusive_group()
    says = "the claims that the endpoint returns, as signin --claims-out wrote them"
    claims.add_argument("--claims-from", type=_names_in_file, dest="claims", metavar="FILE", help=says)
    claims.add_argument("--claims", type=_names, metavar="NAMES", help="instead: their names, comma-separated")
    chosen.add_argument("--url", type=endpoint_url, metavar="URL", help="call the endpoint, too, at this URL")
    chosen.add_argument("--probe", action="store_true", help="call the endpoint, too, at the extension's target URL")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="write the findings as JSON; without FILE, print them"
    )
    output.add_argument("--junit", type=Path, metavar="FILE", help="write the results as JUnit XML")
    output.add_argument("--out", type=Path, metavar="DIR", help="write results.json, junit.xml and report.txt there")
    output.add_argument("-v", "--verbose", action="store_true", help="also list the checks that passed")
    output.add_argument("--list", action="store_true", help="list the statements and examine nothing")


def _add_sources(parser: argparse.ArgumentParser) -> None:
    settings = parser.add_argument_group("the settings")
    which = settings.add_mutually_exclusive_group()
    which.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="local.settings.json, a .env, or what `az … appsettings list` wrote",
    )
    which.add_argument("--azd-env", metavar="NAME", help="an environment of the Azure Developer CLI: .azure/NAME/.env")
    add_app_arguments(settings, flag="--app-dir")
    settings.add_argument("--easyauth", type=Path, metavar="FILE", help="authsettingsV2 of the app, as JSON")
    tenant = parser.add_argument_group("the tenant")
    tenant.add_argument(
        "--tenant", type=tenant_value, metavar="TENANT", help="read it through Microsoft Graph: an id or a domain"
    )
    tenant.add_argument(
        "--credential",
        choices=KINDS,
        help="how to sign in to Graph (default: azure-cli, which cannot read extensions and listeners; browser and "
        "device-code ask for consent)",
    )
    tenant.add_argument("--graph-url", metavar="URL", help="another Graph: a national cloud's, or an emulated one")
    tenant.add_argument("--file", type=Path, metavar="FILE", help="the tenant's objects, as --export wrote them")
    tenant.add_argument("--export", type=Path, metavar="FILE", help="write the objects that were read, without secrets")


def run(args: argparse.Namespace) -> int:
    """Find out what is there, try every statement, and report."""
    if args.list:
        for diagnosis in TENANT_STATEMENTS.values():
            print(f"{diagnosis.id:<5} {diagnosis.level:<10} {diagnosis.title}")
        return PASSED
    examined = examine(args, environ=os.environ, directory=Path.cwd())
    emit(examined, args)
    return examined.diagnosis.exit_code


def _names_in_file(text: str) -> frozenset[str]:
    return frozenset(read_claims_file(Path(text)))


def _names(text: str) -> frozenset[str]:
    names = frozenset(name for part in text.split(",") if (name := part.strip()))
    if not names:
        raise argparse.ArgumentTypeError("expected names, comma-separated")
    return names
