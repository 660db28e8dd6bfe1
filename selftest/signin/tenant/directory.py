"""The contents of a tenant: people, apps, extensions, and the listeners that connect them.

The tenant file is read into these objects, which are data only.

Source: Microsoft Graph v1.0 ``application``, ``customAuthenticationExtension``, ``authenticationEventListener``; the
listener's values override the extension's (``customExtensionOverwriteConfiguration``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal

from selftest.base.sample_tenant import CalloutApp, Tenant
from selftest.entra.token_mint import EntraVersion
from selftest.judge.mapping import MappingPolicy

type RedirectKind = Literal["web", "spa", "public"]

#: Microsoft Graph, the resource of a sign-in that names no API. It cannot have a listener.
GRAPH_APP_ID: Final = "00000003-0000-0000-c000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectUri:
    """One registered redirect URI and the platform that it is registered for."""

    uri: str
    kind: RedirectKind


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedExtension:
    """A custom authentication extension.

    Attributes:
        key: Its name in the tenant file.
        id: The object id, which events contain.
        audience: The app registration that represents the endpoint; its client id is the audience of the callout.
        claims: ``claimsForTokenConfiguration``, for warnings.
        fault: The code of every callout, without a call to the endpoint; None calls it.
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
class EmulatedListener:
    """An event listener: which extension is called for which apps, and how long it may take.

    Attributes:
        timeout_ms: The timeout of each attempt: the listener's own value or the extension's.
        max_retries: The number of retries, chosen in the same way.
    """

    key: str
    id: str
    extension: EmulatedExtension
    app_keys: frozenset[str]
    timeout_ms: int
    max_retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An app registration together with its service principal in the tenant.

    Attributes:
        key: Its name in the tenant file.
        principal: The app in events.
        secret: The secret of a confidential client; None for a public client.
        id_token_issuance: Whether the authorize endpoint may issue id tokens (``enableIdTokenIssuance``).
        application_id_uri: Its identifier URI as an API; None without one.
        access_version: The version of its access tokens (``requestedAccessTokenVersion``).
        scopes: The delegated permissions that it publishes.
        accept_mapped_claims: Without it a claims mapping policy fails the sign-in (AADSTS50146).
        mapping: The claims mapping policy; without one no custom claim reaches its tokens.
        group_claims: Whether its tokens contain the user's groups.
        users: The keys of the users assigned to it; None admits every user.
        name_formats: ``SAMLNameFormat`` of the policy, by the claim's SAML name.
    """

    key: str
    principal: CalloutApp
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
        """Return the application id."""
        return self.principal.app_id


#: Microsoft Graph as a resource: only Microsoft reads its tokens.
GRAPH: Final = App(
    key="microsoft-graph",
    principal=CalloutApp(
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
        key: The name in the tenant file, which is also valid as a ``login_hint``.
        members: The user in events, with Graph's names; a member that is absent here is absent there.
        ip: The client's address in events.
        groups: Object ids of groups; in tokens, never in events.
        roles: App roles by the key of the app; in tokens, never in events.
        fault: The code of every callout for this user; None lets the extension decide.
    """

    key: str
    members: Mapping[str, Any]
    ip: str
    groups: tuple[str, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fault: int | None = None

    @property
    def id(self) -> str:
        """Return the object id."""
        return str(self.members["id"])

    @property
    def sign_in_name(self) -> str:
        """Return the user principal name, or the mail address, or the object id, whichever exists first."""
        return str(self.members.get("userPrincipalName", self.members.get("mail", self.id)))

    @property
    def display_name(self) -> str:
        """Return the name to show."""
        return str(self.members.get("displayName", self.key))

    def matches_hint(self, hint: str) -> bool:
        """Whether a ``login_hint`` is one of this user's names, in any case."""
        names = {self.key, self.id, self.sign_in_name, str(self.members.get("mail", self.id))}
        return hint.casefold() in {name.casefold() for name in names}


@dataclass(frozen=True, kw_only=True)
class Directory:
    """A tenant with its contents.

    Attributes:
        tenant: The ids by which the rest of the harness knows a tenant.
        external: Whether it is an External ID (customer) tenant: its v2.0 issuer is on ciamlogin.com.
        silent: Whether ``prompt=none`` signs in a user without a session if the user is unambiguous.
    """

    tenant: Tenant
    external: bool
    silent: bool
    extensions: tuple[EmulatedExtension, ...]
    listeners: tuple[EmulatedListener, ...]
    apps: tuple[App, ...]
    people: tuple[Person, ...]

    @cached_property
    def _apps_by_id(self) -> Mapping[str, App]:
        return {app.client_id: app for app in self.apps}

    @cached_property
    def _listeners_by_app(self) -> Mapping[str, EmulatedListener]:
        return {key: listener for listener in self.listeners for key in listener.app_keys}

    def app(self, client_id: str) -> App | None:
        """Return the app with this client id, in any case; None without one."""
        return self._apps_by_id.get(client_id.lower())

    def resource(self, identifier: str) -> App | None:
        """Return the API with this identifier URI, client id, or ``api://<client id>``; None without one."""
        if identifier in {GRAPH.application_id_uri, GRAPH_APP_ID}:
            return GRAPH
        for app in self.apps:
            if identifier in {app.application_id_uri, app.client_id, f"api://{app.client_id}"}:
                return app
        return None

    def listener_for(self, app: App) -> EmulatedListener | None:
        """Return the listener that fires when a token for this app is issued: the audience decides, not the client."""
        return self._listeners_by_app.get(app.key)

    def with_target_url(self, target_url: str) -> "Directory":
        """Return the tenant with another endpoint for every extension."""
        moved = {known.key: replace(known, target_url=target_url) for known in self.extensions}
        listeners = tuple(replace(known, extension=moved[known.extension.key]) for known in self.listeners)
        return replace(self, extensions=tuple(moved.values()), listeners=listeners)

    def with_ids(self, ids: Tenant) -> "Directory":
        """Return the tenant with another id for itself, for its first extension, and for the API registered for it."""
        first = self.extensions[0]
        principal = replace(first.audience.principal, app_id=ids.audience_app_id)
        api = replace(first.audience, principal=principal, application_id_uri=ids.application_id_uri)
        known = {
            each.key: each if each.audience.key != api.key else replace(each, audience=api) for each in self.extensions
        }
        known[first.key] = replace(known[first.key], id=ids.extension_id)
        return replace(
            self,
            tenant=replace(
                self.tenant,
                tenant_id=ids.tenant_id,
                audience_app_id=ids.audience_app_id,
                application_id_uri=ids.application_id_uri,
                extension_id=ids.extension_id,
            ),
            extensions=tuple(known.values()),
            listeners=tuple(replace(each, extension=known[each.extension.key]) for each in self.listeners),
            apps=tuple(api if each.key == api.key else each for each in self.apps),
        )

    def person(self, key: str) -> Person | None:
        """Return the user with this name in the tenant file; None without one."""
        return next((person for person in self.people if person.key == key), None)

    def person_hinted(self, hint: str) -> Person | None:
        """Return the user that a ``login_hint`` names; None without one."""
        return next((person for person in self.people if person.matches_hint(hint)), None)

    def app_named(self, key: str) -> App | None:
        """Return the app with this name in the tenant file; None without one."""
        return next((app for app in self.apps if app.key == key), None)
