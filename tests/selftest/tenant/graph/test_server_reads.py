"""What can be read from the emulated Graph: lists in pages, objects by their keys, selected members, nothing else."""

import base64

import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.tenant.graph.objects import GRAPH_APP_ID
from tests.emulated_graph.directory import Directory
from tests.emulated_graph.healthy_tenant import CONSENT_ID, GRAPH_PRINCIPAL_ID, POLICY_ID, healthy_tenant
from tests.emulated_graph.sign_ins import sign_in
from tests.selftest.tenant.graph.plain_requests import EXTENSIONS, LISTENERS, POLICIES, plain_client

CLIENT = f"/servicePrincipals/{DEFAULT_TENANT.client.id}"


async def test_every_collection_is_the_tenant_s() -> None:
    """The loaded objects are listed and exported."""
    tenant = healthy_tenant()
    async with plain_client() as graph:
        for name, path in (
            ("organization", "/organization"),
            ("applications", "/applications"),
            ("customAuthenticationExtensions", EXTENSIONS),
            ("authenticationEventListeners", LISTENERS),
            ("claimsMappingPolicies", POLICIES),
        ):
            reply = await graph.ask("GET", path)
            assert (reply.status, reply.body["value"]) == (200, tenant[name])
        assert graph.server.directory.export() == tenant
        assert graph.server.writes == []


async def test_pages_follow_each_other() -> None:
    """Four service principals in pages of one: the links lead through all, and keep the options."""
    async with plain_client(page_size=1) as graph:
        seen, link, pages = [], "/servicePrincipals?$select=id&$top=3", 0
        while link:
            body = (await graph.ask("GET", link)).body
            seen += [item["id"] for item in body["value"]]
            assert all(set(item) == {"id"} for item in body["value"])
            link, pages = body.get("@odata.nextLink"), pages + 1
        assert pages == len(seen) == len(set(seen)) == 4


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        (f"/servicePrincipals(appId='{GRAPH_APP_ID}')", GRAPH_PRINCIPAL_ID),
        (f"/applications(appId='{DEFAULT_TENANT.audience_app_id}')", "0a000000-0000-4000-8000-000000000001"),
        ("/applications(uniqueName='sample-claims-endpoint')", "0a000000-0000-4000-8000-000000000001"),
        (f"{POLICIES}/{POLICY_ID}", POLICY_ID),
    ],
)
async def test_one_object(path: str, ids: str) -> None:
    """An object is found by its id, its app id and its unique name; ``$select`` leaves the rest out."""
    async with plain_client() as graph:
        reply = await graph.ask("GET", f"{path}?$select=id")
        assert {name: value for name, value in reply.body.items() if name[0] != "@"} == {"id": ids}


@pytest.mark.parametrize(
    ("path", "count"),
    [
        (f"/applications?$filter=appId eq '{DEFAULT_TENANT.client.app_id}'", 1),
        ("/applications?$filter=displayName eq 'sample PORTAL'", 1),
        ("/applications?$filter=displayName eq 'it''s'", 0),
        ("/applications?$filter=displayName eq 'this and that' and uniqueName eq 'x'", 0),
        ("/applications?$filter=uniqueName eq 'sample-claims-endpoint' and displayName eq 'Sample portal'", 0),
        ("/servicePrincipals?$filter=displayName eq 'Microsoft Graph'", 1),
        (f"{POLICIES}?$filter=displayName eq 'Sample claims'", 1),
        (f"{CLIENT}/claimsMappingPolicies", 1),
        (f"{CLIENT}/appRoleAssignments", 0),
    ],
)
async def test_filters(path: str, count: int) -> None:
    """Documented filters select; text is compared without case, and a doubled apostrophe is one."""
    async with plain_client() as graph:
        reply = await graph.ask("GET", path)
        assert (reply.status, len(reply.body["value"])) == (200, count)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/users", 400, "BadRequest"),
        ("GET", "/applications/none", 404, "Request_ResourceNotFound"),
        ("GET", "/applications(uniqueName='none')", 404, "Request_ResourceNotFound"),
        ("POST", "/applications/none", 405, "Request_BadRequest"),
        ("PUT", "/applications/none", 405, "Request_BadRequest"),
        ("GET", "/applications?$search=x", 400, "BadRequest"),
        ("GET", "/applications?$select=colour", 400, "BadRequest"),
        ("GET", "/applications?$top=1000", 400, "BadRequest"),
        ("GET", "/applications?$top=x", 400, "BadRequest"),
        ("GET", "/applications?$skiptoken=x", 400, "Directory_ExpiredPageToken"),
        ("GET", "/applications?$filter=notes eq 'x'", 400, "Request_UnsupportedQuery"),
        ("GET", "/applications?$filter=displayName ge 'x'", 400, "Request_UnsupportedQuery"),
        ("GET", "/applications?$filter=displayName", 400, "BadRequest"),
        ("GET", f"{EXTENSIONS}?$filter=displayName eq 'x'", 400, "BadRequest"),
        ("GET", "/auditLogs/signIns?$filter=createdDateTime ge yesterday", 400, "BadRequest"),
        ("GET", "/auditLogs/signIns?$orderby=appId", 400, "BadRequest"),
        ("GET", "/servicePrincipals?$expand=appRoleAssignments", 400, "BadRequest"),
        ("GET", f"{CLIENT}/claimsPolicy", 400, "BadRequest"),
    ],
)
async def test_nothing_else(method: str, path: str, status: int, code: str) -> None:
    """Unknown requests are refused as Graph refuses them, with a request id."""
    async with plain_client() as graph:
        reply = await graph.ask(method, path)
        assert (reply.status, reply.code) == (status, code)
        assert reply.headers["request-id"] == reply.body["error"]["innerError"]["request-id"]


