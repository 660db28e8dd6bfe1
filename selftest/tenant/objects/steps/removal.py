"""Removes the objects: the listener first, because that alone restores sign-in, the app registration last.

An object is ours if it has our name and refers to our other objects: an extension names our app registration, a
listener calls our extension. An object of somebody else that depends on ours stops the command before anything is
deleted, and one that only resembles ours stays. The service principal of Entra's caller stays as well: every extension
of the tenant needs it.

What an application allowed before is restored, if nobody has changed it since and no other policy needs it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.errors import RequestRefused
from selftest.tenant.graph.objects import EXTENSION_TYPE, EXTENSIONS, LISTENER_TYPE, LISTENERS, POLICIES, GraphObject
from selftest.tenant.objects.errors import Conflict, reason
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.activation import MAPPED, allowed_before
from selftest.tenant.objects.steps.apply import ReportStep
from selftest.tenant.objects.steps.difference import differences
from selftest.tenant.objects.steps.extension import resource_of
from selftest.tenant.objects.steps.listener import called_by
from selftest.tenant.objects.steps.registration import find_registration, is_made_here
from selftest.tenant.objects.wait_times import WaitTimes

_KINDS: Final = ((LISTENERS, "listener"), (POLICIES, "mapping policy"), (EXTENSIONS, "extension"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One object that is deleted, unassigned, or restored.

    Attributes:
        path: Below the version.
        restored: What is written back, when nothing is deleted.
        lines: What differs afterwards.
    """

    what: str
    name: str
    path: str
    restored: GraphObject | None = None
    lines: Sequence[str] = ()

    @property
    def method(self) -> str:
        """Return the method of HTTP."""
        return "DELETE" if self.restored is None else "PATCH"


@dataclass(slots=True)
class Holdings:
    """What the tenant has, of all environments and of everybody."""

    application: GraphObject | None = None
    extensions: list[GraphObject] = field(default_factory=list)
    listeners: list[GraphObject] = field(default_factory=list)
    policies: list[GraphObject] = field(default_factory=list)

    @classmethod
    async def read(cls, client: GraphClient, intent: Intent) -> "Holdings":
        """Read everything that may be ours or may depend on it."""
        return cls(
            application=await find_registration(client, intent),
            extensions=await client.list_all(EXTENSIONS),
            listeners=await client.list_all(LISTENERS),
            policies=await client.list_all(POLICIES),
        )

    def our_extensions(self, intent: Intent) -> list[GraphObject]:
        """Return the extensions with our name that name our app registration."""
        same = [
            each for each in self.extensions if _is_named(each, intent) and each.get("@odata.type") == EXTENSION_TYPE
        ]
        return [each for each in same if self._names_our_application(each)]

    def our_listeners(self, intent: Intent, clients: Collection[str]) -> list[GraphObject]:
        """Return the listeners with our names that call our extension, or a deleted one; no client ids mean all."""
        foreign = {each["id"] for each in self.extensions if not _is_named(each, intent)}
        named = [each for each in self.listeners if _is_for(intent, each, clients)]
        return [each for each in named if each.get("@odata.type") == LISTENER_TYPE and called_by(each) not in foreign]

    def our_policies(self, intent: Intent, clients: Collection[str]) -> list[GraphObject]:
        """Return the policies with our names."""
        return [each for each in self.policies if _is_for(intent, each, clients)]

    def blocking(self, intent: Intent) -> list[str]:
        """Return what depends on objects that would be deleted, and is not ours."""
        ours, listeners = self.our_extensions(intent), self.our_listeners(intent, ())
        unowned = [each for each in self.extensions if _is_named(each, intent) and self.application is None]
        called = {each["id"] for each in ours}
        callers = [each for each in self.listeners if called_by(each) in called and each not in listeners]
        users = [each for each in self.extensions if each not in ours and self._names_our_application(each)]
        found = {"extension-without-owner": unowned, "extension-is-called": callers, "registration-is-needed": users}
        return [reason(text, name=_name(each), id=each["id"]) for text, items in found.items() for each in items]

    def _names_our_application(self, extension: GraphObject) -> bool:
        return self.application is not None and resource_of(extension).endswith(f"/{self.application['appId']}")


