"""The rules that Graph enforces on writes, besides the form of the body.

A documented rule names its page, a rule from public reports says so. Where neither says what happens, the rule is
strict, so that a command that passes here does not depend on a permissive Graph.
"""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from claims.contract import EVENT_SERVICE_APP_ID, MAX_RETRIES, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from selftest.contract import is_guid
from selftest.judge.mapping import TARGET_MEMBERS, MappingError, MappingPolicy
from selftest.tenant.graph.objects import GRAPH_APP_ID, GraphObject
from tests.emulated_graph.directory import Directory
from tests.emulated_graph.refusal import Refusal, bad_request, conflict

#: Source: ``identitycontainer-post-customauthenticationextensions.md``.
MAX_EXTENSIONS: Final = 100
#: Source: ``resources/authenticationeventlistener.md``; the page of External ID's limits says 249.
MAX_LISTENERS: Final = 250
MAX_CREDENTIALS: Final = 20

#: Services of Microsoft: a service principal of theirs needs no application in the tenant.
_MICROSOFT_APPS: Final = frozenset({GRAPH_APP_ID, EVENT_SERVICE_APP_ID})
_NO_ROLE: Final = "00000000-0000-0000-0000-000000000000"


def check_application(directory: Directory, application: GraphObject, before: GraphObject | None) -> None:
    """Refuse identifier URIs that the tenant's policy refuses, and names that another application has.

    Source: entra-docs ``identifier-uri-restrictions.md``, ``reference-app-manifest.md``: by default a URI contains
    the app id, the tenant id or a verified domain; the stricter policy of newer tenants requires v2.0 tokens for all
    but the default forms.
    """
    known = set((before or {}).get("identifierUris", ()))
    for uri in application.get("identifierUris", ()):
        others = (each for each in directory.kinds["applications"].values() if each["id"] != application["id"])
        if any(uri in each.get("identifierUris", ()) for each in others):
            raise bad_request("Another object with the same value for property identifierUris already exists.")
        if uri not in known:
            _check_uri(directory, application, uri)
    name = application.get("uniqueName")
    holder = directory.lookup("applications", "uniqueName", name) if name else None
    if holder is not None and holder["id"] != application["id"]:
        raise conflict(f"Another application has the uniqueName '{name}'.")


def _check_uri(directory: Directory, application: GraphObject, uri: str) -> None:
    (organization,) = directory.kinds["organization"].values()
    app_id, tenant_id = application["appId"], organization["id"]
    if uri in {f"api://{app_id}", f"api://{tenant_id}/{app_id}"}:
        return
    if (application.get("api") or {}).get("requestedAccessTokenVersion") != 2:
        raise bad_request(
            "The tenant's policy accepts an identifier URI of this form only with api.requestedAccessTokenVersion 2, "
            "set in the same request or before.",
            detail="InvalidIdentifierUri",
        )
    host = urlsplit(uri).hostname or ""
    domains = [domain["name"] for domain in organization["verifiedDomains"]]
    if not (
        uri.endswith(f"/{app_id}")
        or uri.startswith(f"api://{tenant_id}/")
        or any(host == domain or host.endswith(f".{domain}") for domain in domains)
    ):
        raise bad_request(
            "An identifier URI has to contain the app id, the tenant id or a verified domain.",
            detail="HostNameNotOnVerifiedDomain",
        )


def check_new_principal(directory: Directory, app_id: str) -> GraphObject | None:
    """Return the application of a new service principal; None for a service of Microsoft.

    A new application is refused for some seconds, in the words that public reports have.

    Raises:
        Refusal: There is no such application, or none yet, or it has a service principal.
    """
    if directory.lookup("servicePrincipals", "appId", app_id) is not None:
        raise conflict(f"The service principal name {app_id} is already in use.")
    if app_id in _MICROSOFT_APPS:
        return None
    application = directory.lookup("applications", "appId", app_id)
    if application is None or not directory.sees(application):
        message = f"The appId '{app_id}' of the service principal does not reference a valid application object."
        raise bad_request(message, detail="NoBackingApplicationObject")
    return application


def check_grant(directory: Directory, body: GraphObject) -> tuple[GraphObject, GraphObject]:
    """Return the principal and the resource of a new app role assignment.

    Raises:
        Refusal: Either is not there, the resource has no such role for applications, or it is assigned already.
    """
    principal = directory.referenced("servicePrincipals", body["principalId"])
    resource = directory.referenced("servicePrincipals", body["resourceId"])
    roles = [role for role in resource.get("appRoles", ()) if "Application" in role.get("allowedMemberTypes", ())]
    if body["appRoleId"] not in {role["id"] for role in roles} and (roles or body["appRoleId"] != _NO_ROLE):
        raise bad_request("Permission being assigned was not found on application.")
    wanted = ("principalId", "resourceId", "appRoleId")
    for assignment in directory.assignments.values():
        if all(assignment[member] == body[member] for member in wanted):
            raise bad_request("Permission being assigned already exists on the object.", detail="InvalidUpdate")
    return principal, resource


