"""The app registration that stands for the endpoint, and what makes Entra call in its name (phases A and B).

An app registration that is there keeps what others have set: further permissions, identifier URIs, its display name.

Source: Microsoft Graph v1.0 ``application-upsert.md``, ``serviceprincipal-post-serviceprincipals.md``,
``serviceprincipal-post-approleassignments.md``; entra-docs ``custom-extension-tokenissuancestart-configuration.md``,
``identifier-uri-restrictions.md`` (the version of tokens goes with the identifier URI in one request),
``custom-extension-troubleshoot.md`` (1003016 to 1003022: what has to be there and enabled).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.graph.client import GraphClient, literal
from selftest.tenant.graph.objects import GRAPH_APP_ID, RECEIVE_PAYLOAD_ROLE, RECEIVE_PAYLOAD_ROLE_ID
from selftest.tenant.objects.errors import Conflict
from selftest.tenant.objects.intent import UNKNOWN, Intent
from selftest.tenant.objects.steps.difference import differences
from selftest.tenant.objects.steps.found_objects import Found, GraphObject
from selftest.tenant.objects.steps.step import Comparison, Step, Write, id_of, named

_API: Final = {"requestedAccessTokenVersion": 2}
_APPLICATION: Final = (
    "id",
    "appId",
    "displayName",
    "signInAudience",
    "identifierUris",
    "api",
    "requiredResourceAccess",
)
_PRINCIPAL: Final = ("id", "appId", "displayName", "accountEnabled")


@dataclass(frozen=True, slots=True)
class Registration:
    """The app registration: single-tenant, version 2 tokens, and the one permission asked for."""

    what: ClassVar[str] = "app registration"
    phase: ClassVar[Literal["A"]] = "A"
    unique: ClassVar[bool] = True

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Find it by its unique name."""
        found.application = await client.find(_by_unique_name(intent), select=_APPLICATION)

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Compare what matters; a display name is set once."""
        existing = found.application
        wanted: GraphObject = {
            "signInAudience": "AzureADMyOrg",
            "api": dict(_API),
            "requiredResourceAccess": _with_our_role((existing or {}).get("requiredResourceAccess") or []),
        }
        lines = tuple(differences(wanted, existing))
        name = named(existing, intent.display_name if existing is None else str(existing["displayName"]))
        if not lines:
            return Comparison(name=name)
        if existing is None:
            wanted = {
                "displayName": intent.display_name,
                "notes": f"Made by selftest.tenant.objects for {intent.environment}",
            } | wanted
            return Comparison(
                name=name, lines=lines, write=Write(verb="upsert", path=_by_unique_name(intent), body=wanted)
            )
        return Comparison(
            name=name, lines=lines, write=Write(verb="update", path=f"/applications/{existing['id']}", body=wanted)
        )


@dataclass(frozen=True, slots=True)
class Principal:
    """Its service principal in this tenant."""

    what: ClassVar[str] = "service principal"
    phase: ClassVar[Literal["A"]] = "A"
    unique: ClassVar[bool] = True

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Find it by the app id."""
        del intent
        app_id = id_of(found.application, "appId")
        found.principal = None if app_id == UNKNOWN else await _principal(client, app_id)

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Make it where it is missing; one that somebody disabled is left to them."""
        _enabled(found.principal, "the endpoint's service principal", code=1003019)
        name = named(found.principal, intent.display_name)
        if found.principal is not None:
            return Comparison(name=name)
        return Comparison(name=name, write=_new_principal(id_of(found.application, "appId")))


@dataclass(frozen=True, slots=True)
class Caller:
    """The service principal of the service that calls the endpoint; Microsoft's, and shared by all extensions."""

    what: ClassVar[str] = "Entra's caller"
    phase: ClassVar[Literal["A"]] = "A"
    unique: ClassVar[bool] = True

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Find it by its well-known app id."""
        del intent
        found.caller = await _principal(client, EVENT_SERVICE_APP_ID)

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Make it where it is missing (1003017)."""
        del intent
        _enabled(found.caller, "the service principal of Entra's caller", code=1003018)
        name = named(found.caller, "Azure AD Authentication Extensions")
        return Comparison(name=name, write=None if found.caller else _new_principal(EVENT_SERVICE_APP_ID))


