"""The listener of one application: the switch itself (phase D).

From the moment it is there Entra calls the endpoint at the application's sign-ins, and without an answer nobody gets a
token. Deleting it is what brings sign-in back when the endpoint is in trouble.

Source: Microsoft Graph v1.0 ``identitycontainer-post-authenticationeventlisteners.md``,
``authenticationeventlistener-update.md``. Whether an application may have two listeners is documented nowhere: a second
one stops the program.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.objects import HANDLER_TYPE, LISTENER_TYPE
from selftest.tenant.objects.errors import Conflict
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.difference import differences
from selftest.tenant.objects.steps.extension import one_of_name
from selftest.tenant.objects.steps.found_objects import Found, GraphObject
from selftest.tenant.objects.steps.step import Comparison, Write, id_of, named

LISTENERS: Final = "/identity/authenticationEventListeners"


@dataclass(frozen=True, slots=True)
class Listener:
    """The listener."""

    client_id: str
    what: ClassVar[str] = "listener"
    phase: ClassVar[Literal["D"]] = "D"
    unique: ClassVar[bool] = False

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Find it by its name among all of them."""
        found.listeners = await client.list_all(LISTENERS)
        name = intent.name_for(self.client_id)
        found.client(self.client_id).listener = one_of_name(found.listeners, name, "listener")

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Make it; one of ours that calls an extension that is gone is turned to ours (1003011)."""
        existing = found.client(self.client_id).listener
        name = named(existing, intent.name_for(self.client_id))
        _check_listeners(self.client_id, existing, found)
        wanted: GraphObject = {
            "@odata.type": LISTENER_TYPE,
            "conditions": {"applications": {"includeApplications": [{"appId": self.client_id}]}},
            "handler": {"@odata.type": HANDLER_TYPE, "customExtension": {"id": id_of(found.extension)}},
        }
        lines = tuple(differences(wanted, existing))
        if not lines:
            return Comparison(name=name)
        if existing is None:
            made = {"displayName": intent.name_for(self.client_id)} | wanted
            return Comparison(name=name, lines=lines, write=Write(verb="create", path=LISTENERS, body=made))
        path = f"{LISTENERS}/{existing['id']}"
        return Comparison(name=name, lines=lines, write=Write(verb="update", path=path, body=wanted))


def called_by(listener: GraphObject) -> str:
    """Give the id of the extension that a listener calls."""
    return str(((listener.get("handler") or {}).get("customExtension") or {}).get("id") or "")


def included_in(listener: GraphObject) -> list[str]:
    """Name the applications of a listener by their client ids."""
    applications = (listener.get("conditions") or {}).get("applications") or {}
    return [str(each.get("appId")).lower() for each in applications.get("includeApplications") or ()]


def _check_listeners(client_id: str, ours: GraphObject | None, found: Found) -> None:
    """Stop where somebody else's listener answers for the application, or ours calls another extension."""
    for each in found.listeners:
        same_event = each.get("@odata.type") == LISTENER_TYPE
        if same_event and each["id"] != id_of(ours) and client_id in included_in(each):
            raise Conflict(
                f"the listener {each.get('displayName')!r} {each['id']} answers for application {client_id} already: "
                f"take the application out of it, or take it away with remove --id {each['id']}"
            )
    called = called_by(ours) if ours else ""
    if called not in {"", id_of(found.extension)} and any(each["id"] == called for each in found.extensions):
        raise Conflict(
            f"the listener {id_of(ours)} has our name and calls another extension, {called}: rename it, or take it "
            f"away with remove --id {id_of(ours)}"
        )