def check_credential(others: Sequence[GraphObject], credential: GraphObject, before: GraphObject | None) -> None:
    """Refuse a federated identity credential whose name, or issuer and subject, another one of the application has.

    Source: ``application-post-federatedidentitycredentials.md``, ``resources/federatedidentitycredential.md``: at most
    20; the name cannot be changed; a single audience.
    """
    if before is not None and credential["name"] != before["name"]:
        raise bad_request("Property 'name' is read-only and cannot be set.")
    if len(others) >= MAX_CREDENTIALS or len(credential["audiences"]) != 1:
        raise bad_request("The federated identity credential is beyond a limit.")
    for other in others:
        if other["name"] == credential["name"]:
            raise conflict(f"FederatedIdentityCredential with name {credential['name']} already exists.")
        if (other["issuer"], other["subject"]) == (credential["issuer"], credential["subject"]):
            raise conflict("FederatedIdentityCredential with this issuer and subject already exists.")


def check_policy(policy: GraphObject) -> None:
    """Refuse a definition that is not a claims mapping policy, or that emits a restricted claim.

    Source: ``resources/claimsmappingpolicy.md``: one text, which is JSON; entra-docs
    ``reference-claims-customization.md``: restricted names cannot be used for the claim type elements. Whether Graph
    itself refuses them is not documented. Targets that a custom signing key allows pass: which application the policy
    is for is not known yet.
    """
    definition = policy.get("definition") or []
    if len(definition) != 1:
        raise bad_request("Property definition has an invalid value: there has to be exactly one text.")
    try:
        policy_read = MappingPolicy.parse(definition[0])
    except MappingError as error:
        raise bad_request(f"Property definition has an invalid value: {error}.") from error
    for entry in policy_read.entries:
        for token, member in TARGET_MEMBERS.items():
            if entry.target_fault(token) not in {None, "needs-signing-key"}:
                raise bad_request(f"Property definition has an invalid value: {member} {entry.target(token)}.")


def check_assignment(directory: Directory, principal_id: str, policy_id: str) -> None:
    """Refuse a second policy on a service principal.

    Source: entra-docs ``reference-claims-customization.md``: one claims mapping policy each.
    """
    assigned = directory.policies.get(principal_id, [])
    if policy_id in assigned:
        message = "One or more added object references already exist for the following modified properties: 'policies'."
        raise bad_request(message)
    if assigned:
        raise bad_request("The service principal has a policy of this type already; unassign it first.")


def check_extension(directory: Directory, extension: GraphObject) -> None:
    """Refuse an endpoint, a connection or a resource that Entra could not use.

    Source: ``resources/customextensionclientconfiguration.md`` for the numbers; a public report for the resource id,
    which has to be an identifier URI of an application in the tenant.
    """
    connection: dict[str, Any] = extension.get("clientConfiguration") or {}
    timeout_ms, retries = connection.get("timeoutInMilliseconds"), connection.get("maximumRetries")
    if timeout_ms is not None and not MIN_TIMEOUT_MS <= timeout_ms <= MAX_TIMEOUT_MS:
        raise _invalid(f"timeoutInMilliseconds has to be {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS}, not {timeout_ms}.")
    if retries is not None and not 0 <= retries <= MAX_RETRIES:
        raise _invalid(f"maximumRetries has to be 0 or {MAX_RETRIES}, not {retries}.")
    endpoint = extension.get("endpointConfiguration") or {}
    url = endpoint.get("targetUrl")
    if url is not None and (urlsplit(url).scheme != "https" or not urlsplit(url).hostname):
        raise _invalid("targetUrl has to be a URL that starts with https.")
    resource_id = extension["authenticationConfiguration"].get("resourceId")
    if not any(resource_id in each.get("identifierUris", ()) for each in directory.visible("applications")):
        raise _invalid("The resourceId is not found in the identifierUris of an application in the tenant.")


def check_listener(directory: Directory, listener: GraphObject) -> None:
    """Refuse a listener whose extension does not exist, or whose apps are not named by app ids."""
    handler = listener.get("handler") or {}
    directory.referenced("customAuthenticationExtensions", (handler.get("customExtension") or {}).get("id"))
    applications = (listener.get("conditions") or {}).get("applications") or {}
    for included in applications.get("includeApplications", ()):
        if not is_guid(str(included.get("appId"))):
            raise _invalid("includeApplications has to name applications by their appId.")


def check_room(directory: Directory, collection: str, limit: int) -> None:
    """Refuse an object beyond the tenant's limit."""
    if len(directory.kinds[collection]) >= limit:
        raise bad_request(f"The tenant has {limit} {collection} already, and cannot have more.", detail="LimitExceeded")


def check_unused(directory: Directory, extension_id: str) -> None:
    """Refuse to delete an extension that a listener still calls.

    No page says what Graph does. Listeners that name a deleted extension are known from public reports (1003011), so
    it may well delete it; a program has to delete the listener first either way.
    """
    for listener in directory.kinds["authenticationEventListeners"].values():
        if (listener.get("handler") or {}).get("customExtension", {}).get("id") == extension_id:
            raise bad_request(f"The extension is used by the listener '{listener['id']}'; delete that first.")


def _invalid(message: str) -> Refusal:
    return Refusal(400, "InvalidRequest", message)
