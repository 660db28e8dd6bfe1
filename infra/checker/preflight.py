"""Before anything is deployed: would the endpoint start with these settings, and would Entra's call fit?

The app settings are read out of ``main.bicep`` and the endpoint's own code judges them, so that what it would refuse at
its start in Azure is refused here, in the same words. Nothing is sent anywhere.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tree_sitter import Node

from claims.contract import MAX_TIMEOUT_MS
from claims.downstream.table_client import CONNECTION_STRING
from claims.errors import SettingsError
from claims.provider_module import load_provider
from claims.settings.credential import IDENTITY_ENDPOINT, IDENTITY_HEADER
from claims.settings.settings import APPLICATION_ID_URI, AUDIENCE_APP_ID, BUDGET_MS, PROVIDER, Settings
from infra.checker.bicep import BicepFile, literal, members, text
from infra.checker.names import references_in
from infra.checker.parameters import resolve

#: The output of main.bicep that names the endpoint's host; known from the second deployment on.
HOST: Final = "ENDPOINT_HOST"
SETTINGS: Final = "settings"
#: What is left of Entra's timeout for the connection, TLS and the host before the code is reached.
_RESERVE_MS: Final = 100
_UNKNOWN: Final = "known-after-deployment"
#: What a secret that stays in its Key Vault looks like, where the endpoint looks at it.
_LOOKS_LIKE: Final = {CONNECTION_STRING: "AccountName=unknown;AccountKey=unknown"}
#: Stands for an id that a later step makes; no real one looks so.
_PENDING_GUID: Final = "ffffffff-ffff-4fff-8fff-ffffffffffff"
_SECRET_URI: Final = re.compile(r"https://[a-z0-9-]{3,24}\.vault\.[a-z.]+/secrets/[A-Za-z0-9-]+(/[0-9a-f]{32})?/?")
_SECRET_PARAMETERS: Final = ("clientSecretUri", "tableConnectionStringUri")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found before the deployment.

    Attributes:
        problems: what stops it, one sentence each.
        warnings: what does not and should be known.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def preflight(
    main: BicepFile,
    parameters: Path,
    environ: Mapping[str, str],
    *,
    pending: frozenset[str] = frozenset(),
    timeout_ms: int = MAX_TIMEOUT_MS,
) -> Preflight:
    """Judge a deployment by its parameters.

    Args:
        main: ``main.bicep``.
        parameters: ``main.parameters.json``.
        environ: azd's environment.
        pending: parameters that a later step fills in.
        timeout_ms: how long Entra waits, as the extension says.

    Raises:
        ValueError: the parameter file cannot be read.
    """
    resolved = resolve(main, parameters, environ, pending=pending)
    values = dict(resolved.values)
    values |= {name: _PENDING_GUID for name in pending if name not in values}
    settings = app_settings(main, values)
    refused, warnings = _judged(settings)
    refused += _entra(settings, environ.get(HOST, ""), timeout_ms)
    # What breaks its parameter's rule is told once, in the words that name what to set.
    told = {name for name, read in _parameters_of(main).items() if read & resolved.problems.keys()}
    problems = [*resolved.problems.values(), *(one for one in refused if _subject(one) not in told)]
    return Preflight((*problems, *_secret_uris(values)), (*warnings, *_few_instances(values)))


def app_settings(main: BicepFile, values: Mapping[str, Any]) -> dict[str, str]:
    """Evaluate the variable ``settings`` of ``main.bicep``; what only Azure knows becomes a placeholder.

    Raises:
        ValueError: the file has no such variable.
    """
    written = {name: _evaluate(name, value, values) for name, value in _written_settings(main)}
    more = {name: str(value) for name, value in values.get("providerSettings", {}).items()}
    return {name: value for name, value in (written | more).items() if value}


def _written_settings(main: BicepFile) -> list[tuple[str, Node]]:
    declared = main.symbols().get(SETTINGS)
    if declared is None or declared.value is None or declared.value.type != "object":
        raise ValueError(f"{main.path.name} has no variable '{SETTINGS}' that is an object")
    return [(name, value) for name, value, _ in members(declared.value)]


def _subject(problem: str) -> str:
    """Name the setting with which a problem's sentence begins."""
    found = re.match(r"\w+", problem)
    return found[0] if found else ""


def _parameters_of(main: BicepFile) -> dict[str, set[str]]:
    """Say from which parameters each setting is made."""
    return {name: references_in(value) for name, value in _written_settings(main)}


def _evaluate(setting: str, node: Node, values: Mapping[str, Any]) -> str:
    match node.type:
        case "string":
            return literal(node) or _UNKNOWN
        case "identifier":
            return str(values.get(text(node), ""))
        case "call_expression":
            called = text(node.named_children[0])
            argument = _evaluate(setting, node.named_children[1].named_children[0], values)
            if called == "string":
                return argument
            return _LOOKS_LIKE.get(setting, _UNKNOWN) if argument else ""
    return _UNKNOWN


def _judged(settings: Mapping[str, str]) -> tuple[list[str], tuple[str, ...]]:
    """Let the endpoint's own code judge; the app will have an identity and run in Azure."""
    environ = dict(settings) | {
        "WEBSITE_SITE_NAME": "preflight",
        IDENTITY_ENDPOINT: _UNKNOWN,
        IDENTITY_HEADER: _UNKNOWN,
    }
    problems: list[str] = []
    warnings: tuple[str, ...] = ()
    try:
        warnings = Settings.from_env(environ).warnings
    except SettingsError as error:
        problems += error.problems
    if not any(problem.startswith(PROVIDER) for problem in problems):
        try:
            load_provider(settings.get(PROVIDER, "sample"), environ)
        except SettingsError as error:
            problems += error.problems
    return problems, warnings


def _entra(settings: Mapping[str, str], host: str, timeout_ms: int) -> list[str]:
    """Hold the settings against what Entra does: where it calls, and how long it waits."""
    problems: list[str] = []
    budget = settings.get(BUDGET_MS, "")
    if budget.isdigit() and int(budget) > timeout_ms - _RESERVE_MS:
        problems.append(
            f"{BUDGET_MS} is {budget}, and Entra gives up after {timeout_ms} ms: at most {timeout_ms - _RESERVE_MS}"
        )
    uri = settings.get(APPLICATION_ID_URI, "")
    app_id = settings.get(AUDIENCE_APP_ID, "")
    parts = uri.removeprefix("api://").split("/")
    if uri and app_id != _PENDING_GUID and parts[-1].lower() != app_id.lower():
        problems.append(f"{APPLICATION_ID_URI} must end in the API's client id {app_id}, got {uri}")
    if uri and host and parts[0].lower() != host.lower():
        problems.append(f"{APPLICATION_ID_URI} must name the endpoint's host {host}, got {uri} (Entra: 1003015)")
    return problems


def _secret_uris(values: Mapping[str, Any]) -> list[str]:
    """Find what is no URI of a Key Vault secret; it may be the secret itself, so it is not shown."""
    return [
        f"the parameter {name} must be https://<vault>.vault.azure.net/secrets/<name>, the URI and not the secret"
        for name in _SECRET_PARAMETERS
        if values.get(name) and not _SECRET_URI.fullmatch(str(values[name]))
    ]


def _few_instances(values: Mapping[str, Any]) -> list[str]:
    instances = values.get("alwaysReadyInstances")
    few = isinstance(instances, int) and instances < 2  # noqa: PLR2004 (one to restart, one to answer)
    return [f"alwaysReadyInstances is {json.dumps(instances)}: a restart of the only one stops sign-in"] if few else []
