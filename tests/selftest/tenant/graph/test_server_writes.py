"""What can be written to the emulated Graph: the whole wiring, and every rule that refuses a wrong one."""

from typing import Any

import pytest

from claims.contract import EVENT_SERVICE_APP_ID
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.judge.restricted_claims import NAME_ID_CLAIM_TYPE
from selftest.tenant.graph.objects import (
    EXTENSION_TYPE,
    GRAPH_APP_ID,
    LISTENER_TYPE,
    RECEIVE_PAYLOAD_ROLE_ID,
    resource_id,
)
from tests.emulated_graph.healthy_tenant import (
    API_APPLICATION_ID,
    API_PRINCIPAL_ID,
    CLIENT_APPLICATION_ID,
    DEFAULT_HOST,
    GRAPH_PRINCIPAL_ID,
    POLICY_ID,
    healthy_tenant,
)
from tests.selftest.tenant.graph.plain_requests import EXTENSIONS, LISTENERS, POLICIES, plain_client
from tests.selftest.tenant.graph.wiring import (
    API_APP_ID,
    CLIENT,
    RESOURCE,
    UPSERT,
    VALIDATE,
    VALIDATE_ONE,
    VERSION_1,
    bare_tenant,
    extension,
    listener,
    policy,
    policy_that_maps,
    wire_up,
)


async def test_the_whole_wiring() -> None:
    """Every step of a deployment succeeds with its documented status, and has the objects of the healthy tenant."""
    async with plain_client(bare_tenant()) as graph:
        assert await wire_up(graph) == {
            "upsert": 201,
            "upsert again": 204,
            "uris": 204,
            "principal": 201,
            "consent": 201,
            "extension": 201,
            "validate": 200,
            "policy": 201,
            "assign": 204,
            "client": 204,
            "listener": 201,
        }
        made = graph.server.directory.export()
        wanted = healthy_tenant()
        assert {name: len(objects) for name, objects in made.items()} == {
            name: len(each) for name, each in wanted.items()
        }
        (hears,) = made["authenticationEventListeners"]
        (calls,) = made["customAuthenticationExtensions"]
        assert hears["handler"]["customExtension"] == {k: v for k, v in calls.items() if k != "@odata.type"}
        (app,) = [each for each in made["applications"] if each["uniqueName"] == "api"]
        assert app["api"]["requestedAccessTokenVersion"] == 2
        said = (await graph.ask("POST", f"{EXTENSIONS}/{calls['id']}/validateAuthenticationConfiguration")).body
        assert said["errors"] == said["warnings"] == []
        # The upsert of an existing application changes it too; reading and validating do not.
        assert len(graph.server.writes) == 10


async def test_a_change_keeps_what_it_does_not_name() -> None:
    """PATCH merges members of members; a collection and a member with a named type are replaced whole."""
    async with plain_client() as graph:
        app = f"/applications/{API_APPLICATION_ID}"
        assert (await graph.ask("PATCH", app, {"api": {"acceptMappedClaims": True}})).status == 204
        read = (await graph.ask("GET", app)).body
        assert (read["api"]["requestedAccessTokenVersion"], read["api"]["acceptMappedClaims"]) == (2, True)
        path = f"{EXTENSIONS}/{DEFAULT_TENANT.extension_id}"
        change = {"@odata.type": EXTENSION_TYPE, "clientConfiguration": {"maximumRetries": 0}}
        assert (await graph.ask("PATCH", path, change)).status == 204
        read = (await graph.ask("GET", path)).body
        assert read["clientConfiguration"] == {"timeoutInMilliseconds": 2000, "maximumRetries": 0}


