"""The listener of one application, which makes Entra call the endpoint (phase D).

From its creation on Entra calls the endpoint at the application's sign-ins, and without an answer nobody gets a token.
Deleting it restores sign-in when the endpoint has a problem.

Source: Microsoft Graph v1.0 ``identitycontainer-post-authenticationeventlisteners.md``,
``authenticationeventlistener-update.md``. Whether an application may have two listeners is not documented: a second one
stops the command.
"""

from typing import ClassVar

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.objects import HANDLER_TYPE, LISTENER_TYPE, LISTENERS, GraphObject
from selftest.tenant.objects.errors import conflict
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.extension import one_of_name
from selftest.tenant.objects.steps.found_objects import FoundObjects
from selftest.tenant.objects.steps.step import ClientStep, PlannedChange, Write, id_of, named, planned_change


class ListenerStep(ClientStep):
    """The listener."""

    what: ClassVar = "listener"
    unique: ClassVar = False

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Find it by its name among all of them."""
        found.listeners = await client.list_all(LISTENERS)
        name = intent.name_for(self.client_id)
        found.client(self.client_id).listener = one_of_name(found.listeners, name, "listener")

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Create it; change one of ours that calls a deleted extension to ours (1003011)."""
        existing = found.client(self.client_id).listener
        _check_listeners(self.client_id, existing, found)
        wanted: GraphObject = {
            "@odata.type": LISTENER_TYPE,
            "conditions": {"applications": {"includeApplications": [{"appId": self.client_id}]}},
            "handler": {"@odata.type": HANDLER_TYPE, "customExtension": {"id": id_of(found.extension)}},
        }
        name = intent.name_for(self.client_id)
        create = Write(verb="create", path=LISTENERS, body={"displayName": name} | wanted)
        return planned_change(named(existing, name), wanted, existing, path=LISTENERS, create=create)


def called_by(listener: GraphObject) -> str:
    """Return the id of the extension that a listener calls."""
    return str(((listener.get("handler") or {}).get("customExtension") or {}).get("id") or "")


def included_in(listener: GraphObject) -> list[str]:
    """Return the client ids of a listener's applications."""
    applications = (listener.get("conditions") or {}).get("applications") or {}
    return [str(each.get("appId")).lower() for each in applications.get("includeApplications") or ()]


def _check_listeners(client_id: str, ours: GraphObject | None, found: FoundObjects) -> None:
    """Refuse where somebody else's listener is for the application, or ours calls another extension."""
    for each in found.listeners:
        same_event = each.get("@odata.type") == LISTENER_TYPE
        if same_event and each["id"] != id_of(ours) and client_id in included_in(each):
            raise conflict(
                "application-of-another-listener", name=each.get("displayName"), id=each["id"], client=client_id
            )
    called = called_by(ours) if ours else ""
    if called not in {"", id_of(found.extension)} and any(each["id"] == called for each in found.extensions):
        raise conflict("listener-of-another-extension", id=id_of(ours), extension=called)
