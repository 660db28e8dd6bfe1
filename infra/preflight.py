"""``python -m infra.preflight``: would the endpoint start with this deployment's values, and would Entra's call fit?

The endpoint's own code judges the app settings that the deployment would make, so that what it would refuse at its
start in Azure is refused here, in the same words, before anything is deployed. azd's preprovision hook runs it; the
hooks around the deployment of the code run it with ``--deployed``: a missing value is then an error, too. Outside of a
hook, ``--env`` names azd's environment. It needs neither the Bicep compiler nor Azure, and nothing is sent anywhere.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from claims.contract import MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from claims.errors import SettingsError
from claims.provider_module import configure
from claims.settings.credential import IDENTITY_ENDPOINT, IDENTITY_HEADER
from claims.settings.settings import (
    APPLICATION_ID_URI,
    AUDIENCE_APP_ID,
    BUDGET_MS,
    DEFAULT_BUDGET_MS,
    MAX_BUDGET_MS,
)
from claims.settings.shared_cache import SHARED_CACHE
from infra.app_settings import KNOWN_LATER, app_settings, how_to_set, lost_settings, subject, with_commands
from infra.bicep import INFRA, PREFLIGHT
from infra.parameters import ENVIRONMENT, azd_environment, file_problems, read_parameters, resolve

#: An output of main.bicep, known from the second deployment on: the host that Entra calls.
HOST: Final = "ENDPOINT_HOST"
#: An output of main.bicep: who hears of alerts; empty without anybody.
RECEIVER: Final = "ACTION_GROUP_ID"
#: An output of main.bicep: the settings that the app needs and did not get.
MISSING: Final = "MISSING_SETTINGS"
_FOUND: Final = 1
_COULD_NOT_RUN: Final = 2
#: What is left of Entra's timeout for the connection, TLS and the host before the code is reached.
_RESERVE_MS: Final = 100
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
#: Stands for the app registration that a later step creates; no real id looks like it.
_PENDING_GUID: Final = "ffffffff-ffff-4fff-8fff-ffffffffffff"
_SECRET_URI: Final = re.compile(r"https://[a-z0-9-]{3,24}\.vault\.[a-z.]+/secrets/[A-Za-z0-9-]+(/[0-9a-f]{32})?/?")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found before the deployment.

    Attributes:
        problems: What stops it, one sentence each.
        warnings: What does not and should be known.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def preflight(
    rules: Mapping[str, Mapping[str, Any]],
    parameters: Path,
    environ: Mapping[str, str],
    *,
    deployed: bool = False,
    timeout_ms: int = MAX_TIMEOUT_MS,
) -> Preflight:
    """Judge a deployment by its parameters.

    Args:
        rules: What `infra.bicep` wrote of ``main.bicep``.
        parameters: The parameter file.
        environ: azd's environment.
        deployed: Whether the deployment has been made; before it, the app registration may be missing.
        timeout_ms: How long Entra waits.

    Raises:
        ValueError: The parameter file cannot be read.
    """
    given = read_parameters(parameters)
    if wrong := tuple(file_problems(rules["parameters"], given)):
        return Preflight(tuple(f"{parameters.name}: {one}" for one in wrong))
    resolved = resolve(rules["parameters"], given, environ)
    pending = {} if deployed else {"audienceAppId": _PENDING_GUID}
    made = app_settings(rules, {**pending, **resolved.values})
    lost = lost_settings(given, environ, made)
    refused, warnings = _judged(lost | made)
    refused += _entra(made, environ.get("PUBLIC_HOST") or environ.get(HOST, ""), timeout_ms)
    # What breaks its parameter's rule is reported once, in the words that name what to set.
    sources = {**rules["settings"], **rules["secrets"], **dict.fromkeys(given.get("settings", {}), "settings")}
    reported = {setting for setting, parameter in sources.items() if parameter in resolved.problems}
    refused = [one for one in refused if subject(one) not in reported]
    own = resolved.values.get("providerSettings", {})
    problems = [
        *resolved.problems.values(),
        *with_commands(refused, lost, made, partial(how_to_set, rules, given, own)),
    ]
    problems += _secret_uris(resolved.values, rules["secrets"].values())
    problems += _surroundings(environ, deployed=deployed)
    problems += _package(made, environ)
    where = f"azd environment {environ.get(ENVIRONMENT, '')!r}: "
    nobody = _nobody_hears(resolved.values, environ, deployed=deployed)
    return Preflight(tuple(where + one for one in problems), (*warnings, *_few_instances(resolved.values), *nobody))


def _judged(settings: Mapping[str, str]) -> tuple[list[str], tuple[str, ...]]:
    """Let the endpoint's own code judge; the app will have an identity and run in Azure."""
    environ = {
        **settings,
        "WEBSITE_SITE_NAME": "preflight",
        IDENTITY_ENDPOINT: KNOWN_LATER,
        IDENTITY_HEADER: KNOWN_LATER,
    }
    try:
        return [], configure(environ)[0].warnings
    except SettingsError as error:
        return list(error.problems), ()


