"""Answers a request that is allowed: reads objects and changes them.

Nothing here depends on HTTP except statuses; the server has checked path, method, permission, options and body.

Source: the pages of the operations in `selftest.tenant.graph.surface`; ``application-upsert.md`` for
``create-if-missing``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from selftest.tenant.graph.objects import GraphObject
from selftest.tenant.graph.surface import Version
from tests.emulated_graph.directory import Directory
from tests.emulated_graph.operations import Operation
from tests.emulated_graph.query import matching, page, select
from tests.emulated_graph.refusal import bad_request, not_found
from tests.emulated_graph.types import members
from tests.emulated_graph.validation import validate
from tests.emulated_graph.writes import Writer

#: The collection of each path, the longest path first where one starts another.
_PATHS: Final[Mapping[str, str]] = {
    "/organization": "organization",
    "/applications": "applications",
    "/servicePrincipals": "servicePrincipals",
    "/policies/claimsMappingPolicies": "claimsMappingPolicies",
    "/identity/customAuthenticationExtensions": "customAuthenticationExtensions",
    "/identity/authenticationEventListeners": "authenticationEventListeners",
    "/auditLogs/signIns": "signIns",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A checked request.

    Attributes:
        version: Of Graph.
        operation: Of its path and method.
        keys: The values of the names in the path.
        query: Its options.
        body: Checked.
        create_if_missing: Whether it has ``Prefer: create-if-missing``.
        url: Of the path, for links.
    """

    version: Version
    operation: Operation
    keys: tuple[str, ...]
    query: Mapping[str, str]
    body: GraphObject
    create_if_missing: bool
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status, and a body where there is one."""

    status: int
    body: dict[str, Any] | None = None


_DONE: Final = Answer(status=204)


class Answers:
    """Answers requests with the objects of one directory.

    Args:
        directory: The tenant.
        writer: Changes it.
        page_size: The maximum number of objects in a page.
    """

    def __init__(self, directory: Directory, writer: Writer, page_size: int) -> None:
        self._directory = directory
        self._writer = writer
        self.page_size = page_size

    def answer(self, asked: Asked) -> Answer:
        """Carry out a request.

        Raises:
            Refusal: It cannot be carried out; nothing has changed then.
        """
        template = asked.operation.path
        start = next(path for path in _PATHS if template.startswith(path))
        collection, rest = _PATHS[start], template.removeprefix(start)
        if rest.endswith("/validateAuthenticationConfiguration"):
            configuration = self._directory.get(collection, asked.keys[0]) if asked.keys else asked.body
            return Answer(status=200, body=validate(self._directory, configuration))
        if not rest:
            return self._list(asked, collection) if asked.operation.method == "GET" else self._create(asked, collection)
        if rest.startswith("(") or rest.count("/") == 1:
            return self._entity(asked, collection, rest)
        if rest.split("/")[2] == "federatedIdentityCredentials":
            return self._credentials(asked)
        return self._relation(asked, rest.split("/")[2])

    def _list(self, asked: Asked, collection: str) -> Answer:
        items = [self._directory.view(collection, item) for item in self._directory.visible(collection)]
        if collection == "signIns":
            items = _sign_ins(items, asked)
        return self._page(asked, items)

    def _page(self, asked: Asked, items: Sequence[GraphObject]) -> Answer:
        found = matching(asked.operation.answer or "", items, asked.query)
        some, link = page(found, asked.query, page_size=self.page_size, url=asked.url)
        body: dict[str, Any] = {"value": [select(item, asked.query) for item in some]}
        return Answer(status=200, body=body if link is None else {**body, "@odata.nextLink": link})

    def _create(self, asked: Asked, collection: str) -> Answer:
        item = self._writer.create(collection, asked.body)
        return Answer(status=201, body=self._directory.view(collection, item))

    def _entity(self, asked: Asked, collection: str, rest: str) -> Answer:
        (key,) = asked.keys
        member = rest[1:].partition("=")[0] if rest.startswith("(") else None
        if asked.operation.method == "PATCH" and member == "uniqueName":
            return self._upsert(asked, key)
        get_by = self._directory.get_by
        item = get_by(collection, member, key) if member else self._directory.get(collection, key)
        match asked.operation.method:
            case "GET":
                return Answer(status=200, body=select(self._directory.view(collection, item), asked.query))
            case "PATCH":
                self._writer.change(collection, item, asked.body)
            case _:
                self._writer.delete(collection, item)
        return _DONE

    def _upsert(self, asked: Asked, name: str) -> Answer:
        """Change the application with a unique name, or create it; its name is checked without lag."""
        item = self._directory.lookup("applications", "uniqueName", name)
        if item is not None:
            self._writer.change("applications", item, asked.body)
            return _DONE
        if not asked.create_if_missing:
            raise not_found(name)
        if not asked.body.get("displayName"):
            raise bad_request("A value is required for property 'displayName'.")
        item = self._writer.create("applications", {**asked.body, "uniqueName": name})
        return Answer(status=201, body=self._directory.view("applications", item))

    def _credentials(self, asked: Asked) -> Answer:
        application_id = self._directory.get("applications", asked.keys[0])["id"]
        match asked.operation.method:
            case "GET":
                return self._page(asked, self._directory.credentials.get(application_id, []))
            case "POST":
                return Answer(status=201, body=self._writer.trust(application_id, asked.body))
            case _:
                self._writer.trust(application_id, asked.body, asked.keys[1])
        return _DONE

    def _relation(self, asked: Asked, name: str) -> Answer:
        principal_id = self._directory.get("servicePrincipals", asked.keys[0])["id"]
        match (asked.operation.method, name):
            case ("GET", "claimsPolicy"):
                policy = self._directory.claims_policies.get(principal_id)
                if policy is None:
                    raise not_found(principal_id)
                return Answer(status=200, body=policy)
            case ("GET", _):
                return self._page(asked, self._directory.relations(principal_id)[name])
            case ("POST", "appRoleAssignments"):
                return Answer(status=201, body=self._writer.grant(principal_id, asked.body))
            case ("POST", _):
                self._writer.assign(principal_id, asked.body["@odata.id"])
            case _:
                self._writer.unassign(principal_id, asked.keys[1])
        return _DONE


def _sign_ins(items: Sequence[GraphObject], asked: Asked) -> list[GraphObject]:
    """Return the sign-ins of this version, the newest first; only interactive ones unless the filter names a kind."""
    known = members("signIn", asked.version)
    if "signInEventTypes" not in asked.query.get("$filter", ""):
        items = [item for item in items if item.get("isInteractive", True)]
    newest = sorted(items, key=lambda item: str(item["createdDateTime"]), reverse=True)
    return [{name: value for name, value in item.items() if name in known} for item in newest]
