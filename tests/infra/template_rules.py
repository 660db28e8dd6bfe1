"""What the compiler cannot know of the Bicep files: rules over the compiled templates."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from tests.infra.checkout import APP, Checkout, deploys, resources, walk

_ROLE: Final = "Microsoft.Authorization/roleAssignments"

#: Source: Microsoft's azure-skills, 2026-08: app settings that a Flex Consumption deployment refuses.
_NOT_ON_FLEX: Final = frozenset(
    {
        "ENABLE_ORYX_BUILD",
        "FUNCTIONS_EXTENSION_VERSION",
        "FUNCTIONS_MAX_HTTP_CONCURRENCY",
        "FUNCTIONS_WORKER_PROCESS_COUNT",
        "FUNCTIONS_WORKER_RUNTIME",
        "SCM_DO_BUILD_DURING_DEPLOYMENT",
        "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
        "WEBSITE_CONTENTSHARE",
        "WEBSITE_RUN_FROM_PACKAGE",
    }
)

_SECRET_NAME: Final = re.compile(r"(?i)(secret|password|(?<!shared)key|connection_?string)(?!.*(uri|url|id|name)$)")
_SECRET_MEMBER: Final = re.compile(r"\.(ConnectionString|InstrumentationKey|\w*(?:Key|Password|Secret)s?\d?)\b")
_LIST_FUNCTION: Final = re.compile(r"\b(list[A-Z]\w*)\(")
#: Long and without spaces: what a pasted key, token or connection string looks like.
_PASTED: Final = re.compile(r"AccountKey=|SharedAccessKey=|\bsig=|^[A-Za-z0-9+/]{40,}={1,2}$")

#: Values of members whose list is open, so that the compiler takes any text: what may be there in this deployment.
#: Source: the published types of each resource; for the regions of a web test, Azure Monitor's "population tags".
_LISTED: Final[dict[str, frozenset[str]]] = {
    "Application_Type": frozenset({"web"}),
    "Locations.Id": frozenset(
        [
            "apac-hk-hkn-azr",
            "apac-jp-kaw-edge",
            "apac-sg-sin-azr",
            "emea-au-syd-edge",
            "emea-ch-zrh-edge",
            "emea-fr-pra-edge",
            "emea-gb-db3-azr",
            "emea-nl-ams-azr",
            "emea-ru-msa-edge",
            "emea-se-sto-edge",
            "latam-br-gru-edge",
            "us-ca-sjc-azr",
            "us-fl-mia-edge",
            "us-il-ch1-azr",
            "us-tx-sn1-azr",
            "us-va-ash-azr",
        ]
    ),
    "authentication.type": frozenset({"UserAssignedIdentity", "SystemAssignedIdentity"}),
    "ftpsState": frozenset({"Disabled", "FtpsOnly"}),
    "logs.category": frozenset({"SignInLogs", "NonInteractiveUserSignInLogs"}),
    "minTlsVersion": frozenset({"1.2", "1.3"}),
    "minimumTlsVersion": frozenset({"1.2", "TLS1_2", "TLS1_3"}),  # of a Redis and of a storage account
    "operator": frozenset({"Equals", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"}),
    "principalType": frozenset({"Group", "ServicePrincipal", "User"}),
    "runtime.name": frozenset({"python"}),
    "scmMinTlsVersion": frozenset({"1.2", "1.3"}),
    "sku.name": frozenset({"Balanced_B0", "FC1", "PerGB2018", "Standard_LRS", "Standard_ZRS"}),
    "sku.tier": frozenset({"FlexConsumption"}),
    "storage.type": frozenset({"blobContainer"}),
    "timeAggregation": frozenset({"Average", "Count", "Maximum", "Minimum", "Total"}),
}


def role_order(checkout: Checkout) -> Iterator[str]:
    """Role assignments are deployed before the app, whose first start already uses its identity."""
    modules = dict(resources(checkout.templates["main"]))
    apps = [name for name, module in modules.items() if deploys(module, APP)]
    for role in (name for name, module in modules.items() if deploys(module, _ROLE)):
        late = [app for app in apps if role not in _before(app, modules)]
        if late:
            yield f"the role assignments of {role} may come after the app of {', '.join(late)}"


def _before(name: str, modules: dict[str, Any]) -> set[str]:
    """Return the modules that a module waits for, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        more = set(modules[waiting.pop()].get("dependsOn", ())) - found
        found |= more
        waiting += more & modules.keys()
    return found


def output_names(checkout: Checkout) -> Iterator[str]:
    """Outputs are named in upper case, as in azd's environment."""
    for name in checkout.templates["main"]["outputs"]:
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            yield f"the output {name} is not in upper case, as azd's environment is"


def flex_settings(checkout: Checkout) -> Iterator[str]:
    """No app setting is one that Flex Consumption refuses."""
    main = checkout.templates["main"]
    named = set(re.findall(r"[A-Za-z_]\w*", json.dumps(main)))
    yield from (f"{name} is not allowed on Flex Consumption" for name in sorted(named & _NOT_ON_FLEX))


def secrets(checkout: Checkout) -> Iterator[str]:
    """No output shows a secret, no key is read, and none is in the text."""
    for template in checkout.templates.values():
        for path, node in walk(template):
            if path[-2:-1] == ("outputs",) and isinstance(node, dict) and "type" in node:
                shown = _SECRET_MEMBER.findall(str(node.get("value")))
                if node["type"] != "securestring" and (shown or _SECRET_NAME.search(path[-1])):
                    yield f"the output {path[-1]} shows {', '.join(shown) or 'a secret'} in the deployment's history"
            elif isinstance(node, str):
                yield from (f"{called}() reads keys; assign a role instead" for called in _LIST_FUNCTION.findall(node))
                if _PASTED.search(node):
                    yield f"a key or a signature is in the text of {path[-1]}"


def listed_values(checkout: Checkout) -> Iterator[str]:
    """Where Azure's list of values is open, the value is one that this deployment may use."""
    for template in checkout.templates.values():
        for path, node in walk(template):
            allowed = _LISTED.get(".".join(path[-2:])) or _LISTED.get("".join(path[-1:]))
            if allowed and isinstance(node, str) and not node.startswith("[") and node not in allowed:
                yield f"{'.'.join(path[-2:])} is one of {', '.join(sorted(allowed))}, got {node}"