async def test_claims_policy_is_in_beta() -> None:
    """The "Attributes & Claims" page's policy: 404 where it is missing."""
    async with plain_client() as graph:
        assert (await graph.ask("GET", f"{CLIENT}/claimsPolicy", version="beta")).status == 404
        claims = [{"@odata.type": "#microsoft.graph.customClaim", "name": "level", "namespace": None}]
        policy = {"id": DEFAULT_TENANT.client.id, "includeBasicClaimSet": True, "claims": claims}
        graph.server.directory.claims_policies[DEFAULT_TENANT.client.id] = policy
        reply = await graph.ask("GET", f"{CLIENT}/claimsPolicy", version="beta")
        assert reply.body["claims"] == claims
        exported = graph.server.directory.export()
        assert [each.get("claimsPolicy") for each in exported["servicePrincipals"]] == [None, policy, None, None]
        assert Directory(exported).export() == exported


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (None, "Access token is empty."),
        ("abc", "The token is malformed"),
        ("e30.e30.", "The token is malformed"),
        ("e30.bm8.", "The token is malformed"),
    ],
)
async def test_no_token(token: str | None, code: str) -> None:
    """Without a token for Graph every request is refused."""
    async with plain_client() as graph:
        reply = await graph.ask("GET", "/applications", token=token)
        assert (reply.status, reply.code) == (401, "InvalidAuthenticationToken")
        assert reply.body["error"]["message"].startswith(code)


async def test_token_for_another_service() -> None:
    """A token for another audience is 401, whatever it allows."""
    async with plain_client() as graph:
        header, payload, _ = graph.server.token().split(".")
        other = base64.urlsafe_b64decode(payload + "==").replace(b"graph.microsoft.com", b"vault.azure.net")
        token = f"{header}.{base64.urlsafe_b64encode(other).decode().rstrip('=')}."
        reply = await graph.ask("GET", "/applications", token=token)
        assert (reply.status, reply.body["error"]["message"]) == (
            401,
            "Access token validation failure. Invalid audience.",
        )


async def test_old_token() -> None:
    """An expired token is 401."""
    now: list[float] = [1_800_000_000.0]
    async with plain_client(clock=lambda: now[0]) as graph:
        token = graph.server.token()
        assert (await graph.ask("GET", "/applications", token=token)).status == 200
        now[0] += 3600
        assert (await graph.ask("GET", "/applications", token=token)).status == 401


@pytest.mark.parametrize("delegated", [True, False])
@pytest.mark.parametrize(
    ("permissions", "path", "status"),
    [
        ({"Application.Read.All"}, "/applications", 200),
        ({"Application.Read.All"}, EXTENSIONS, 403),
        ({"CustomAuthenticationExtension.Read.All"}, EXTENSIONS, 200),
        ({"Policy.Read.All"}, f"{CLIENT}/claimsMappingPolicies", 403),
        ({"Policy.Read.All", "Application.ReadWrite.All"}, f"{CLIENT}/claimsMappingPolicies", 200),
        (set(), "/applications", 403),
    ],
)
async def test_permissions(permissions: set[str], path: str, status: int, *, delegated: bool) -> None:
    """A token allows what one of the documented alternatives allows; permissions needed together are both needed."""
    async with plain_client() as graph:
        reply = await graph.ask("GET", path, token=graph.server.token(permissions, delegated=delegated))
        assert reply.status == status
        if status == 403:
            assert reply.code == "Authorization_RequestDenied"


async def test_sign_ins() -> None:
    """Interactive ones, the newest first, filtered by time, app and correlation id; listeners only in beta."""
    sign_ins = [
        sign_in("1", "2026-01-01T00:00:00Z", error_code=1003005, http_status=0, attempts=2),
        sign_in("2", "2026-01-02T00:00:00.5Z") | {"appId": "b"},
        sign_in("3", "2026-01-03T00:00:00Z", interactive=False),
    ]
    async with plain_client(healthy_tenant() | {"signIns": sign_ins}) as graph:

        async def ids(query: str) -> list[str]:
            reply = await graph.ask("GET", f"/auditLogs/signIns{query}", version="beta")
            return [item["id"] for item in reply.body["value"]]

        client = DEFAULT_TENANT.client.app_id
        assert await ids("") == ["2", "1"]
        assert await ids("?$filter=createdDateTime ge 2026-01-01T12:00:00Z") == ["2"]
        assert await ids(f"?$filter=createdDateTime ge 2026-01-01T01:00:00%2B01:00 and appId eq '{client}'") == ["1"]
        assert await ids("?$filter=correlationId eq '2' and appId eq 'b'") == ["2"]
        assert await ids("?$filter=signInEventTypes/any(t: t eq 'nonInteractiveUser')") == ["3"]
        beta = (await graph.ask("GET", "/auditLogs/signIns", version="beta")).body["value"][1]
        assert beta["appliedEventListeners"][0]["handlerResult"]["errorCode"] == 1003005
        plain = (await graph.ask("GET", "/auditLogs/signIns")).body["value"]
        assert [each["id"] for each in plain if "appliedEventListeners" not in each] == ["2", "1"]
        assert graph.server.directory.export()["signIns"] == sign_ins


async def test_consent_is_read_at_its_path() -> None:
    """The consent of the API's service principal has a separate path."""
    async with plain_client() as graph:
        path = "/servicePrincipals/0a000000-0000-4000-8000-000000000002/appRoleAssignments"
        assert await graph.id_of(path) == CONSENT_ID
        assert await graph.id_of(f"{path}?$filter=resourceId eq {GRAPH_PRINCIPAL_ID}") == CONSENT_ID
