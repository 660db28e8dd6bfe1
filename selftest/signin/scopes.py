"""What a request asks for: OpenID scopes, and permissions of at most one API.

Source: entra-docs ``scopes-oidc.md`` (OpenID scopes, ``.default``, one resource a request); OpenID Connect Core 5.4.
"""

from dataclasses import dataclass
from typing import Final

from selftest.entra.oauth_error import OAuthError
from selftest.signin.tenant.directory import GRAPH, App, Directory

OPENID_SCOPES: Final = ("openid", "profile", "email", "offline_access")

_DEFAULT: Final = ".default"
_SHOWN_CHARACTERS: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    """What was asked for.

    Attributes:
        openid: The OpenID scopes among it.
        resource: The API that an access token would be for; Microsoft Graph where none was named.
        permissions: Its delegated permissions, without the API's identifier.
        identifier: What the API was called in the request; the audience of a v1.0 access token.
    """

    openid: frozenset[str]
    resource: App
    permissions: tuple[str, ...]
    identifier: str

    @property
    def id_token(self) -> bool:
        """Say whether an id token was asked for."""
        return "openid" in self.openid

    def as_text(self, *, granted: bool = False) -> str:
        """Give the ``scope`` of an answer (with the API's identifier) or of an access token (without)."""
        if granted:
            return " ".join(self.permissions)
        bare = self.resource is GRAPH
        named = [text if bare else f"{self.identifier}/{text}" for text in self.permissions]
        return " ".join([*sorted(self.openid), *named])


def read_scopes(directory: Directory, text: str) -> Scopes:
    """Read a ``scope`` parameter.

    Raises:
        OAuthError: It is empty, names an API or a permission that there is not, or more than one API.
    """
    words = text.split()
    if not words:
        raise OAuthError("invalid_request", "the parameter 'scope' is missing", aadsts=900144)
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
        raise OAuthError(
            "invalid_request",
            f"the scope names more than one resource: {', '.join(identifiers.values())}",
            aadsts=28000,
        )
    resource = next(iter(permissions.values()), GRAPH)
    return Scopes(
        openid=openid,
        resource=resource,
        permissions=_granted(resource, tuple(permissions)),
        identifier=identifiers.get(resource.key, str(GRAPH.application_id_uri)),
    )


def resource_scopes(directory: Directory, identifier: str) -> Scopes:
    """Give what ``resource=`` of the v1.0 endpoints means: everything that the API publishes, and an id token."""
    resource = _resource(directory, identifier)
    return Scopes(
        openid=frozenset({"openid", "offline_access"}),
        resource=resource,
        permissions=_granted(resource, (_DEFAULT,)),
        identifier=identifier,
    )


def _resource(directory: Directory, identifier: str) -> App:
    # A double slash (api://id//.default) stands for an identifier that ends with a slash.
    resource = directory.resource(identifier) or directory.resource(identifier.rstrip("/"))
    if resource is None:
        known = ", ".join(app.application_id_uri or app.client_id for app in directory.apps)
        raise OAuthError(
            "invalid_resource",
            f"no resource {identifier[:_SHOWN_CHARACTERS]!r} in the tenant; there are {known}",
            aadsts=500011,
        )
    return resource


def _granted(resource: App, asked: tuple[str, ...]) -> tuple[str, ...]:
    if resource is GRAPH:
        return tuple(name for name in asked if name != _DEFAULT) or ("User.Read",)
    if _DEFAULT in asked:
        return resource.scopes
    for name in asked:
        if name not in resource.scopes:
            known = ", ".join(resource.scopes) or "none"
            raise OAuthError(
                "invalid_client",
                f"the app asked for scope {name[:_SHOWN_CHARACTERS]!r}, which {resource.key} does not have; "
                f"there are: {known}",
                aadsts=650053,
            )
    return asked