async def test_deleting_in_order() -> None:
    """The listener goes first; deleting an application deletes its service principal and consent."""
    async with plain_client() as graph:
        used = await graph.ask("DELETE", f"{EXTENSIONS}/{DEFAULT_TENANT.extension_id}")
        assert (used.status, DEFAULT_TENANT.listener_id in used.body["error"]["message"]) == (400, True)
        for path in (
            f"{LISTENERS}/{DEFAULT_TENANT.listener_id}",
            f"{CLIENT}/claimsMappingPolicies/{POLICY_ID}/$ref",
            f"{POLICIES}/{POLICY_ID}",
            f"{EXTENSIONS}/{DEFAULT_TENANT.extension_id}",
            f"/applications/{API_APPLICATION_ID}",
        ):
            assert (await graph.ask("DELETE", path)).status == 204, path
            assert (await graph.ask("DELETE", path)).status == 404, path
        left = graph.server.directory.export()
        assert left["customAuthenticationExtensions"] == left["authenticationEventListeners"] == []
        assert API_PRINCIPAL_ID not in {each["id"] for each in left["servicePrincipals"]}
        assert graph.server.directory.assignments == {}


async def test_a_used_extension_may_be_deleted_elsewhere() -> None:
    """With the other of the two undocumented behaviors the listener names a deleted extension (1003011)."""
    async with plain_client() as graph:
        graph.server.writer.keeps_used_extensions = False
        assert (await graph.ask("DELETE", f"{EXTENSIONS}/{DEFAULT_TENANT.extension_id}")).status == 204
        (left,) = (await graph.ask("GET", LISTENERS)).body["value"]
        assert left["handler"]["customExtension"] == {"id": DEFAULT_TENANT.extension_id}


async def test_validation_warns_without_consent() -> None:
    """A missing consent is a warning."""
    async with plain_client() as graph:
        graph.server.directory.assignments.clear()
        reply = await graph.ask(
            "POST", f"{EXTENSIONS}/{DEFAULT_TENANT.extension_id}/validateAuthenticationConfiguration"
        )
        assert [each["code"] for each in reply.body["warnings"]] == ["PermissionNotGrantedToServicePrincipal"]


@pytest.mark.parametrize(
    ("resource", "url", "codes"),
    [
        (RESOURCE, f"https://{DEFAULT_HOST}/api", []),
        (RESOURCE.replace("api://", "https://"), f"https://{DEFAULT_HOST}/api", ["IncorrectResourceIdFormat"]),
        (f"api://{API_APP_ID}", f"https://{DEFAULT_HOST}/api", ["IncorrectResourceIdFormat"]),
        (f"api://localhost/{API_APP_ID}", "https://localhost/api", ["IncorrectResourceIdFormat"]),
        (RESOURCE, "https://other.example/api", ["DomainNameDoesNotMatch"]),
        (resource_id(DEFAULT_HOST, GRAPH_PRINCIPAL_ID), f"https://{DEFAULT_HOST}/", ["ServicePrincipalNotFound"]),
        (resource_id("other.example", GRAPH_PRINCIPAL_ID), "", ["DomainNameDoesNotMatch", "ServicePrincipalNotFound"]),
    ],
)
async def test_validation_of_a_configuration(resource: str, url: str, codes: list[str]) -> None:
    """A wrong configuration is reported before the extension exists."""
    body = {name: value for name, value in extension(resource, url).items() if name.endswith("Configuration")}
    async with plain_client() as graph:
        reply = await graph.ask("POST", VALIDATE, body)
        assert ([each["code"] for each in reply.body["errors"]], reply.body["warnings"]) == (codes, [])
        assert graph.server.writes == []


