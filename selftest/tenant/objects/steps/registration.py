"""The app registration of the endpoint, and what makes Entra call in its name (phases A and B).

An existing app registration keeps what others have set: further permissions, identifier URIs, its display name.

Source: Microsoft Graph v1.0 ``application-upsert.md``, ``serviceprincipal-post-serviceprincipals.md``,
``serviceprincipal-post-approleassignments.md``; entra-docs ``custom-extension-tokenissuancestart-configuration.md``,
``identifier-uri-restrictions.md`` (the version of tokens goes with the identifier URI in one request),
``custom-extension-troubleshoot.md`` (1003016 to 1003022: what has to exist and to be enabled).
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.graph.client import GraphClient, literal
from selftest.tenant.graph.objects import GRAPH_APP_ID, RECEIVE_PAYLOAD_ROLE, RECEIVE_PAYLOAD_ROLE_ID, GraphObject
from selftest.tenant.objects.errors import conflict
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.found_objects import FoundObjects
from selftest.tenant.objects.steps.step import UNKNOWN, PlannedChange, SetupStep, Write, id_of, named, planned_change

_API: Final = {"requestedAccessTokenVersion": 2}
_APPLICATION: Final = (
    "id",
    "appId",
    "uniqueName",
    "displayName",
    "signInAudience",
    "identifierUris",
    "api",
    "requiredResourceAccess",
)
_PRINCIPAL: Final = ("id", "appId", "displayName", "accountEnabled")


class RegistrationStep(SetupStep):
    """The app registration: single-tenant, version 2 tokens, and the one permission requested."""

    what: ClassVar = "app registration"
    phase: ClassVar = "A"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Find it by its unique name, or the one to adopt by its client id."""
        found.application = await find_registration(client, intent)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Compare what matters; the display name is set once."""
        existing = found.application
        audience = (existing or {}).get("signInAudience")
        if existing is not None and not is_made_here(existing, intent) and audience != "AzureADMyOrg":
            raise conflict("adopted-multi-tenant", app_id=existing["appId"], audience=audience)
        wanted: GraphObject = {
            "signInAudience": "AzureADMyOrg",
            "api": dict(_API),
            "requiredResourceAccess": _with_our_role((existing or {}).get("requiredResourceAccess") or []),
        }
        notes = f"Made by selftest.tenant.objects for {intent.environment}"
        new = {"displayName": intent.display_name, "notes": notes} | wanted
        create = Write(verb="upsert", path=_by_unique_name(intent), body=new)
        name = named(existing, intent.display_name if existing is None else str(existing["displayName"]))
        return planned_change(name, wanted, existing, path="/applications", create=create)


class PrincipalStep(SetupStep):
    """Its service principal in this tenant."""

    what: ClassVar = "service principal"
    phase: ClassVar = "A"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Find it by the app id."""
        del intent
        app_id = id_of(found.application, "appId")
        found.principal = None if app_id == UNKNOWN else await find_principal(client, app_id)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Create it where it is missing; one that somebody disabled is not changed."""
        _require_enabled(found.principal, "the endpoint's service principal", code=1003019)
        return _principal_change(found.principal, id_of(found.application, "appId"), intent.display_name)


class CallerStep(SetupStep):
    """The service principal of the service that calls the endpoint; Microsoft's, and shared by all extensions."""

    what: ClassVar = "Entra's caller"
    phase: ClassVar = "A"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Find it by its well-known app id."""
        del intent
        found.caller = await find_principal(client, EVENT_SERVICE_APP_ID)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Create it where it is missing (1003017)."""
        del intent
        _require_enabled(found.caller, "the service principal of Entra's caller", code=1003018)
        return _principal_change(found.caller, EVENT_SERVICE_APP_ID, "Azure AD Authentication Extensions")


