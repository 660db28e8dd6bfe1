"""The scopes of a request: OpenID scopes, and permissions of at most one API.

Source: entra-docs ``scopes-oidc.md`` (OpenID scopes, ``.default``, one resource per request); OpenID Connect Core 5.4.
"""

from dataclasses import dataclass
from typing import Final

from selftest.signin.refusals import refused
from selftest.signin.tenant.directory import GRAPH, App, Directory

OPENID_SCOPES: Final = ("openid", "profile", "email", "offline_access")

_DEFAULT: Final = ".default"
_SHOWN_CHARACTERS: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    """The requested scopes.

    Attributes:
        openid: The OpenID scopes among them.
        resource: The API that an access token would be for; Microsoft Graph if the request names none.
        permissions: Its delegated permissions, without the API's identifier.
        identifier: The API's identifier in the request, which is the audience of a v1.0 access token.
    """

    openid: frozenset[str]
    resource: App
    permissions: tuple[str, ...]
    identifier: str

    @property
    def id_token(self) -> bool:
        """Whether an id token is requested."""
        return "openid" in self.openid

    def as_text(self, *, granted: bool = False) -> str:
        """Return the ``scope`` of a response (with the API's identifier) or of an access token (without)."""
        if granted:
            return " ".join(self.permissions)
        bare = self.resource is GRAPH
        named = [text if bare else f"{self.identifier}/{text}" for text in self.permissions]
        return " ".join([*sorted(self.openid), *named])


def read_scopes(directory: Directory, text: str) -> Scopes:
    """Read a ``scope`` parameter.

    Raises:
        OAuthError: It is empty, or it names an unknown API, an unknown permission, or more than one API.
    """
    words = text.split()
    if not words:
        raise refused("scope-missing")
    openid = frozenset(word for word in words if word in OPENID_SCOPES)
    permissions: dict[str, App] = {}
    identifiers: dict[str, str] = {}
    for word in words:
        if word in openid:
            continue
        identifier, slash, permission = word.rpartition("/")
        resource = _resource(directory, identifier) if slash else GRAPH
        permissions[permission] = resource
        identifiers.setdefault(resource.key, identifier or str(GRAPH.application_id_uri))
    if len(identifiers) > 1:
        raise refused("several-resources", named=", ".join(identifiers.values()))
    resource = next(iter(permissions.values()), GRAPH)
    return Scopes(
        openid=openid,
        resource=resource,
        permissions=_granted(resource, tuple(permissions)),
        identifier=identifiers.get(resource.key, str(GRAPH.application_id_uri)),
    )


def resource_scopes(directory: Directory, identifier: str) -> Scopes:
    """Return the scopes of a v1.0 ``resource``: all permissions that the API publishes, and an id token."""
    resource = _resource(directory, identifier)
    return Scopes(
        openid=frozenset({"openid", "offline_access"}),
        resource=resource,
        permissions=_granted(resource, (_DEFAULT,)),
        identifier=identifier,
    )


def _resource(directory: Directory, identifier: str) -> App:
    # A double slash (api://id//.default) means an identifier that ends with a slash.
    resource = directory.resource(identifier) or directory.resource(identifier.rstrip("/"))
    if resource is None:
        known = ", ".join(app.application_id_uri or app.client_id for app in directory.apps)
        raise refused("resource-unknown", given=identifier[:_SHOWN_CHARACTERS], known=known)
    return resource


def _granted(resource: App, asked: tuple[str, ...]) -> tuple[str, ...]:
    if resource is GRAPH:
        return tuple(name for name in asked if name != _DEFAULT) or ("User.Read",)
    if _DEFAULT in asked:
        return resource.scopes
    for name in asked:
        if name not in resource.scopes:
            known = ", ".join(resource.scopes) or "none"
            raise refused("scope-unknown", given=name[:_SHOWN_CHARACTERS], app=resource, known=known)
    return asked
