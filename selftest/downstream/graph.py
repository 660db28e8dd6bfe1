"""A small Microsoft Graph: one user's properties, groups in two pages, and app roles, as Graph v1.0 writes them.

It is enough for the ``graph`` provider to call while faults are injected; queries are not checked.

Source: microsoft-graph-docs ``user-get.md``, ``user-list-transitivememberof.md``, ``user-list-approleassignments.md``,
``serviceprincipal-get.md``, ``paging.md``.
"""

from collections.abc import Mapping
from typing import Any, Final

_ROLE_ID: Final = "88888888-8888-4888-8888-888888888888"
_PRINCIPAL_ID: Final = "99999999-9999-4999-8999-999999999999"
_GROUPS: Final = (("Readers", "Sellers"), ("Writers",))


def graph_document(path: str, query: Mapping[str, str], base_url: str) -> dict[str, Any] | None:
    """Return Graph's response to a path below the version; None for an unknown path."""
    if path.startswith("/servicePrincipals"):
        role = {"id": _ROLE_ID, "value": "Approver", "displayName": "Approver", "isEnabled": True}
        return {"id": _PRINCIPAL_ID, "appRoles": [role]}
    match path.strip("/").split("/"):
        case ["users", user_id]:
            return {"id": user_id, "department": "Sales", "jobTitle": "Clerk", "country": "NO"}
        case ["users", _, "transitiveMemberOf", "microsoft.graph.group"]:
            return _groups(path, query, base_url)
        case ["users", _, "appRoleAssignments"]:
            return {"value": [{"appRoleId": _ROLE_ID, "resourceId": _PRINCIPAL_ID}]}
    return None


def _groups(path: str, query: Mapping[str, str], base_url: str) -> dict[str, Any]:
    last = query.get("$skiptoken") == "2"
    page: dict[str, Any] = {"value": [{"displayName": name} for name in _GROUPS[last]]}
    return page if last else page | {"@odata.nextLink": f"{base_url}{path}?$skiptoken=2"}
