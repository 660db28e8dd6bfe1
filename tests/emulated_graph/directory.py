"""The state of the emulated Graph: the objects of one tenant, their assignments, and what is not visible yet.

It is loaded from the form that ``doctor --file`` reads, and exported in it. New objects may be invisible for some
requests, as in the real directory, whose replicas take seconds to agree: to reads, in lists, and to requests whose body
names them. Uniqueness is checked against all objects, because Graph checks it where it writes.
"""

import copy
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

from selftest.tenant.graph.objects import GraphObject
from tests.emulated_graph.refusal import no_such_reference, not_found

#: The collections in the order in which they are written out.
COLLECTIONS: Final = (
    "organization",
    "applications",
    "servicePrincipals",
    "claimsMappingPolicies",
    "customAuthenticationExtensions",
    "authenticationEventListeners",
    "signIns",
)


class Directory:
    """One tenant.

    Args:
        objects: By collection, as `healthy_tenant` returns them; a missing one is empty.

    Attributes:
        kinds: Objects by id, by collection. Tests may change them; nothing is checked then.
        assignments: App role assignments by id.
        policies: The ids of the policies assigned to each service principal, by its id.
        credentials: The federated identity credentials of each application, by its id.
        claims_policies: The custom claims policy of a service principal (the "Attributes & Claims" page), by its id.
        lag_requests: The number of requests that do not see a new object.
    """

    def __init__(self, objects: Mapping[str, Any]) -> None:
        self.kinds: dict[str, dict[str, GraphObject]] = {name: {} for name in COLLECTIONS}
        self.assignments: dict[str, GraphObject] = {}
        self.policies: dict[str, list[str]] = {}
        self.credentials: dict[str, list[GraphObject]] = {}
        self.claims_policies: dict[str, GraphObject] = {}
        self.lag_requests = 0
        self._unseen: dict[str, int] = {}
        for name in COLLECTIONS:
            for item in copy.deepcopy(list(objects.get(name, ()))):
                self._load(name, item)

    def _load(self, collection: str, item: GraphObject) -> None:
        if collection == "servicePrincipals":
            for assignment in item.pop("appRoleAssignments", ()):
                self.assignments[assignment["id"]] = assignment
            self.policies[item["id"]] = [policy["id"] for policy in item.pop("claimsMappingPolicies", ())]
            if (policy := item.pop("claimsPolicy", None)) is not None:
                self.claims_policies[item["id"]] = policy
        self.kinds[collection][item["id"]] = item

    def export(self) -> dict[str, Any]:
        """Return all objects in the form that ``doctor --file`` reads."""
        written: dict[str, Any] = {}
        for name in COLLECTIONS:
            written[name] = [self.view(name, item) for item in self.kinds[name].values()]
        for principal in written["servicePrincipals"]:
            principal.update(self.relations(principal["id"]))
            if (policy := self.claims_policies.get(principal["id"])) is not None:
                principal["claimsPolicy"] = copy.deepcopy(policy)
        if not written["signIns"]:
            del written["signIns"]
        return written

    def view(self, collection: str, item: GraphObject) -> GraphObject:
        """Return a copy of an object as Graph returns it; a listener comes with its extension."""
        seen = copy.deepcopy(item)
        if collection == "authenticationEventListeners" and seen.get("handler"):
            extension_id = seen["handler"]["customExtension"]["id"]
            extension = self.kinds["customAuthenticationExtensions"].get(extension_id, {"id": extension_id})
            expanded = {name: value for name, value in extension.items() if name != "@odata.type"}
            seen["handler"]["customExtension"] = copy.deepcopy(expanded)
        return seen

    def relations(self, principal_id: str) -> GraphObject:
        """Return what is assigned to a service principal."""
        policies = self.kinds["claimsMappingPolicies"]
        return {
            "appRoleAssignments": copy.deepcopy(self.granted_to(principal_id)),
            "claimsMappingPolicies": [
                copy.deepcopy(policies[each]) for each in self.policies.get(principal_id, ()) if each in policies
            ],
        }

    def granted_to(self, principal_id: str) -> list[GraphObject]:
        """Return the app role assignments of a service principal."""
        return [each for each in self.assignments.values() if each["principalId"] == principal_id]

    def visible(self, collection: str) -> Iterator[GraphObject]:
        """Return the objects of a collection that this request sees."""
        return (item for item in list(self.kinds[collection].values()) if self._seen(item["id"]))

    def get(self, collection: str, object_id: str) -> GraphObject:
        """Return the object that a path names.

        Raises:
            Refusal: It does not exist, or not yet.
        """
        item = self.kinds[collection].get(object_id)
        if item is None or not self._seen(object_id):
            raise not_found(object_id)
        return item

    def get_by(self, collection: str, member: str, value: str) -> GraphObject:
        """Return the object that a path names by another key.

        Raises:
            Refusal: It does not exist, or not yet.
        """
        item = self.lookup(collection, member, value)
        if item is None or not self._seen(item["id"]):
            raise not_found(value)
        return item

    def referenced(self, collection: str, object_id: object) -> GraphObject:
        """Return the object that a body names.

        Raises:
            Refusal: It does not exist, or not yet.
        """
        item = self.kinds[collection].get(str(object_id))
        if item is None or not self._seen(item["id"]):
            raise no_such_reference(str(object_id))
        return item

    def lookup(self, collection: str, member: str, value: object) -> GraphObject | None:
        """Find an object by a member that is unique, also one that is not visible yet."""
        return next((item for item in self.kinds[collection].values() if item.get(member) == value), None)

    def sees(self, item: GraphObject) -> bool:
        """Whether this request sees an object."""
        return self._seen(item["id"])

    def add(self, collection: str, item: GraphObject) -> GraphObject:
        """Store a new object, invisible for as many requests as replicas lag."""
        self.kinds[collection][item["id"]] = item
        if self.lag_requests > 0:
            self._unseen[item["id"]] = self.lag_requests
        return item

    def settle(self) -> None:
        """Let replicas agree: everything is visible from now on."""
        self._unseen.clear()

    def _seen(self, object_id: str) -> bool:
        left = self._unseen.get(object_id, 0)
        if left == 0:
            return True
        self._unseen[object_id] = left - 1
        return False


def new_id() -> str:
    """Return an id that no object has."""
    return str(uuid.uuid4())
