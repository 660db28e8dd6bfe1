"""Every row of the operations and types is Microsoft's, according to the published descriptions."""

from typing import Any

import pytest

from selftest.tenant.graph.surface import PERMISSIONS, Version, permissions_for
from tests.emulated_graph import types
from tests.emulated_graph.healthy_tenant import healthy_tenant
from tests.emulated_graph.operations import OPERATIONS, Operation, find
from tests.emulated_graph.types import Shape
from tests.graph_schema import GraphSchema
from tests.selftest.tenant.graph.description import published

#: Read from its page alone: the available descriptions do not have it.
_CREDENTIALS = "/applications/{application-id}/federatedIdentityCredentials"
UNPUBLISHED_PATHS = {
    "/organization",
    _CREDENTIALS,
    f"{_CREDENTIALS}/{{federatedIdentityCredential-id}}",
}
UNPUBLISHED_TYPES = {"organization", "verifiedDomain", "federatedIdentityCredential"}

ROWS = [
    pytest.param(operation, version, id=f"{version} {operation.method} {operation.path}")
    for operation in OPERATIONS
    for version in operation.versions
    if operation.path not in UNPUBLISHED_PATHS
]


def test_the_emulated_graph_has_each_request_that_a_permission_is_known_for() -> None:
    """The tool's table and the emulator's are about the same requests."""
    known = {
        (version, path, method) for version, paths in PERMISSIONS.items() for path in paths for method in paths[path]
    }
    assert known == {(version, each.path, each.method) for each in OPERATIONS for version in each.versions}


@pytest.mark.parametrize(("operation", "version"), ROWS)
def test_operation_is_published(operation: Operation, version: Version) -> None:
    """Path, method, query options, and the types of body and answer are those of the description."""
    schema = published(version)
    described = schema.paths[operation.path][operation.method.lower()]
    options = {entry["name"] for entry in described.get("parameters", ()) if entry["in"] == "query"}
    assert operation.options <= options
    body = schema.request_body(operation.method, operation.path)
    assert body == (operation.body and _published_name(operation.body))
    answer = described["responses"].get("2XX", {}).get("content", {}).get("application/json", {}).get("schema")
    if operation.answer is None:
        assert answer is None
    else:
        suffix = "CollectionResponse" if operation.collection else ""
        assert answer["$ref"].endswith(f"/microsoft.graph.{operation.answer}{suffix}")


def _held(name: str) -> set[str]:
    """Return a type, the types derived from it, and all types of their members, in the beta version."""
    seen: set[str] = set()
    due = {name}
    while due:
        seen |= due
        shapes = {shape for each in due for shape in types.members(each, "beta").values()}
        held = {shape if isinstance(shape, str) else shape[0] for shape in shapes} - types.PRIMITIVES
        due = (held | {each for each in types.names() if any(types.derives(each, one) for one in due)}) - seen
    return seen


