"""Shows what `apply` needs in a tenant, without one: for the person who has to approve it.

Nothing is read, so nothing is compared: what exists already is unknown. Assumed are only objects that every tenant has
(Microsoft Graph's service principal) or that `apply` never makes (the applications to enable).
"""

from collections.abc import Sequence
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.tenant.graph.objects import GRAPH_APP_ID, RECEIVE_PAYLOAD_ROLE_ID
from selftest.tenant.objects.azd_environment import API_APP_ID
from selftest.tenant.objects.intent import CLAIMS_FROM, Intent
from selftest.tenant.objects.steps.activation import MAPPED
from selftest.tenant.objects.steps.apply import ReportStep
from selftest.tenant.objects.steps.extension import ExtensionStep
from selftest.tenant.objects.steps.found_objects import FoundClient, FoundObjects
from selftest.tenant.objects.steps.step import SetupStep

_UNKNOWN: Final = "unknown"
_END: Final = (
    "no tenant was read, nothing was written: which of these exist already, and what apply would change, is unknown"
)
_ADOPTED: Final = "{name}={app_id}: the app registration with this client id is used if none has the environment's name"
_CLIENTS: Final = (
    "unknown, too, of {apps}: whether it is single-tenant and has a service principal, as it must; whether it uses "
    "SAML, whose entries differ; whether it has another mapping policy or listener, where apply would stop"
)


def show_needed(intent: Intent, steps: Sequence[SetupStep], scopes: Sequence[str], report: ReportStep) -> None:
    """Report each object of the steps with all its members, and the permissions of the sign-in.

    Raises:
        CannotRun: The claims are not named: those that the tenant has are not known.
    """
    if intent.claims is None and any(isinstance(step, ExtensionStep) for step in steps):
        raise CannotRun(f"which claims? Set {CLAIMS_FROM}, --claims-from or --claims: --offline reads no tenant")
    found = _assumed(intent)
    for step in steps:
        change = step.compare(intent, found)
        if change.write is not None:
            report("needed", step.what, change.name, change.lines)
    report("needed", "permissions", "of the sign-in", scopes)
    print(_END)
    if intent.adopted_app_id:
        print(_ADOPTED.format(name=API_APP_ID, app_id=intent.adopted_app_id))
    if intent.clients:
        print(_CLIENTS.format(apps=", ".join(intent.clients)))


def _assumed(intent: Intent) -> FoundObjects:
    found = FoundObjects(graph={"id": GRAPH_APP_ID, "appRoles": [{"id": RECEIVE_PAYLOAD_ROLE_ID}]})
    for client_id in intent.clients:
        application = {
            "id": _UNKNOWN,
            "displayName": "application",
            "signInAudience": "AzureADMyOrg",
            "api": dict.fromkeys(MAPPED, _UNKNOWN),
        }
        found.clients[client_id] = FoundClient(application=application, principal={"id": _UNKNOWN})
    return found