async def removals(client: GraphClient, intent: Intent, clients: Collection[str]) -> list[Removal]:
    """Return what would be removed, in order: everything, or only what was created for these client applications.

    Raises:
        Conflict: Objects of others depend on it.
        GraphError: The tenant cannot be read.
    """
    held = await Holdings.read(client, intent)
    if not clients and (reasons := held.blocking(intent)):
        raise Conflict(*reasons)
    found = [_deletion("listener", each, LISTENERS) for each in held.our_listeners(intent, clients)]
    for policy in held.our_policies(intent, clients):
        found += await _of_policy(client, policy, str(intent.client_of(policy["displayName"])))
    if clients:
        return found
    found += [_deletion("extension", each, EXTENSIONS) for each in held.our_extensions(intent)]
    if held.application is not None and is_made_here(held.application, intent):
        found.append(_deletion("app registration", held.application, "/applications"))
    return found


async def named_removals(client: GraphClient, intent: Intent, ids: Sequence[str]) -> list[Removal]:
    """Return what would be removed by id, no matter who created it: listeners, policies, extensions.

    Raises:
        Conflict: An id is of none of these, or a listener still calls the extension.
    """
    held = await Holdings.read(client, intent)
    kept = [each for each in held.listeners if each["id"] not in ids]
    found: list[Removal] = []
    items = {LISTENERS: held.listeners, POLICIES: held.policies, EXTENSIONS: held.extensions}
    for path, what in _KINDS:
        found += [_deletion(what, each, path) for each in items[path] if each["id"] in ids]
    missing = [each for each in ids if not any(one.path.endswith(f"/{each}") for one in found)]
    reasons = [reason("id-unknown", id=each) for each in missing]
    reasons += [
        reason("extension-keeps-listener", name=each.get("displayName"), id=each["id"], extension=called_by(each))
        for each in kept
        if called_by(each) in ids
    ]
    if reasons:
        raise Conflict(*reasons)
    return found


async def remove(client: GraphClient, found: Sequence[Removal], report: ReportStep, times: WaitTimes) -> None:
    """Remove what was listed, unless it is gone already.

    Raises:
        GraphError: The rest stays; another run continues there.
    """
    for each in found:
        if each.restored is not None:
            await client.update(each.path, each.restored)
            report("restored", each.what, each.name, each.lines)
        else:
            await _delete(client, each.path, times)
            report("deleted", each.what, each.name, each.lines)


async def _delete(client: GraphClient, path: str, times: WaitTimes) -> None:
    """Delete; retry a refusal for a while, as for an extension whose listener was deleted a moment ago."""
    deadline = times.clock() + times.doubt_s
    while True:
        try:
            await client.delete(path)
        except RequestRefused:
            if times.clock() + times.between_s >= deadline:
                raise
            await times.sleep(times.between_s)
        else:
            return


async def _of_policy(client: GraphClient, policy: GraphObject, client_id: str) -> list[Removal]:
    """Unassign a policy, restore what its application allowed before, and delete it, in this order."""
    principal = await client.find(f"/servicePrincipals(appId='{client_id}')", select=("id",))
    found, others = list[Removal](), False
    if principal is not None:
        path = f"/servicePrincipals/{principal['id']}/claimsMappingPolicies"
        assigned = {each["id"] for each in await client.list_all(path)}
        others = bool(assigned - {policy["id"]})
        if policy["id"] in assigned:
            found.append(Removal(what="assignment", name=_name(policy), path=f"{path}/{policy['id']}/$ref"))
    if not others:
        found += await _restored(client, policy, client_id)
    return [*found, _deletion("mapping policy", policy, POLICIES)]


async def _restored(client: GraphClient, policy: GraphObject, client_id: str) -> list[Removal]:
    application = await client.find(f"/applications(appId='{client_id}')", select=("id", "displayName", "api"))
    before = allowed_before(policy)
    if application is None or before is None:
        return []
    api = application.get("api") or {}
    back = {member: value for member, value in before.items() if api.get(member) == MAPPED[member] != value}
    if not back:
        return []
    name = f"{application.get('displayName')} {client_id}"
    lines = tuple(differences({"api": back}, application))
    path = f"/applications/{application['id']}"
    return [Removal(what="mapped claims", name=name, path=path, restored={"api": back}, lines=lines)]


def _deletion(what: str, item: GraphObject, path: str) -> Removal:
    return Removal(what=what, name=_name(item), path=f"{path}/{item['id']}")


def _name(item: GraphObject) -> str:
    return f"{item.get('displayName')} {item['id']}"


def _is_named(item: GraphObject, intent: Intent) -> bool:
    return item.get("displayName") == intent.display_name


def _is_for(intent: Intent, item: GraphObject, clients: Collection[str]) -> bool:
    client = intent.client_of(item.get("displayName"))
    return client is not None and (not clients or client in clients)
