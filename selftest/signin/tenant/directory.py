"""What a tenant holds: people, apps, extensions, and the listeners that tie them together.

Nothing here listens or calls. The tenant file fills these objects, and the sign-in reads them.

Source: Microsoft Graph v1.0 ``application``, ``customAuthenticationExtension``, ``authenticationEventListener``; the
listener's values override the extension's (``customExtensionOverwriteConfiguration``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal

from selftest.base.sample_tenant import ServicePrincipal, Tenant
from selftest.entra.token_mint import EntraVersion
from selftest.judge.mapping import MappingPolicy

type RedirectKind = Literal["web", "spa", "public"]

#: Microsoft Graph, the resource of a sign-in that names no API. It can have no listener.
GRAPH_APP_ID: Final = "00000003-0000-0000-c000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectUri:
    """One registered redirect URI and the platform that it is registered for."""

    uri: str
    kind: RedirectKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A custom authentication extension.

    Attributes:
        key: Its name in the tenant file.
        id: The object id, which events carry.
        audience: The app registration that stands for the endpoint; its client id is the audience of the callout.
        target_url: The endpoint.
        timeout_ms: For each attempt.
        max_retries: 0 or 1.
        claims: ``claimsForTokenConfiguration``, for warnings.
        fault: A code that every call ends with, without the endpoint being asked; None asks it.
    """

    key: str
    id: str
    audience: "App"
    target_url: str
    timeout_ms: int
    max_retries: int
    claims: frozenset[str] | None = None
    fault: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """An event listener: which extension is called for which apps, and how long it may take.

    Attributes:
        timeout_ms: What holds for this listener: its own value, else the extension's.
        max_retries: The same.
    """

    key: str
    id: str
    extension: Extension
    app_keys: frozenset[str]
    timeout_ms: int
    max_retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An app registration together with its service principal in the tenant.

    Attributes:
        key: Its name in the tenant file.
        principal: As events name it.
        redirect_uris: Where the browser may go back to.
        secret: Proves a confidential client; None for one that has nothing to keep.
        id_token_issuance: Whether the authorize endpoint may hand out id tokens (``enableIdTokenIssuance``).
        application_id_uri: Its identifier as an API; None where it is known by its client id alone.
        access_version: The version of access tokens to it (``requestedAccessTokenVersion``).
        scopes: The delegated permissions that it publishes.
        accept_mapped_claims: Without it a claims mapping policy fails the sign-in (AADSTS50146).
        mapping: The claims mapping policy; without one no custom claim reaches its tokens.
        group_claims: Whether its tokens carry the user's groups.
        users: The keys of the users assigned to it; None lets everybody in.
        protocol: What it signs users in with.
        acs_url: Where a SAML app takes the assertion.
        entity_id: What a SAML app calls itself.
        name_formats: ``SAMLNameFormat`` of the policy, by the claim's SAML name.
    """

    key: str
    principal: ServicePrincipal
    redirect_uris: tuple[RedirectUri, ...] = ()
    secret: str | None = field(default=None, repr=False)
    id_token_issuance: bool = False
    application_id_uri: str | None = None
    access_version: EntraVersion = "2.0"
    scopes: tuple[str, ...] = ()
    accept_mapped_claims: bool = False
    mapping: MappingPolicy | None = None
    group_claims: bool = False
    users: frozenset[str] | None = None
    protocol: Literal["oidc", "saml"] = "oidc"
    acs_url: str | None = None
    entity_id: str | None = None
    name_formats: Mapping[str, str] = field(default_factory=dict)

    @property
    def client_id(self) -> str:
        """Give the application id."""
        return self.principal.app_id


#: Microsoft Graph as a resource: what its tokens hold is between Microsoft and itself.
GRAPH: Final = App(
    key="microsoft-graph",
    principal=ServicePrincipal(
        id="00000003-0000-4000-8000-000000000000",
        app_id=GRAPH_APP_ID,
        app_display_name="Microsoft Graph",
        display_name="Microsoft Graph",
    ),
    application_id_uri="https://graph.microsoft.com",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user.

    Attributes:
        key: The name in the tenant file; good as a ``login_hint``.
        members: The user as events carry it, in Graph's names; what is absent here is absent there.
        ip: The address that events give as the client's.
        groups: Object ids of groups; in tokens, never in events.
        roles: App roles by the key of the app; in tokens, never in events.
        fault: A code that every sign-in of this user ends with; None lets the extension decide.
    """

    key: str
    members: Mapping[str, Any]
    ip: str
    groups: tuple[str, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fault: int | None = None

    @property
    def id(self) -> str:
        """Give the object id."""
        return str(self.members["id"])

    @property
    def sign_in_name(self) -> str:
        """Give what the user signs in with: the user principal name, else the mail address, else the object id."""
        return str(self.members.get("userPrincipalName", self.members.get("mail", self.id)))

    @property
    def display_name(self) -> str:
        """Give the name to show."""
        return str(self.members.get("displayName", self.key))

    def answers_to(self, hint: str) -> bool:
        """Say whether a ``login_hint`` means this user: any name of theirs, in any case."""
        names = {self.key, self.id, self.sign_in_name, str(self.members.get("mail", self.id))}
        return hint.casefold() in {name.casefold() for name in names}


@dataclass(frozen=True, kw_only=True)
class Directory:
    """A tenant with everything in it.

    Attributes:
        tenant: The ids that the rest of the harness knows a tenant by.
        external: Whether it is an External ID (customer) tenant: its v2.0 issuer stands on ciamlogin.com.
        silent: Whether ``prompt=none`` signs in a user who has no session, where it is clear who is meant.
    """

    tenant: Tenant
    external: bool
    silent: bool
    extensions: tuple[Extension, ...]
    listeners: tuple[Listener, ...]
    apps: tuple[App, ...]
    people: tuple[Person, ...]

    @cached_property
    def _apps_by_id(self) -> Mapping[str, App]:
        return {app.client_id: app for app in self.apps}

    @cached_property
    def _listeners_by_app(self) -> Mapping[str, Listener]:
        return {key: listener for listener in self.listeners for key in listener.app_keys}

    def app(self, client_id: str) -> App | None:
        """Find an app by its client id, in any case."""
        return self._apps_by_id.get(client_id.lower())

    def resource(self, identifier: str) -> App | None:
        """Find the API that an identifier means: its identifier URI, its client id, or ``api://<client id>``."""
        if identifier in {GRAPH.application_id_uri, GRAPH_APP_ID}:
            return GRAPH
        for app in self.apps:
            if identifier in {app.application_id_uri, app.client_id, f"api://{app.client_id}"}:
                return app
        return None

    def listener_for(self, app: App) -> Listener | None:
        """Find the listener that fires when a token for this app is issued: the audience decides, not the client."""
        return self._listeners_by_app.get(app.key)

    def aimed_at(self, target_url: str) -> "Directory":
        """Give the same tenant with every extension's endpoint elsewhere."""
        moved = {known.key: replace(known, target_url=target_url) for known in self.extensions}
        listeners = tuple(replace(known, extension=moved[known.extension.key]) for known in self.listeners)
        return replace(self, extensions=tuple(moved.values()), listeners=listeners)

    def person(self, key: str) -> Person | None:
        """Find a user by the name in the tenant file."""
        return next((person for person in self.people if person.key == key), None)

    def person_hinted(self, hint: str) -> Person | None:
        """Find the user that a ``login_hint`` means."""
        return next((person for person in self.people if person.answers_to(hint)), None)

    def app_named(self, key: str) -> App | None:
        """Find an app by the name in the tenant file."""
        return next((app for app in self.apps if app.key == key), None)
