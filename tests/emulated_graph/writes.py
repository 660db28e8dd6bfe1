"""Creates, changes and deletes a tenant's objects as Graph does.

A change keeps the members that it does not name, also those of ``api``-like members; collections and members of a named
type are replaced completely. Whether Graph replaces ``claimsForTokenConfiguration`` so is not documented.

Source: microsoft-graph-docs v1.0 ``application-update.md``, ``application-upsert.md``, ``serviceprincipal-update.md``,
``customauthenticationextension-update.md``, ``authenticationeventlistener-update.md``.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from selftest.tenant.graph.objects import GraphObject
from tests.emulated_graph import rules
from tests.emulated_graph.directory import Directory, new_id
from tests.emulated_graph.healthy_tenant import MICROSOFT_TENANT_ID, new_application, new_principal
from tests.emulated_graph.refusal import bad_request, no_such_reference, not_found

_TYPE: Final = "@odata.type"
_APPLICATIONS: Final = "applications"
_PRINCIPALS: Final = "servicePrincipals"
_POLICIES: Final = "claimsMappingPolicies"
_EXTENSIONS: Final = "customAuthenticationExtensions"
_LISTENERS: Final = "authenticationEventListeners"


class Writer:
    """Changes one directory.

    Args:
        directory: The tenant.
        now: Returns the time of a new object, as Graph writes it.

    Attributes:
        keeps_used_extensions: Whether an extension that a listener calls cannot be deleted; not documented.
    """

    def __init__(self, directory: Directory, now: Callable[[], str]) -> None:
        self._directory = directory
        self._now = now
        self.keeps_used_extensions = True

    def create(self, collection: str, body: GraphObject) -> GraphObject:
        """Create an object and return it.

        Raises:
            Refusal: A rule is broken; nothing is created then.
        """
        match collection:
            case "applications":
                item = self._application(body)
            case "servicePrincipals":
                item = self._principal(body)
            case "claimsMappingPolicies":
                rules.check_policy(body)
                item = {"id": new_id(), "deletedDateTime": None, "description": None, "isOrganizationDefault": False}
                item |= body
            case "customAuthenticationExtensions":
                item = self._extension(body)
            case _:
                item = self._listener(body)
        return self._directory.add(collection, item)

    def change(self, collection: str, item: GraphObject, body: GraphObject) -> None:
        """Change an object.

        Raises:
            Refusal: A rule is broken; nothing is changed then.
        """
        changed = merged(item, body)
        match collection:
            case "applications":
                rules.check_application(self._directory, changed, item)
            case "claimsMappingPolicies":
                rules.check_policy(changed)
            case "customAuthenticationExtensions":
                rules.check_extension(self._directory, changed)
            case "authenticationEventListeners":
                rules.check_listener(self._directory, changed)
                changed = _bare(changed)
        item.clear()
        item.update(changed)
        if collection == _APPLICATIONS:
            self._rename(item)

    def delete(self, collection: str, item: GraphObject) -> None:
        """Delete an object, with its dependents.

        Raises:
            Refusal: A listener calls the extension.
        """
        if collection == _EXTENSIONS and self.keeps_used_extensions:
            rules.check_unused(self._directory, item["id"])
        del self._directory.kinds[collection][item["id"]]
        if collection == _APPLICATIONS:
            principal = self._directory.lookup(_PRINCIPALS, "appId", item["appId"])
            if principal is not None:
                self.delete(_PRINCIPALS, principal)
        elif collection == _PRINCIPALS:
            self._directory.policies.pop(item["id"], None)
            for assignment in list(self._directory.assignments.values()):
                if item["id"] in {assignment["principalId"], assignment["resourceId"]}:
                    del self._directory.assignments[assignment["id"]]
        elif collection == _POLICIES:
            for assigned in self._directory.policies.values():
                assigned[:] = [each for each in assigned if each != item["id"]]

    def grant(self, principal_id: str, body: GraphObject) -> GraphObject:
        """Assign an app role to a service principal.

        Raises:
            Refusal: A rule is broken, or the body names another service principal.
        """
        if body["principalId"] != principal_id:
            raise bad_request("The principalId of the body is not the service principal of the path.")
        principal, resource = rules.check_grant(self._directory, body)
        assignment = {
            "id": new_id(),
            "deletedDateTime": None,
            "createdDateTime": self._now(),
            "principalDisplayName": principal["displayName"],
            "principalType": "ServicePrincipal",
            "resourceDisplayName": resource["displayName"],
            **{member: body[member] for member in ("principalId", "resourceId", "appRoleId")},
        }
        self._directory.assignments[assignment["id"]] = assignment
        return assignment

    def trust(self, application_id: str, body: GraphObject, credential_id: str | None = None) -> GraphObject:
        """Add a federated identity credential to an application, or change the one that is named.

        Raises:
            Refusal: It does not exist, or a rule is broken.
        """
        held = self._directory.credentials.setdefault(application_id, [])
        before = next((one for one in held if one["id"] == credential_id), None)
        if credential_id is not None and before is None:
            raise not_found(credential_id)
        others = [one for one in held if one is not before]
        credential = {"id": new_id(), "description": None, **(before or {}), **copy.deepcopy(body)}
        rules.check_credential(others, credential, before)
        held[:] = [*others, credential]
        return credential

    def assign(self, principal_id: str, reference: str) -> None:
        """Assign a policy, named by its URL.

        Raises:
            Refusal: There is no such policy, or the service principal has one.
        """
        place, _, policy_id = reference.rpartition("/")
        if not place.endswith(("/policies/claimsMappingPolicies", "/directoryObjects")):
            raise no_such_reference(reference)
        self._directory.referenced(_POLICIES, policy_id)
        rules.check_assignment(self._directory, principal_id, policy_id)
        self._directory.policies.setdefault(principal_id, []).append(policy_id)

    def unassign(self, principal_id: str, policy_id: str) -> None:
        """Unassign a policy.

        Raises:
            Refusal: It is not assigned to this service principal.
        """
        assigned = self._directory.policies.get(principal_id, [])
        if policy_id not in assigned:
            raise not_found(policy_id)
        assigned.remove(policy_id)

    def _application(self, body: GraphObject) -> GraphObject:
        item = new_application(new_id(), new_id(), body["displayName"])
        item["createdDateTime"] = self._now()
        item["api"]["requestedAccessTokenVersion"] = None
        item = merged(item, body)
        rules.check_application(self._directory, item, None)
        return item

    def _principal(self, body: GraphObject) -> GraphObject:
        application = rules.check_new_principal(self._directory, body["appId"])
        (tenant_id,) = self._directory.kinds["organization"]
        name = application["displayName"] if application else f"Microsoft service {body['appId'][:8]}"
        item = new_principal(new_id(), body["appId"], name, tenant_id if application else MICROSOFT_TENANT_ID)
        if application:
            item["servicePrincipalNames"] += application["identifierUris"]
            item["appRoles"] = copy.deepcopy(application["appRoles"])
        for relation in ("appRoleAssignments", "claimsMappingPolicies"):
            del item[relation]
        self._directory.policies[item["id"]] = []
        return merged(item, body)

    def _extension(self, body: GraphObject) -> GraphObject:
        rules.check_room(self._directory, _EXTENSIONS, rules.MAX_EXTENSIONS)
        unset = ("displayName", "description", "endpointConfiguration", "clientConfiguration", "behaviorOnError")
        item = {"id": new_id(), **dict.fromkeys(unset), "claimsForTokenConfiguration": [], **copy.deepcopy(body)}
        rules.check_extension(self._directory, item)
        return item

    def _listener(self, body: GraphObject) -> GraphObject:
        rules.check_room(self._directory, _LISTENERS, rules.MAX_LISTENERS)
        rules.check_listener(self._directory, body)
        unset = {"authenticationEventsFlowId": None, "displayName": None, "conditions": None}
        return _bare({"id": new_id(), **unset, **copy.deepcopy(body)})

    def _rename(self, application: GraphObject) -> None:
        """Update the names of an application's service principal."""
        principal = self._directory.lookup(_PRINCIPALS, "appId", application["appId"])
        if principal is not None:
            principal["servicePrincipalNames"] = [application["appId"], *application["identifierUris"]]


def merged(item: Mapping[str, Any], body: Mapping[str, Any]) -> GraphObject:
    """Return an object with a change applied to it."""
    result: GraphObject = copy.deepcopy(dict(item))
    for member, value in body.items():
        before = result.get(member)
        if isinstance(value, dict) and isinstance(before, dict) and _TYPE not in value:
            result[member] = merged(before, value)
        else:
            result[member] = copy.deepcopy(value)
    return result


def _bare(listener: GraphObject) -> GraphObject:
    """Reduce a listener's extension to its id."""
    handler = listener["handler"]
    handler["customExtension"] = {"id": handler["customExtension"]["id"]}
    handler.setdefault("configuration", None)
    return listener
