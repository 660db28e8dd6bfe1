"""A tenant's objects in a file that may be shared: the members that a statement examines, and nothing else.

The models are the allow-list, so a member that Graph adds tomorrow is left out until a statement examines it. Left out
are owners, keys, secrets, notes, logos, redirect URIs, descriptions, and every name of a person. A URL's query keeps
its names and loses its values, because one of them is the function's key. A policy's constants lose their values.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from selftest.base.bounded_file import FileError
from selftest.tenant.doctor.evidence.graph_model import GraphModel, members
from selftest.tenant.doctor.evidence.resource import shown_url
from selftest.tenant.doctor.evidence.tenant_objects import TenantObjects

_ENTRY_MEMBERS: Final = ("Source", "ID", "JwtClaimType", "SamlClaimType")
_POLICY_MEMBERS: Final = ("Version", "IncludeBasicClaimSet")
_HIDDEN: Final = "redacted"


def exported(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be shared of a document in the form of ``doctor --file``."""
    lists: dict[str, Any] = {
        name: _cut(document[name], kind)
        for name, kind in members(TenantObjects)
        if name != "unread" and document.get(name) is not None
    }
    for extension in lists.get("customAuthenticationExtensions", []):
        endpoint = extension.get("endpointConfiguration") or {}
        if isinstance(endpoint.get("targetUrl"), str):
            endpoint["targetUrl"] = shown_url(endpoint["targetUrl"])
    for policy in lists.get("claimsMappingPolicies", []):
        if "definition" in policy:
            policy["definition"] = _definition(policy["definition"])
    return lists


def write_export(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file, readable for its owner alone: it names a tenant's applications.

    Raises:
        FileError: It cannot be written.
    """
    text = json.dumps(exported(document), indent=2, ensure_ascii=False) + "\n"
    try:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise FileError(f"{path} cannot be written: {reason}") from error


def _cut(value: Any, kind: Any) -> Any:
    """Keep the declared members of a model, in lists too; elsewhere only plain values and lists of them."""
    if isinstance(value, list):
        return [_cut(item, kind) for item in value]
    model = next(_models(kind), None)
    if model is None:
        return value if isinstance(value, str | int | float | bool | None) else None
    if not isinstance(value, dict):
        return None
    return {name: _cut(value[name], inner) for name, inner in members(model) if name in value}


def _models(kind: Any) -> Iterator[type[GraphModel]]:
    """Yield the models in a type: itself, or the arguments of a tuple or a union."""
    if isinstance(kind, type) and issubclass(kind, GraphModel):
        yield kind
    for argument in get_args(kind):
        yield from _models(argument)


def _definition(definition: Any) -> Any:
    """Keep of a policy which claim is mapped to which name; constants lose their texts."""
    try:
        policy = json.loads(definition[0])["ClaimsMappingPolicy"]
        schema = [
            {name: entry[name] for name in _ENTRY_MEMBERS if name in entry}
            | ({"Value": _HIDDEN} if "Value" in entry else {})
            for entry in policy.get("ClaimsSchema", [])
        ]
        kept = {name: policy[name] for name in _POLICY_MEMBERS if name in policy}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return ["a definition that cannot be read"]
    return [json.dumps({"ClaimsMappingPolicy": kept | {"ClaimsSchema": schema}})]