def _parts(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [described, *described.get("allOf", ())]


BETA_TYPES = {
    name for each in OPERATIONS if "beta" in each.versions for name in (_held(each.answer) if each.answer else ())
}
TYPES = [("v1.0", name) for name in sorted(set(types.names()) - UNPUBLISHED_TYPES)]
TYPES += [("beta", name) for name in sorted(BETA_TYPES)]


@pytest.mark.parametrize(("version", "name"), TYPES)
def test_type_is_published(version: Version, name: str) -> None:
    """Each member of a type is one of the description's, of the same kind; it derives from the same type."""
    schema = published(version)
    full = _published_name(name)
    if full not in schema.schemas:
        assert version == "v1.0"
        assert name in BETA_TYPES
        return
    described = schema.properties(full)
    # Cut from the subset, which has their names alone.
    cut = {each for part in _parts(schema.schemas[full]) for each in part.get("x-subset-omitted-properties", ())}
    for member, shape in types.members(name, version).items():
        if member in cut:
            continue
        assert member in described, member
        assert _shape(schema, described[member], shape), (member, described[member], shape)
    if name in types.BASES:
        assert schema.derives(full, _published_name(types.BASES[name]))


def test_beta_members_are_not_in_the_other_version() -> None:
    """Members marked as beta only are not published for v1.0."""
    schema = published("v1.0")
    assert "appliedEventListeners" in types.members("signIn", "beta")
    assert "appliedEventListeners" not in schema.properties("microsoft.graph.signIn")
    assert "appliedEventListeners" not in types.members("signIn", "v1.0")
    assert "/servicePrincipals/{servicePrincipal-id}/claimsPolicy" not in schema.paths


@pytest.mark.parametrize(
    ("collection", "path"),
    [
        ("applications", "/applications"),
        ("servicePrincipals", "/servicePrincipals"),
        ("claimsMappingPolicies", "/policies/claimsMappingPolicies"),
        ("customAuthenticationExtensions", "/identity/customAuthenticationExtensions"),
        ("authenticationEventListeners", "/identity/authenticationEventListeners"),
    ],
)
def test_healthy_tenant_is_written_as_graph_writes(collection: str, path: str) -> None:
    """Every object of the healthy tenant has members, kinds and types that Graph v1.0 describes."""
    assert list(published("v1.0").misfits(path, {"value": healthy_tenant()[collection]})) == []


def test_the_description_can_refuse() -> None:
    """The check itself can fail: a beta member, a wrong kind, a type of another family."""
    schema = published("v1.0")
    listeners = "/identity/authenticationEventListeners"
    (listener,) = healthy_tenant()["authenticationEventListeners"]
    for change in (
        {"priority": 500},
        {"displayName": 1},
        {"@odata.type": "#microsoft.graph.azureAdTokenAuthentication"},
    ):
        assert list(schema.body_misfits("POST", listeners, listener | change)), change


@pytest.mark.parametrize(
    ("path", "template", "keys"),
    [
        ("/applications", "/applications", ()),
        ("/applications/abc", "/applications/{application-id}", ("abc",)),
        ("/applications(appId='abc')", "/applications(appId='{appId}')", ("abc",)),
        ("/applications(uniqueName='it''s%20me')", "/applications(uniqueName='{uniqueName}')", ("it's me",)),
        (
            "/identity/customAuthenticationExtensions/validateAuthenticationConfiguration",
            "/identity/customAuthenticationExtensions/validateAuthenticationConfiguration",
            (),
        ),
        (
            "/servicePrincipals/a/claimsMappingPolicies/b/$ref",
            "/servicePrincipals/{servicePrincipal-id}/claimsMappingPolicies/{claimsMappingPolicy-id}/$ref",
            ("a", "b"),
        ),
    ],
)
def test_find(path: str, template: str, keys: tuple[str, ...]) -> None:
    """A path is found with the values of its names; a path without names goes before one with them."""
    place = find("v1.0", path)
    assert place is not None
    assert (place.template, place.keys) == (template, keys)


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("v1.0", "/users"),
        ("v1.0", "/applications/a/b"),
        ("v1.0", "/servicePrincipals/a/claimsPolicy"),
        ("v2.0", "/applications"),
        ("v1.0", "/applications(appId='a'b')"),
    ],
)
def test_nothing_else_is_found(version: str, path: str) -> None:
    """A path outside of the surface is not known, nor a beta path in v1.0."""
    assert find(version, path) is None


def test_permissions_by_request() -> None:
    """The least privileged alternative comes first; an unknown request has none."""
    assert permissions_for("GET", "/identity/customAuthenticationExtensions")[0] == {
        "CustomAuthenticationExtension.Read.All"
    }
    assert permissions_for("POST", "/servicePrincipals/x/appRoleAssignments")[0] == {
        "AppRoleAssignment.ReadWrite.All",
        "Application.Read.All",
    }
    assert permissions_for("GET", "/servicePrincipals/x/claimsPolicy", "beta")
    assert permissions_for("GET", "/users") == permissions_for("DELETE", "/applications") == ()


def _published_name(name: str) -> str:
    own = {"ReferenceCreate", "ValidateAuthenticationConfigurationPostRequestBody"}
    return name if name in own else f"microsoft.graph.{name}"


def _shape(schema: GraphSchema, described: dict[str, Any], shape: Shape) -> bool:
    """Whether a member's kind is the described one."""
    if isinstance(shape, tuple):
        return described.get("type") == "array" and _shape(schema, described["items"], shape[0])
    if "$ref" in described or "allOf" in described:
        reference = described.get("$ref") or described["allOf"][0]["$ref"]
        name = reference.removeprefix("#/components/schemas/")
        return name == _published_name(shape) or (shape == "text" and "enum" in schema.schemas[name])
    kinds: dict[str, tuple[str, set[str | None]]] = {
        "text": ("string", {None}),
        "guid": ("string", {"uuid"}),
        "time": ("string", {"date-time"}),
        "bool": ("boolean", {None}),
        "int32": ("integer", {"int32"}),
    }
    if shape not in kinds:
        return False
    kind, formats = kinds[shape]
    return described.get("type") == kind and described.get("format") in formats