def _surroundings(environ: Mapping[str, str], *, deployed: bool) -> Iterator[str]:
    """Yield what is wrong with the variables that are no app setting."""
    if environ.get("HOSTING_PLAN", "flex") not in {"", "flex"}:
        yield "HOSTING_PLAN: infra/ deploys Flex Consumption only, and no environment changes its plan (docs/deploy.md)"
    public = environ.get("PUBLIC_HOST", "")
    if public and not _HOST_NAME.fullmatch(public):
        yield f"PUBLIC_HOST must be a host name alone, without https:// or a path, got {public}"
    if deployed and environ.get(MISSING):
        yield f"the app was deployed without {environ[MISSING]}, and refuses every call; type: azd provision"


def _package(settings: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what the package would lack; the app does not start without it."""
    extra = environ.get("PACKAGE_EXTRA")
    file = INFRA.parent / (f"requirements-{extra}.txt" if extra else "requirements.txt")
    pins = file.read_text(encoding="utf-8") if file.is_file() else ""
    if settings.get(SHARED_CACHE) and not re.search(r"^redis==", pins, re.MULTILINE):
        yield f"{SHARED_CACHE} needs Redis' client in the package; type: azd env set PACKAGE_EXTRA shared-cache"


def _entra(settings: Mapping[str, str], host: str, timeout_ms: int) -> list[str]:
    """Compare the settings with what Entra does: where it calls, and how long it waits."""
    problems: list[str] = []
    budget = settings.get(BUDGET_MS, str(DEFAULT_BUDGET_MS))
    if budget.isdigit() and timeout_ms - _RESERVE_MS < int(budget) <= MAX_BUDGET_MS:  # the endpoint refuses more itself
        problems.append(
            f"{BUDGET_MS} is {budget}, and Entra gives up after {timeout_ms} ms: at most {timeout_ms - _RESERVE_MS}"
        )
    uri = settings.get(APPLICATION_ID_URI, "")
    app_id = settings.get(AUDIENCE_APP_ID, "")
    parts = uri.removeprefix("api://").split("/")
    if uri and app_id not in {"", _PENDING_GUID} and parts[-1].lower() != app_id.lower():
        problems.append(f"{APPLICATION_ID_URI} must end in the API's client id {app_id}, got {uri}")
    if uri and host and parts[0].lower() != host.lower():
        problems.append(f"{APPLICATION_ID_URI} must name the endpoint's host {host}, got {uri} (Entra: 1003015)")
    return problems


def _secret_uris(values: Mapping[str, Any], parameters: Iterable[str]) -> list[str]:
    """Return what is not the URI of a Key Vault secret; it may be the secret itself, so it is not shown."""
    return [
        f"the parameter {name} must be https://<vault>.vault.azure.net/secrets/<name>, the URI and not the secret"
        for name in parameters
        if values.get(name) and not _SECRET_URI.fullmatch(str(values[name]))
    ]


def _few_instances(values: Mapping[str, Any]) -> list[str]:
    instances = values.get("alwaysReadyInstances")
    few = isinstance(instances, int) and instances < 2  # noqa: PLR2004 (one to restart, one to answer)
    return (
        [f"alwaysReadyInstances is {json.dumps(instances)}: a restart or a cold start can stop sign-ins"] if few else []
    )


def _nobody_hears(values: Mapping[str, Any], environ: Mapping[str, str], *, deployed: bool) -> list[str]:
    if values.get("alertEmail") and not (deployed and environ.get(RECEIVER) == ""):
        return []
    way_on = "azd provision" if values.get("alertEmail") else "azd env set ALERT_EMAIL <address>, then: azd provision"
    return [f"NOBODY IS TOLD WHEN SIGN-INS FAIL: alerts have no receiver and show in the portal only; type: {way_on}"]


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Judge and print. Exit code 0; 1 when the deployment would fail; 2 when it could not be judged."""
    args = _parser().parse_args(arguments)
    try:
        known = azd_environment(os.environ if environ is None else environ, args.env, INFRA.parent)
        rules = json.loads(PREFLIGHT.read_text(encoding="utf-8"))
        result = preflight(rules, args.parameters, known, deployed=args.deployed, timeout_ms=args.timeout_ms)
    except (OSError, ValueError) as error:
        print(f"preflight: {error}", file=sys.stderr)
        return _COULD_NOT_RUN
    for warning in result.warnings:
        print(f"preflight: warning: {warning}", file=sys.stderr)
    for problem in result.problems:
        print(problem)
    if result.problems:
        count = len(result.problems)
        print(f"preflight: {count} error{'s' if count > 1 else ''}", file=sys.stderr)
        return _FOUND
    print("preflight: no errors")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.preflight", description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--parameters", type=Path, default=INFRA / "main.parameters.json", metavar="FILE", help="default: %(default)s")
    add("--env", metavar="NAME", help="the azd environment (in a hook of azd: its own)")
    add("--deployed", action="store_true", help="after the deployment: a missing value is an error, too")
    add("--timeout-ms", type=_timeout_ms, default=MAX_TIMEOUT_MS, metavar="N", help="the extension's timeout")
    return parser


def _timeout_ms(text: str) -> int:
    if not (text.isascii() and text.isdigit() and MIN_TIMEOUT_MS <= int(text) <= MAX_TIMEOUT_MS):
        raise argparse.ArgumentTypeError(f"expected {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS} milliseconds, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
