"""D30 to D41: the three service principals that Entra needs for a call, that of the application, and the consent.

A service principal is matched by its application id, the consent by the role's id: names are translated and renamed,
and Microsoft's pages write this role's name in two ways.
"""

from collections.abc import Iterator
from typing import Final

from selftest.contract import EVENT_SERVICE_APP_ID
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.app_objects import ApplicationObject, PrincipalObject, disabled_member
from selftest.tenant.doctor.registry import EvidenceMissing, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import (
    create_principal,
    graph,
    patch_application,
    patch_principal,
    word,
)
from selftest.tenant.graph.objects import GRAPH_APP_ID, RECEIVE_PAYLOAD_ROLE, RECEIVE_PAYLOAD_ROLE_ID

_ROLE: Final = f"{RECEIVE_PAYLOAD_ROLE} ({RECEIVE_PAYLOAD_ROLE_ID})"


@statement("D30", "servicePrincipals", "extension")
def resource_principal_exists(case: Case) -> Iterator[TenantFinding]:
    """Check that it exists; D22 reports a resource id without an application."""
    for app_id in _api_app_ids(case):
        if case.required_tenant.principal(app_id) is None:
            yield missing_principal(app_id)


@statement("D31", "servicePrincipals", "extension")
def resource_principal_is_enabled(case: Case) -> Iterator[TenantFinding]:
    """Check the switches of an existing one, and of its registration where that is in this tenant."""
    for app_id in _api_app_ids(case):
        yield from disabled(_existing(case, app_id, "D30"), case.required_tenant.application(app_id))


@statement("D32", "servicePrincipals")
def caller_principal_exists(case: Case) -> Iterator[TenantFinding]:
    """Check that it exists."""
    if case.required_tenant.principal(EVENT_SERVICE_APP_ID) is None:
        yield missing_principal(EVENT_SERVICE_APP_ID)


@statement("D33", "servicePrincipals")
def caller_principal_is_enabled(case: Case) -> Iterator[TenantFinding]:
    """Check the switch of an existing one."""
    yield from disabled(_existing(case, EVENT_SERVICE_APP_ID, "D32"))


@statement("D34", "servicePrincipals")
def graph_principal_is_enabled(case: Case) -> Iterator[TenantFinding]:
    """Check that it exists and is enabled."""
    principal = case.required_tenant.principal(GRAPH_APP_ID)
    if principal is None:
        yield missing_principal(GRAPH_APP_ID)
    else:
        yield from disabled(principal)


@statement("D35", "servicePrincipals", "extension")
def no_assignment_is_required(case: Case) -> Iterator[TenantFinding]:
    """Check the switch."""
    for app_id in _api_app_ids(case):
        if _existing(case, app_id, "D30").app_role_assignment_required:
            yield TenantFinding(
                expected="appRoleAssignmentRequired false",
                actual="true",
                command=patch_principal(app_id, {"appRoleAssignmentRequired": False}),
            )


@statement("D36", "servicePrincipals", "app")
def application_is_enabled(case: Case) -> Iterator[TenantFinding]:
    """Check the switches of the service principal, and of the registration where that is in this tenant."""
    for app_id in case.app_ids:
        principal = case.required_tenant.principal(app_id)
        if principal is not None:
            yield from disabled(principal, case.required_tenant.application(app_id))


@statement("D40", "servicePrincipals", "extension")
def events_are_consented(case: Case) -> Iterator[TenantFinding]:
    """Check for the role."""
    definer = _existing(case, GRAPH_APP_ID, "D34")
    for app_id in _api_app_ids(case):
        principal = _existing(case, app_id, "D30")
        if principal.grants is None:
            raise EvidenceMissing("the role assignments of the endpoint's service principal were not read", asked=True)
        if (definer.id, RECEIVE_PAYLOAD_ROLE_ID) not in principal.grants:
            others = len(principal.grants)
            yield TenantFinding(
                expected=f"role {_ROLE} of Microsoft Graph, granted to application {app_id}",
                actual=f"not granted ({others} other roles are)" if others else "not granted",
                command=_consent(principal, definer),
            )


@statement("D41", "applications", "extension")
def permission_is_requested(case: Case) -> Iterator[TenantFinding]:
    """Check for the role in the registration, where it is in this tenant."""
    for app_id in _api_app_ids(case):
        application = case.required_tenant.application(app_id)
        if application is not None and (GRAPH_APP_ID, RECEIVE_PAYLOAD_ROLE_ID) not in application.requested_roles:
            yield TenantFinding(
                expected=f"role {_ROLE} in requiredResourceAccess",
                actual="not listed",
                command=f"az ad app permission add --id {word(app_id)} --api {GRAPH_APP_ID} "
                f"--api-permissions {RECEIVE_PAYLOAD_ROLE_ID}=Role",
            )


def missing_principal(app_id: str) -> TenantFinding:
    """Return the finding that an application has no service principal in the tenant."""
    expected = f"a service principal of application {app_id}"
    return TenantFinding(expected=expected, actual="none", command=create_principal(app_id))


def disabled(principal: PrincipalObject, application: ApplicationObject | None = None) -> Iterator[TenantFinding]:
    """Yield the finding that an application is disabled: its service principal, else its registration."""
    for one in (principal, application):
        found = None if one is None else disabled_member(one)
        if one is None or found is None:
            continue
        name, actual = found
        good: dict[str, bool | None] = {"accountEnabled": True, "isDisabled": False}
        patch = patch_principal if one is principal else patch_application
        wanted = good.get(name)
        yield TenantFinding(
            expected=f"{name} {'null' if wanted is None else str(wanted).lower()} for application {one.app_id}",
            actual=actual,
            command=None if wanted is None else patch(one.app_id, {name: wanted}),
        )
        return


def _api_app_ids(case: Case) -> tuple[str, ...]:
    """Return the applications that the extensions name, each once."""
    named = [extension.api_app_id for extension in case.extensions]
    if not any(named):
        raise EvidenceMissing("the resource id names no application (D22)")
    return tuple(dict.fromkeys(app_id for app_id in named if app_id is not None))


def _existing(case: Case, app_id: str, reported_by: str) -> PrincipalObject:
    """Return the service principal of an application.

    Raises:
        EvidenceMissing: It is missing, which another statement reports.
    """
    principal = case.required_tenant.principal(app_id)
    if principal is None:
        raise EvidenceMissing(f"there is no service principal of {app_id} ({reported_by})")
    return principal


def _consent(principal: PrincipalObject, definer: PrincipalObject) -> str:
    body = {"principalId": principal.id, "resourceId": definer.id, "appRoleId": RECEIVE_PAYLOAD_ROLE_ID}
    return graph("POST", f"/servicePrincipals/{principal.id}/appRoleAssignments", body)
