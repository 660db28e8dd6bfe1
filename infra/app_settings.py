"""The app settings that a deployment's parameters become, and the command of azd that sets one.

A setting of the endpoint has a parameter. All others, those of an own provider, are members of one JSON object,
``PROVIDER_SETTINGS``: ``main.bicep`` cannot know their names, and azd has no command that adds a member.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from claims.settings.credential import CLIENT_ID
from claims.settings.settings import AUDIENCE_APP_ID, AUTHORITY_URL
from claims.settings.shared_cache import SHARED_CACHE
from infra.parameters import variables

#: Stands for what only Azure knows.
KNOWN_LATER: Final = "known-after-deployment"
#: The variable of azd's environment that holds the settings of an own provider.
_OWN: Final = "PROVIDER_SETTINGS"
#: What a secret that stays in its Key Vault looks like, where the endpoint looks at it.
_LOOKS_LIKE: Final = {"Claims__Table__ConnectionString": "AccountName=unknown;AccountKey=unknown"}
#: A name of the endpoint's or a provider's settings.
_SETTING: Final = re.compile(r"(?:AuthenticationEvents|Claims)_\w*", re.IGNORECASE)
#: A name that the endpoint may miss: of these, or of its credential.
_UNSET: Final = re.compile(rf"(?i:{_SETTING.pattern})|AZURE_\w+")
_VALUES: Final = {
    AUTHORITY_URL: "https://login.microsoftonline.com/<tenantId>",
    AUDIENCE_APP_ID: "<client id>, then: azd provision",
}


def app_settings(rules: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> dict[str, str]:
    """Return the app settings that ``main.bicep`` makes of these values; what only Azure knows is a placeholder."""
    trust = {setting: str(values.get(parameter, "")) for setting, parameter in rules["settings"].items()}
    given = [setting for setting, parameter in rules["secrets"].items() if values.get(parameter)]
    secrets = {setting: _LOOKS_LIKE.get(setting, KNOWN_LATER) for setting in given}
    own_app = values.get("credential") == "client-secret"
    identity = {CLIENT_ID: values.get("credentialClientId", "") if own_app else KNOWN_LATER}
    others = values.get("settings", {}) | values.get("providerSettings", {})
    if values.get("sharedCache"):
        others[SHARED_CACHE] = f"rediss://{KNOWN_LATER}:10000"
    return {name: value for name, value in (others | trust | secrets | identity).items() if value}


def lost_settings(given: Mapping[str, Any], environ: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in azd's environment that the app would not get: no parameter reads their names.

    Args:
        given: The parameter file.
        environ: azd's environment.
        settings: The app settings of the deployment; a setting that has its value by another way is not lost.
    """
    read = set(variables(given))
    return {
        name: value
        for name, value in environ.items()
        if value and _SETTING.fullmatch(name) and name not in read and settings.get(name) != value
    }


def how_to_set(
    rules: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], own: Mapping[str, str], wanted: Mapping[str, str]
) -> dict[str, str]:
    """Return by setting the command that brings it to the app.

    ``PROVIDER_SETTINGS`` is set as a whole, so its command has all settings that belong there.

    Args:
        rules: What `infra.bicep` wrote of ``main.bicep``.
        given: The parameter file.
        own: What ``PROVIDER_SETTINGS`` contains.
        wanted: The settings with their values; a value of a setting that has a parameter is not shown.
    """
    parameters = {**rules["settings"], **rules["secrets"], CLIENT_ID: "credentialClientId"}
    others = given.get("settings", {})
    read = {name: variables([given.get(parameters.get(name, "")), others.get(name)]) for name in wanted}
    members = {**own, **{name: value for name, value in wanted.items() if not read[name]}}
    into_own = f"azd env set {_OWN} {shlex.quote(json.dumps(members))}"
    values = {**_VALUES, **dict.fromkeys(rules["secrets"], "<URI of the secret in its Key Vault>")}
    return {
        name: f"azd env set {found[0]} {values.get(name, '<value>')}" if found else into_own
        for name, found in read.items()
    }


def with_commands(
    refused: Sequence[str],
    lost: Mapping[str, str],
    made: Mapping[str, str],
    how: Callable[[Mapping[str, str]], Mapping[str, str]],
) -> Iterator[str]:
    """Yield the problems of the settings, with the command that sets a missing one or brings a lost one to the app.

    Args:
        refused: The endpoint's sentences; each begins with the name of the setting.
        lost: Of `lost_settings`.
        made: The app settings of the deployment.
        how: Of `how_to_set`, for settings with their values.
    """
    subjects = [subject(one) for one in refused]
    unset = [name for name in subjects if _UNSET.fullmatch(name) and name not in {*made, *lost}]
    # A lost one that the endpoint refuses, for example as misspelled, is reported once.
    lost = {name: value for name, value in lost.items() if name not in subjects}
    commands = how(dict.fromkeys(unset, "<value>") | lost)
    for name, one in zip(subjects, refused, strict=True):
        yield f"{one}; type: {commands[name]}" if name in unset else one
    for name in lost:
        says = "is set, and the app would not get it, because main.parameters.json does not read it"
        yield f"{name} {says}; type: {commands[name]}"


def subject(problem: str) -> str:
    """Return the setting with which a problem's sentence begins."""
    found = re.match(r"\w+", problem)
    return found[0] if found else ""