class ConsentStep(SetupStep):
    """The administrator's consent to the one permission: an app role of Graph for the API's service principal."""

    what: ClassVar = "consent"
    phase: ClassVar = "A"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read Graph's roles, and the granted ones."""
        del intent
        found.graph = await find_principal(client, GRAPH_APP_ID, "appRoles")
        found.granted = []
        if found.principal is not None:
            path = f"/servicePrincipals/{found.principal['id']}/appRoleAssignments"
            found.granted = await client.list_all(path, replicating=True)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Grant the role by its id: pages differ on its name."""
        del intent
        if found.graph is None:
            raise conflict("graph-without-principal")
        _require_enabled(found.graph, "the service principal of Microsoft Graph", code=1003022)
        if not any(role["id"] == RECEIVE_PAYLOAD_ROLE_ID for role in found.graph.get("appRoles") or ()):
            raise conflict("graph-without-role", role=RECEIVE_PAYLOAD_ROLE_ID)
        name = f"{RECEIVE_PAYLOAD_ROLE} {RECEIVE_PAYLOAD_ROLE_ID}"
        wanted = (found.graph["id"], RECEIVE_PAYLOAD_ROLE_ID)
        if any((each["resourceId"], each["appRoleId"]) == wanted for each in found.granted):
            return PlannedChange(name=name)
        principal_id = id_of(found.principal)
        body = {"principalId": principal_id, "resourceId": found.graph["id"], "appRoleId": RECEIVE_PAYLOAD_ROLE_ID}
        path = f"/servicePrincipals/{principal_id}/appRoleAssignments"
        return PlannedChange(name=name, write=Write(verb="create", path=path, body=body))


class IdentifierUriStep(SetupStep):
    """The identifier URI, which has to name the host that Entra calls (1003014, 1003015)."""

    what: ClassVar = "identifier URI"
    phase: ClassVar = "B"

    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read the app registration."""
        await RegistrationStep().read(client, intent, found)

    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Add ours to the existing ones; another host's means that another endpoint has this environment's name."""
        app_id = id_of(found.application, "appId")
        ours = intent.resource_id(app_id)
        existing: Sequence[str] = (found.application or {}).get("identifierUris") or ()
        others = [uri for uri in existing if uri != ours and _names_a_host(uri, app_id)]
        if others and ours not in existing and not intent.move:
            raise conflict("registration-of-another-host", name=intent.unique_name, owner=others[0], wanted=intent.host)
        wanted: GraphObject = {"identifierUris": sorted({*existing, ours}), "api": dict(_API)}
        return planned_change(ours, wanted, found.application, path="/applications")


#: In the order of creation.
PHASE_A: Final[tuple[SetupStep, ...]] = (RegistrationStep(), PrincipalStep(), CallerStep(), ConsentStep())
PHASE_B: Final[tuple[SetupStep, ...]] = (IdentifierUriStep(),)


async def find_registration(client: GraphClient, intent: Intent) -> GraphObject | None:
    """Return the app registration with our name, else the one that the environment names; None where there is none."""
    found = await client.find(_by_unique_name(intent), select=_APPLICATION)
    if found is None and intent.adopted_app_id:
        found = await client.find(f"/applications(appId='{intent.adopted_app_id}')", select=_APPLICATION)
    return found


def is_made_here(application: GraphObject, intent: Intent) -> bool:
    """Whether an app registration has our name; one that was adopted has not, and is never deleted."""
    return application.get("uniqueName") == intent.unique_name


async def find_principal(client: GraphClient, app_id: str, *more: str) -> GraphObject | None:
    """Return the service principal of an application, with ``more`` members; None where there is none."""
    return await client.find(f"/servicePrincipals(appId='{app_id}')", select=(*_PRINCIPAL, *more))


def _by_unique_name(intent: Intent) -> str:
    return f"/applications(uniqueName={literal(intent.unique_name)})"


def _principal_change(existing: GraphObject | None, app_id: str, name: str) -> PlannedChange:
    create = Write(verb="create", path="/servicePrincipals", body={"appId": app_id})
    return PlannedChange(name=named(existing, name), write=None if existing else create)


def _require_enabled(principal: GraphObject | None, what: str, *, code: int) -> None:
    """Refuse a disabled service principal: somebody disabled it on purpose, and has to enable it."""
    if principal is not None and principal.get("accountEnabled") is False:
        raise conflict("principal-disabled", what=what, id=principal["id"], code=code)


def _names_a_host(uri: str, app_id: str) -> bool:
    """Whether an identifier URI is an endpoint's; the forms that Entra has by default name no host."""
    host, _, rest = uri.removeprefix("api://").partition("/")
    return uri.startswith("api://") and "." in host and rest == app_id


def _with_our_role(access: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the permissions that the application requests, with ours among them."""
    role = {"id": RECEIVE_PAYLOAD_ROLE_ID, "type": "Role"}
    others = [each for each in access if each["resourceAppId"] != GRAPH_APP_ID]
    roles = [one for each in access if each["resourceAppId"] == GRAPH_APP_ID for one in each["resourceAccess"]]
    return [*others, {"resourceAppId": GRAPH_APP_ID, "resourceAccess": roles if role in roles else [*roles, role]}]