APPLICATION = f"/applications/{API_APPLICATION_ID}"
CONSENT = {"principalId": API_PRINCIPAL_ID, "resourceId": GRAPH_PRINCIPAL_ID, "appRoleId": RECEIVE_PAYLOAD_ROLE_ID}
ROLES = f"/servicePrincipals/{API_PRINCIPAL_ID}/appRoleAssignments"
REFERENCES = f"{CLIENT}/claimsMappingPolicies/$ref"


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("POST", "/applications", {}, "'displayName'"),
        ("POST", "/applications", {"displayName": "x", "appId": "x"}, "read-only"),
        ("POST", "/applications", {"displayName": 1}, "type 'text'"),
        ("POST", "/applications", {"displayName": "x", "colour": "red"}, "Invalid property 'colour'"),
        ("POST", "/applications", {"displayName": "x", "api": {"requestedAccessTokenVersion": "2"}}, "type 'int32'"),
        ("POST", "/applications", {"displayName": "x", "api": {"requestedAccessTokenVersion": True}}, "type 'int32'"),
        ("POST", "/applications", {"displayName": "x", "identifierUris": "api://x"}, "has to be a collection"),
        ("POST", "/applications", ["x"], "has to be a JSON object"),
        ("POST", "/applications", {"displayName": "x", "uniqueName": "sample-claims-endpoint"}, "uniqueName"),
        ("PATCH", APPLICATION, {"identifierUris": ["api://other.example"]}, "verified domain"),
        (
            "PATCH",
            APPLICATION,
            {"identifierUris": ["api://x/y"], "api": {"requestedAccessTokenVersion": 1}},
            "Version 2",
        ),
        ("PATCH", f"/applications/{CLIENT_APPLICATION_ID}", {"identifierUris": [RESOURCE]}, "already exists"),
        ("PATCH", "/applications(uniqueName='new')", {"displayName": "x"}, "does not exist"),
        ("POST", "/servicePrincipals", {"appId": API_APP_ID}, "already in use"),
        ("POST", "/servicePrincipals", {"appId": "x"}, "does not reference a valid application object"),
        ("PATCH", CLIENT, {"appId": API_APP_ID}, "read-only"),
        ("PATCH", CLIENT, {"claimsMappingPolicies": []}, "is a relation"),
        ("POST", ROLES, CONSENT, "already exists"),
        ("POST", ROLES, {"principalId": API_PRINCIPAL_ID}, "'resourceId'"),
        ("POST", ROLES, CONSENT | {"principalId": DEFAULT_TENANT.client.id}, "of the path"),
        ("POST", ROLES, CONSENT | {"appRoleId": "00000000-0000-0000-0000-000000000000"}, "not found on application"),
        ("POST", ROLES, CONSENT | {"resourceId": API_APPLICATION_ID}, "does not exist"),
        ("POST", ROLES, CONSENT | {"appRoleId": "Receive"}, "type 'guid'"),
        ("POST", POLICIES, policy(displayName=""), "'displayName'"),
        ("POST", POLICIES, policy(definition=[]), "'definition'"),
        ("POST", POLICIES, policy(definition=["{}"]), "invalid value"),
        ("POST", POLICIES, policy(definition=["{}", "{}"]), "invalid value"),
        ("PATCH", f"{POLICIES}/{POLICY_ID}", {"definition": ["no"]}, "invalid value"),
        ("POST", POLICIES, policy_that_maps(JwtClaimType="roles"), "JwtClaimType roles"),
        ("POST", POLICIES, policy_that_maps(SamlClaimType=NAME_ID_CLAIM_TYPE), "SamlClaimType http"),
        ("POST", REFERENCES, {"@odata.id": f"https://graph.microsoft.com/v1.0{POLICIES}/{POLICY_ID}"}, "already exist"),
        ("POST", REFERENCES, {"@odata.id": f"https://graph.microsoft.com/v1.0{POLICIES}/none"}, "does not exist"),
        ("POST", REFERENCES, {"@odata.id": f"https://graph.microsoft.com/v1.0/groups/{POLICY_ID}"}, "does not exist"),
        ("POST", EXTENSIONS, extension(authenticationConfiguration=None), "'authenticationConfiguration'"),
        ("POST", EXTENSIONS, {k: v for k, v in extension().items() if k[0] != "@"}, "needs the member @odata.type"),
        ("POST", EXTENSIONS, extension() | {"@odata.type": LISTENER_TYPE}, "cannot be of the type"),
        ("POST", EXTENSIONS, extension() | {"@odata.type": "x"}, "cannot be of the type"),
        ("POST", EXTENSIONS, extension(clientConfiguration={"timeoutInMilliseconds": 199}), "200 to 2000"),
        ("POST", EXTENSIONS, extension(clientConfiguration={"maximumRetries": 2}), "0 or 1"),
        ("POST", EXTENSIONS, extension(clientConfiguration={"maxRetries": 1}), "Invalid property 'maxRetries'"),
        ("POST", EXTENSIONS, extension(clientConfiguration=[]), "has to be an object"),
        ("POST", EXTENSIONS, extension(url=f"http://{DEFAULT_HOST}/"), "https"),
        ("POST", EXTENSIONS, extension(f"api://other.example/{API_APP_ID}"), "identifierUris"),
        ("PATCH", f"{EXTENSIONS}/{DEFAULT_TENANT.extension_id}", {"displayName": "y"}, "needs the member @odata.type"),
        ("POST", LISTENERS, listener("none"), "does not exist"),
        ("POST", LISTENERS, listener(priority=500), "Invalid property 'priority'"),
        ("POST", LISTENERS, listener(handler=None), "does not exist"),
        (
            "POST",
            LISTENERS,
            listener(conditions={"applications": {"includeAllApplications": False}}),
            "Invalid property 'includeAllApplications'",
        ),
        (
            "POST",
            LISTENERS,
            listener(conditions={"applications": {"includeApplications": [{"appId": "x"}]}}),
            "by their appId",
        ),
        (
            "POST",
            LISTENERS,
            listener(conditions={"applications": {"includeApplications": [None]}}),
            "contains a null",
        ),
        ("POST", VALIDATE, None, "has to be a JSON object"),
        ("POST", VALIDATE_ONE, {}, "not allowed"),
    ],
)
async def test_what_is_refused(method: str, path: str, body: Any, says: str) -> None:
    """A wrong body and a broken rule are refused with the reason, and nothing changes."""
    async with plain_client() as graph:
        reply = await graph.ask(method, path, body)
        assert reply.status in {400, 404, 409}
        assert says in reply.body["error"]["message"]
        assert graph.server.directory.export() == healthy_tenant()
        assert graph.server.writes == []


