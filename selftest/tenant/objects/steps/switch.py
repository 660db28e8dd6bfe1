"""Takes the listener off one application, and puts it back as it was: ``objects disable`` and ``objects enable``.

A listener that is deleted cannot be restored from Graph, and nothing is remembered between two runs but in Entra.
Therefore the listener is noted in the description of the application's mapping policy before it is touched, and the
note is removed once the listener is back. A listener that serves other applications too only loses this one.

An empty list of applications is never written: which applications such a listener serves is not documented.

Source: Microsoft Graph v1.0 ``authenticationeventlistener-update.md``, ``authenticationeventlistener-delete.md``,
``claimsmappingpolicy-update.md``.
"""

import json
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.objects import LISTENER_TYPE, LISTENERS, POLICIES, GraphObject
from selftest.tenant.objects.errors import conflict
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.activation import AssignmentStep, DisplacedPolicyStep, PolicyStep
from selftest.tenant.objects.steps.extension import ExtensionStep, one_of_name
from selftest.tenant.objects.steps.found_objects import FoundObjects
from selftest.tenant.objects.steps.listener import ListenerStep, called_by, included_in
from selftest.tenant.objects.steps.policy_note import find_note
from selftest.tenant.objects.steps.step import ClientStep, PlannedChange, SetupStep, Write, named, planned_change

_MARKER: Final = " | Disabled listener: "


class NotedListenerStep(ClientStep):
    """The note of the listener, written while the listener still exists."""

    what: ClassVar = "way back"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read the application's policy, and all listeners."""
        await PolicyStep(self.client_id).read(client, intent, found)
        await ListenerStep(self.client_id).read(client, intent, found)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Note the listener as it is now, in the place of an older note."""
        listener, policy = _listener_for(self.client_id, intent, found), found.client(self.client_id).policy
        if listener is None:
            return PlannedChange(name="none")
        if policy is None:
            raise conflict("listener-without-policy", id=listener["id"], client=self.client_id)
        note = json.dumps(_essence(listener), separators=(",", ":"), sort_keys=True)
        wanted = {"description": _without_note(policy) + _MARKER + note}
        return planned_change(named(policy, intent.name_for(self.client_id)), wanted, policy, path=POLICIES)


class ListenerOffStep(ClientStep):
    """The listener, which stops being called for the application."""

    what: ClassVar = "listener"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read all listeners."""
        await ListenerStep(self.client_id).read(client, intent, found)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Take the application off the listener, or delete a listener that serves no other."""
        listener = _listener_for(self.client_id, intent, found)
        if listener is None:
            return PlannedChange(name="none")
        name = named(listener, str(listener.get("displayName")))
        if kept := [each for each in included_in(listener) if each != self.client_id]:
            return planned_change(name, _with_applications(listener, kept), listener, path=LISTENERS)
        return PlannedChange(name=name, write=Write(verb="delete", path=f"{LISTENERS}/{listener['id']}"))


class ListenerBackStep(ClientStep):
    """The listener, as it was noted."""

    what: ClassVar = "listener"
    unique: ClassVar = False

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read all listeners and extensions; the policy is read before."""
        await ListenerStep(self.client_id).read(client, intent, found)
        await ExtensionStep().read(client, intent, found)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Create it again, or give the application back to one that served others as well."""
        existing, note = _listener_for(self.client_id, intent, found), _note(found.client(self.client_id).policy)
        if note is None and existing is None:
            raise conflict("nothing-disabled", client=self.client_id)
        if note is None:
            return PlannedChange(name=named(existing, intent.name_for(self.client_id)))
        name = str(note.get("displayName"))
        existing = existing or one_of_name(found.listeners, name, "listener")
        if not any(each["id"] == called_by(note) for each in found.extensions):
            raise conflict("extension-of-note", extension=called_by(note), client=self.client_id)
        wanted = note | _with_applications(existing or {}, sorted({*included_in(existing or {}), self.client_id}))
        create = Write(verb="create", path=LISTENERS, body=wanted)
        restored = {member: value for member, value in wanted.items() if member != "displayName"}
        return planned_change(named(existing, name), restored, existing, path=LISTENERS, create=create)


class NoteGoneStep(ClientStep):
    """The note, which is removed once the listener is back."""

    what: ClassVar = "way back"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read the application's policy."""
        await PolicyStep(self.client_id).read(client, intent, found)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Restore the description of the policy."""
        policy = found.client(self.client_id).policy
        name = named(policy, intent.name_for(self.client_id))
        if policy is None or find_note(policy, _MARKER) is None:
            return PlannedChange(name=name)
        return planned_change(name, {"description": _without_note(policy)}, policy, path=POLICIES)


def disabling(client_id: str) -> tuple[SetupStep, ...]:
    """Return the steps that take the listener off an application, in their order."""
    return NotedListenerStep(client_id), ListenerOffStep(client_id)


def enabling(client_id: str) -> tuple[SetupStep, ...]:
    """Return the steps that put it back; the policy may have been displaced by another environment's in between."""
    kinds = (PolicyStep, DisplacedPolicyStep, AssignmentStep, ListenerBackStep, NoteGoneStep)
    return tuple(kind(client_id) for kind in kinds)


def _listener_for(client_id: str, intent: Intent, found: FoundObjects) -> GraphObject | None:
    """Return this environment's listener that includes the application.

    Raises:
        Conflict: Another listener includes it, which would still be called, or could not be restored.
    """
    calling = [
        each for each in found.listeners if each.get("@odata.type") == LISTENER_TYPE and client_id in included_in(each)
    ]
    ours = [each for each in calling if intent.client_of(each.get("displayName"))][:1]
    for each in calling:
        if each not in ours:
            raise conflict(
                "application-of-another-listener", name=each.get("displayName"), id=each["id"], client=client_id
            )
    return ours[0] if ours else None


def _essence(listener: GraphObject) -> GraphObject:
    """Return what a listener is, without its id and what Graph adds to an answer."""
    kept = {member: value for member, value in _written(listener).items() if member != "id"}
    handler = kept["handler"] | {"customExtension": {"id": called_by(listener)}}
    return kept | {"handler": handler} | _with_applications(kept, sorted(included_in(listener)))


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            member: _written(item)
            for member, item in value.items()
            if item is not None and ("@odata." not in member or member == "@odata.type")
        }
    return [_written(item) for item in value] if isinstance(value, list) else value


def _with_applications(listener: GraphObject, app_ids: Sequence[str]) -> GraphObject:
    """Return the members of a listener that include these applications."""
    conditions = listener.get("conditions") or {}
    applications = (conditions.get("applications") or {}) | {"includeApplications": [{"appId": one} for one in app_ids]}
    return {"@odata.type": LISTENER_TYPE, "conditions": conditions | {"applications": applications}}


def _note(policy: GraphObject | None) -> GraphObject | None:
    """Return the noted listener; None where there is none, or where somebody has edited it into something else."""
    note = find_note(policy, _MARKER) if policy else None
    fits = note is not None and isinstance(note.value.get("handler"), dict)
    return note.value if note and fits and called_by(note.value) else None


def _without_note(policy: GraphObject) -> str:
    text, note = str(policy.get("description") or ""), find_note(policy, _MARKER)
    return text if note is None else text[: note.start] + text[note.end :]
