"""Query options: which objects of a list, which members of each, and in which pages.

Only the forms of ``$filter`` that the project needs and Graph documents are supported; anything else is refused, as
Graph refuses filters without an index, so that no test relies on a filter that the real Graph would not accept.

Source: microsoft-graph-docs ``concepts/query-parameters.md``, ``concepts/filter-query-parameter.md``,
``concepts/paging.md``, and the "Supports $filter" of each property.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from selftest.tenant.graph.surface import Version
from tests.emulated_graph.operations import Operation
from tests.emulated_graph.refusal import Refusal
from tests.emulated_graph.types import derives, members, names

type Item = Mapping[str, Any]

#: What each type can be filtered by, and with which operators.
FILTERS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "application": {"appId": ("eq",), "displayName": ("eq",), "uniqueName": ("eq",)},
    "servicePrincipal": {"appId": ("eq",), "displayName": ("eq",)},
    "appRoleAssignment": {"resourceId": ("eq",)},
    "claimsMappingPolicy": {"displayName": ("eq",)},
    "signIn": {
        "appId": ("eq",),
        "correlationId": ("eq",),
        "createdDateTime": ("ge",),
        "signInEventTypes": ("any",),
    },
}

MAX_PAGE: Final = 999
_SKIP: Final = "$skiptoken"
_TEXT: Final = r"'(?P<text>(?:[^']|'')*)'"
_COMPARE: Final = re.compile(rf"(?P<member>[A-Za-z]+) (?P<operator>[a-z]+) (?:{_TEXT}|(?P<bare>[0-9A-Za-z:.+-]+))")
_ANY: Final = re.compile(rf"(?P<member>[A-Za-z]+)/any\((?P<each>\w+): ?(?P=each) eq {_TEXT}\)")
_AND: Final = re.compile(r" and (?=(?:[^']*'[^']*')*[^']*$)")


def check_options(operation: Operation, query: Mapping[str, str], version: Version) -> None:
    """Refuse options that the path does not support, and unknown members.

    Raises:
        Refusal: The first fault.
    """
    for name in query:
        if name not in operation.options and not (operation.collection and name == _SKIP):
            raise Refusal(400, "BadRequest", f"The query option '{name}' is not supported here.")
    if operation.answer is None:
        return
    known = _readable(operation.answer, version)
    for member in filter(None, query.get("$select", "").split(",")):
        if member not in known:
            wanted = f"microsoft.graph.{operation.answer}"
            raise Refusal(400, "BadRequest", f"Could not find a property named '{member}' on type '{wanted}'.")


def select(item: Item, query: Mapping[str, str]) -> dict[str, Any]:
    """Reduce an object to what ``$select`` names and its type."""
    wanted = set(filter(None, query.get("$select", "").split(",")))
    if not wanted:
        return dict(item)
    return {name: value for name, value in item.items() if name in wanted | {"@odata.type"}}


def matching(kind: str, items: Sequence[Item], query: Mapping[str, str]) -> list[Item]:
    """Return the objects that ``$filter`` keeps.

    Raises:
        Refusal: The filter is not documented for this type.
    """
    tests = [_test(kind, clause) for clause in _AND.split(query.get("$filter", "")) if clause]
    return [item for item in items if all(test(item) for test in tests)]


def page(
    items: Sequence[Item], query: Mapping[str, str], *, page_size: int, url: str
) -> tuple[Sequence[Item], str | None]:
    """Return one page and the link to the next one, None at the end.

    Args:
        items: All of them.
        query: Of the request; ``$top`` may make pages smaller than ``page_size``.
        page_size: The maximum number of objects in a page.
        url: Of the list, without a query.

    Raises:
        Refusal: A ``$top`` or a link that Graph would not accept.
    """
    top, start = query.get("$top", str(page_size)), query.get(_SKIP, "0")
    if not top.isdecimal() or not 1 <= int(top) <= MAX_PAGE:
        raise Refusal(400, "BadRequest", f"Invalid page size specified: '{top}'. Must be between 1 and {MAX_PAGE}.")
    if not start.isdecimal():
        raise Refusal(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
    end = int(start) + min(int(top), page_size)
    if end >= len(items):
        return items[int(start) :], None
    kept = {name: value for name, value in query.items() if name != _SKIP}
    return items[int(start) : end], f"{url}?{urlencode({**kept, _SKIP: end}, safe='$')}"


def _readable(kind: str, version: Version) -> set[str]:
    """Return the members of a type and of those that derive from it."""
    return {member for name in names() if derives(name, kind) for member in members(name, version)}


def _test(kind: str, clause: str) -> Callable[[Item], bool]:
    match = _ANY.fullmatch(clause) or _COMPARE.fullmatch(clause)
    if match is None:
        raise Refusal(400, "BadRequest", f"Invalid filter clause: '{clause}'.")
    member, text = match["member"], match["text"]
    operator = match.groupdict().get("operator") or "any"
    if operator not in FILTERS.get(kind, {}).get(member, ()):
        raise Refusal(400, "Request_UnsupportedQuery", f"Unsupported query: '{operator}' on '{member}'.")
    wanted = text.replace("''", "'") if text is not None else match["bare"]
    if operator == "any":
        return lambda item: wanted in (item.get(member) or ())
    if member == "createdDateTime":
        start = _time(wanted)
        return lambda item: _time(str(item[member])) >= start
    return lambda item: str(item.get(member)).casefold() == wanted.casefold()


def _time(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refusal(400, "BadRequest", f"Invalid filter clause: '{text}' is not a point in time.")
    return moment