async def test_changes_of_every_kind() -> None:
    """A listener, a policy and a service principal can be changed; other members stay."""
    async with plain_client() as graph:
        hears = f"{LISTENERS}/{DEFAULT_TENANT.listener_id}"
        assert (await graph.ask("PATCH", hears, {"@odata.type": LISTENER_TYPE, "displayName": "new"})).status == 204
        read = (await graph.ask("GET", hears)).body
        assert (read["displayName"], read["handler"]["customExtension"]["id"]) == ("new", DEFAULT_TENANT.extension_id)
        assert (await graph.ask("PATCH", f"{POLICIES}/{POLICY_ID}", policy())).status == 204
        assert (await graph.ask("GET", f"{POLICIES}/{POLICY_ID}")).body["displayName"] == "p"
        assert (await graph.ask("PATCH", CLIENT, {"accountEnabled": False})).status == 204
        assert (await graph.ask("GET", CLIENT)).body["accountEnabled"] is False


async def test_identifier_uris() -> None:
    """The default forms need no version 2; an existing URI is not checked again; names follow."""
    async with plain_client() as graph:
        app = f"/applications/{CLIENT_APPLICATION_ID}"
        own = f"api://{DEFAULT_TENANT.client.app_id}"
        assert (await graph.ask("PATCH", app, {"api": VERSION_1, "identifierUris": [own]})).status == 204
        assert own in (await graph.ask("GET", CLIENT)).body["servicePrincipalNames"]
        for uri in (f"https://portal.{DEFAULT_TENANT.domain}", f"api://{DEFAULT_TENANT.tenant_id}/x"):
            assert (await graph.ask("PATCH", app, {"identifierUris": [own, uri]})).status == 400
            version_2 = {"requestedAccessTokenVersion": 2}
            assert (await graph.ask("PATCH", app, {"api": version_2, "identifierUris": [own, uri]})).status == 204
            assert (await graph.ask("PATCH", app, {"api": VERSION_1})).status == 204
        assert (await graph.ask("PATCH", app, {"displayName": "same URIs"})).status == 204


