"""Finds the function that a request is for, as the Functions host's ASP.NET routing does.

Methods are part of the match, so a wrong verb is 404 and never 405. Templates may use ``{x}``, ``{x?}``, ``{x=5}``,
``{*rest}`` and the constraints below, ``length(2,5)`` among them; any other constraint stops the start, because a wrong
guess would prove the wrong thing.

Source: azure-functions-host ``WebScriptHostHttpRoutesManager``; ASP.NET Core "Routing", route template reference.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from selftest.host.host_json import DEFAULT_PREFIX
from selftest.host.worker import Function, StartError

#: What an address of the app cannot begin with.
RESERVED: Final = ("admin", "runtime")

_PARAMETER: Final = re.compile(r"\{(\*{0,2})([^{}:=?*]+)((?::[^{}:=?]+)*)(?:=([^{}]+)|(\??))\}")
_LENGTH: Final = re.compile(r"length\((\d+)(?:,(\d+))?\)")
_CONSTRAINTS: Final = {
    "": "[^/]+",
    "int": "-?[0-9]{1,10}",
    "long": "-?[0-9]{1,19}",
    "alpha": "[a-z]+",
    "bool": "true|false",
    "guid": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A compiled template.

    Attributes:
        names: of the parameters, in the order of the pattern's groups.
        defaults: of parameters that may be absent.
        rank: one digit a segment, smaller is more specific: text, constrained parameter, parameter, rest.
    """

    function: Function
    pattern: re.Pattern[str]
    names: tuple[str, ...]
    defaults: Mapping[str, str]
    rank: tuple[int, ...]


class RouteTable:
    """Every HTTP function's address, the most specific first."""

    def __init__(self, functions: Iterable[Function], *, prefix: str = DEFAULT_PREFIX) -> None:
        taken: set[tuple[str, str]] = set()
        routes = []
        for function in functions:
            if function.trigger == "httpTrigger":
                _require_served(function, taken)
                routes.append(_compile(function, prefix))
        self._routes = sorted(routes, key=lambda route: route.rank)

    def match(self, method: str, path: str) -> tuple[Function, dict[str, str]] | None:
        """Return the function and the route's parameters, without those that are absent; None means 404."""
        trimmed = path.rstrip("/")
        for route in self._routes:
            methods = route.function.methods
            if methods and method.upper() not in methods:
                continue
            found = route.pattern.fullmatch(trimmed)
            if found:
                pairs = zip(route.names, found.groups(), strict=True)
                return route.function, {**route.defaults, **{name: value for name, value in pairs if value}}
        return None


def _require_served(function: Function, taken: set[tuple[str, str]]) -> None:
    """Refuse what Microsoft's host drops or does not run with."""
    route = function.route
    if route != route.strip("/"):
        raise StartError(
            f"function {function.name}: the route '{route}' begins or ends with a slash. Azure's host answers 503 to "
            "every request then, 'Function host is not running.': remove the slash"
        )
    if route.lower().startswith(RESERVED):
        raise StartError(
            f"function {function.name}: the route '{route}' begins with {' or '.join(RESERVED)}, which Azure's host "
            "keeps for itself: it drops the function, and its address answers 404. Choose another route"
        )
    for method in function.methods or {""}:
        if (key := (route.lower(), method)) in taken:
            raise StartError(
                f"function {function.name}: another function has the route '{route}' and the verb "
                f"{method or 'any'} already. Azure's host drops this one: choose another route or verb"
            )
        taken.add(key)


def _compile(function: Function, prefix: str) -> Route:
    pattern, names, rank = "", [], []
    defaults: dict[str, str] = {}
    template = "/".join(part.strip("/") for part in (prefix, function.route) if part.strip("/"))
    for segment in filter(None, template.split("/")):
        whole = _PARAMETER.fullmatch(segment)
        if whole and whole[1]:
            pattern += "(?:/(.*))?"
            names.append(whole[2])
            rank.append(3)
        elif whole:
            part = f"/({_constraint(whole[3], function)})"
            pattern += f"(?:{part})?" if whole[4] or whole[5] else part
            names.append(whole[2])
            if whole[4]:
                defaults[whole[2]] = whole[4]
            rank.append(1 if whole[3] else 2)
        else:
            text, inner = _mixed(segment, function)
            pattern += f"/{text}"
            names += inner
            rank.append(1 if inner else 0)
    return Route(
        function=function,
        pattern=re.compile(pattern, re.IGNORECASE),
        names=tuple(names),
        defaults=defaults,
        rank=tuple(rank),
    )


def _mixed(segment: str, function: Function) -> tuple[str, list[str]]:
    """Compile a segment of plain text, or of text with parameters in it (``report-{id}.json``)."""
    pattern, names, position = "", [], 0
    for found in _PARAMETER.finditer(segment):
        pattern += re.escape(segment[position : found.start()]) + f"({_constraint(found[3], function)})"
        names.append(found[2])
        position = found.end()
    rest = segment[position:]
    if "{" in rest or "}" in rest:
        raise StartError(f"function {function.name}: this host does not imitate the route segment '{segment}'")
    return pattern + re.escape(rest), names


def _constraint(text: str, function: Function) -> str:
    names = [name for name in text.split(":") if name]
    if len(names) == 1 and (length := _LENGTH.fullmatch(names[0])):
        return f"[^/]{{{length[1]},{length[2] or length[1]}}}"
    unknown = [name for name in names if name not in _CONSTRAINTS]
    if unknown or len(names) > 1:
        raise StartError(
            f"function {function.name}: this host does not imitate the route constraint '{text.lstrip(':')}' "
            f"(one of {', '.join(name for name in _CONSTRAINTS if name)})"
        )
    return _CONSTRAINTS[names[0] if names else ""]