@dataclass(frozen=True, slots=True)
class Consent:
    """The administrator's consent to the one permission: an app role of Graph for the API's service principal."""

    what: ClassVar[str] = "consent"
    phase: ClassVar[Literal["A"]] = "A"
    unique: ClassVar[bool] = True

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Read Graph's roles, and those that are granted."""
        del intent
        select = (*_PRINCIPAL, "appRoles")
        found.graph = await client.find(f"/servicePrincipals(appId='{GRAPH_APP_ID}')", select=select)
        found.granted = []
        if found.principal is not None:
            path = f"/servicePrincipals/{found.principal['id']}/appRoleAssignments"
            found.granted = await client.list_all(path, replicating=True)

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Grant the role by its id: pages differ on its name."""
        del intent
        if found.graph is None:
            raise Conflict(
                "Microsoft Graph has no service principal in this tenant (1003022): let an administrator make it"
            )
        _enabled(found.graph, "the service principal of Microsoft Graph", code=1003022)
        if not any(role["id"] == RECEIVE_PAYLOAD_ROLE_ID for role in found.graph.get("appRoles") or ()):
            raise Conflict(
                f"Microsoft Graph offers no app role {RECEIVE_PAYLOAD_ROLE_ID} here: custom authentication extensions "
                "may not exist in this cloud"
            )
        name = f"{RECEIVE_PAYLOAD_ROLE} {RECEIVE_PAYLOAD_ROLE_ID}"
        wanted = (found.graph["id"], RECEIVE_PAYLOAD_ROLE_ID)
        if any((each["resourceId"], each["appRoleId"]) == wanted for each in found.granted):
            return Comparison(name=name)
        principal_id = id_of(found.principal)
        body = {"principalId": principal_id, "resourceId": found.graph["id"], "appRoleId": RECEIVE_PAYLOAD_ROLE_ID}
        path = f"/servicePrincipals/{principal_id}/appRoleAssignments"
        return Comparison(name=name, write=Write(verb="create", path=path, body=body))


@dataclass(frozen=True, slots=True)
class IdentifierUri:
    """The identifier URI, which has to name the host that Entra calls (1003014, 1003015)."""

    what: ClassVar[str] = "identifier URI"
    phase: ClassVar[Literal["B"]] = "B"
    unique: ClassVar[bool] = True

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Read the app registration, by its id: the unique name has been looked up."""
        await Registration().read(client, intent, found)

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Add ours to those that are there; another host's means that somebody else has this environment's name."""
        app_id = id_of(found.application, "appId")
        ours = intent.resource_id(app_id)
        existing: Sequence[str] = (found.application or {}).get("identifierUris") or ()
        others = [uri for uri in existing if uri != ours and _names_a_host(uri, app_id)]
        if others and ours not in existing and not intent.move:
            raise Conflict(
                f"the app registration {intent.unique_name} belongs to {others[0]}, not to {intent.host}: if the "
                "endpoint has moved, say --move; if this is another environment of the same name, rename this one"
            )
        wanted: GraphObject = {"identifierUris": sorted({*existing, ours}), "api": dict(_API)}
        lines = tuple(differences(wanted, found.application))
        if not lines:
            return Comparison(name=ours)
        path = f"/applications/{id_of(found.application)}"
        return Comparison(name=ours, lines=lines, write=Write(verb="update", path=path, body=wanted))


#: In the order in which they are made.
PHASE_A: Final[tuple[Step, ...]] = (Registration(), Principal(), Caller(), Consent())
PHASE_B: Final[tuple[Step, ...]] = (IdentifierUri(),)


def _by_unique_name(intent: Intent) -> str:
    return f"/applications(uniqueName={literal(intent.unique_name)})"


async def _principal(client: GraphClient, app_id: str) -> GraphObject | None:
    return await client.find(f"/servicePrincipals(appId='{app_id}')", select=_PRINCIPAL)


def _new_principal(app_id: str) -> Write:
    return Write(verb="create", path="/servicePrincipals", body={"appId": app_id})


def _enabled(principal: GraphObject | None, what: str, *, code: int) -> None:
    """Stop at a disabled service principal: somebody has pulled the brake, and nobody else may release it."""
    if principal is not None and principal.get("accountEnabled") is False:
        raise Conflict(
            f"{what} {principal['id']} is disabled, so Entra will not call ({code}): "
            "find out why, and enable it in Entra > Enterprise applications > Properties"
        )


def _names_a_host(uri: str, app_id: str) -> bool:
    """Tell the identifier URI of an endpoint from the forms that Entra gives by default, which name none."""
    host, _, rest = uri.removeprefix("api://").partition("/")
    return uri.startswith("api://") and "." in host and rest == app_id


def _with_our_role(access: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the permissions that the application asks for, with ours among them."""
    role = {"id": RECEIVE_PAYLOAD_ROLE_ID, "type": "Role"}
    others = [each for each in access if each["resourceAppId"] != GRAPH_APP_ID]
    roles = [one for each in access if each["resourceAppId"] == GRAPH_APP_ID for one in each["resourceAccess"]]
    return [*others, {"resourceAppId": GRAPH_APP_ID, "resourceAccess": roles if role in roles else [*roles, role]}]