async def test_the_caller_s_service_principal_can_be_created() -> None:
    """A service of Microsoft needs no application in the tenant (1003017)."""
    tenant = bare_tenant()
    tenant["servicePrincipals"] = [each for each in tenant["servicePrincipals"] if each["appId"] == GRAPH_APP_ID]
    async with plain_client(tenant) as graph:
        made = await graph.ask("POST", "/servicePrincipals", {"appId": EVENT_SERVICE_APP_ID})
        assert (made.status, made.body["accountEnabled"]) == (201, True)


async def test_consent_without_a_role() -> None:
    """A role of Graph is granted; a resource without roles takes the empty one."""
    async with plain_client(bare_tenant()) as graph:
        body = CONSENT | {"principalId": DEFAULT_TENANT.client.id}
        made = await graph.ask("POST", f"{CLIENT}/appRoleAssignments", body)
        assert (made.status, made.body["principalDisplayName"]) == (201, "Sample portal")
        no_role = {"resourceId": DEFAULT_TENANT.client.id, "appRoleId": "00000000-0000-0000-0000-000000000000"}
        assert (await graph.ask("POST", f"{CLIENT}/appRoleAssignments", body | no_role)).status == 201


async def test_an_upsert_needs_a_name() -> None:
    """A create at a unique name needs the display name, as any create does."""
    async with plain_client() as graph:
        reply = await graph.ask("PATCH", "/applications(uniqueName='new')", {"notes": "x"}, headers=UPSERT)
        assert (reply.status, graph.server.writes) == (400, [])


async def test_a_policy_may_map_a_claim_of_any_name() -> None:
    """The endpoint's name for a claim is free, and so is a SAML claim type that a custom signing key allows."""
    role = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
    async with plain_client() as graph:
        reply = await graph.ask("POST", POLICIES, policy_that_maps(JwtClaimType="teams", SamlClaimType=role))
        assert reply.status == 201


async def test_a_second_policy_is_refused() -> None:
    """A service principal has one policy at most; it is unassigned before another is assigned."""
    async with plain_client() as graph:
        second = (await graph.ask("POST", POLICIES, policy())).body["id"]
        reference = {"@odata.id": f"{graph.server.url}/v1.0{POLICIES}/{second}"}
        assert (await graph.ask("POST", REFERENCES, reference)).status == 400
        assert (await graph.ask("DELETE", f"{CLIENT}/claimsMappingPolicies/{POLICY_ID}/$ref")).status == 204
        assert (await graph.ask("POST", REFERENCES, reference)).status == 204
        assert await graph.id_of(f"{CLIENT}/claimsMappingPolicies") == second


async def test_the_hundred_and_first_extension() -> None:
    """A tenant has 100 extensions at most."""
    async with plain_client() as graph:
        for _ in range(99):
            graph.server.writer.create("customAuthenticationExtensions", extension())
        reply = await graph.ask("POST", EXTENSIONS, extension())
        assert (reply.status, reply.detail) == (400, "LimitExceeded")


async def test_a_body_that_is_not_json() -> None:
    """A broken body and one of another type are refused."""
    async with plain_client() as graph:
        url, headers = f"{graph.server.url}/v1.0/applications", {"Authorization": f"Bearer {graph.server.token()}"}
        async with graph._session.post(url, data=b"{", headers=headers | {"Content-Type": "application/json"}) as reply:
            assert reply.status == 400
        async with graph._session.post(url, data=b"{}", headers=headers | {"Content-Type": "text/plain"}) as reply:
            assert reply.status == 415
        assert [request.body for request in graph.server.log] == [None, {}]
