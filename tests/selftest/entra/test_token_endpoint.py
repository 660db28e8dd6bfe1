"""The token endpoint over HTTP."""

import base64
from typing import Any

import aiohttp
import jwt
import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.server import EntraServer

TENANT = DEFAULT_TENANT
GOOD = {
    "grant_type": "client_credentials",
    "client_id": TENANT.audience_app_id,
    "client_secret": TENANT.client_secret,
    "scope": f"{TENANT.application_id_uri}/.default",
}


async def _post(
    entra: EntraServer,
    session: aiohttp.ClientSession,
    form: Any,
    *,
    path: str = "/oauth2/v2.0/token",
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, Any], dict[str, str]]:
    async with session.post(entra.authority_url + path, data=form, headers=headers) as response:
        return response.status, await response.json(), dict(response.headers)


def _basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def _without(*names: str, **changes: str) -> dict[str, str]:
    return {name: value for name, value in (GOOD | changes).items() if name not in names}


async def test_secret_in_the_body(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """Client credentials give a bearer token for the asked resource, whose authorized party is the client."""
    status, reply, headers = await _post(entra, session, GOOD)
    assert status == 200
    assert (reply["token_type"], reply["expires_in"]) == ("Bearer", 3599)
    assert headers["Cache-Control"] == "no-store"
    claims = jwt.decode(
        reply["access_token"],
        jwt.PyJWK(entra.keys.current.jwk(), "RS256"),
        algorithms=["RS256"],
        audience=TENANT.audience_app_id,
        issuer=entra.mint.issuer("2.0"),
    )
    assert claims["azp"] == TENANT.audience_app_id
    assert entra.hits["token"] == 1


async def test_secret_in_the_header(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """HTTP Basic works as well, with both halves form-encoded first."""
    auth = _basic(TENANT.client.app_id.replace("-", "%2D"), TENANT.client_secret.replace("-", "%2D"))
    form = _without("client_id", "client_secret")
    status, reply, _ = await _post(entra, session, form, headers={"Authorization": auth})
    assert status == 200, reply
    claims = jwt.decode(reply["access_token"], options={"verify_signature": False})
    assert claims["azp"] == TENANT.client.app_id


@pytest.mark.parametrize(
    ("resource", "audience"),
    [
        (TENANT.application_id_uri, TENANT.audience_app_id),
        (TENANT.audience_app_id, TENANT.audience_app_id),
        (TENANT.other_resource_uri, TENANT.other_resource.app_id),
        (TENANT.other_resource.app_id, TENANT.other_resource.app_id),
    ],
)
async def test_audience_is_the_resources_app(
    entra: EntraServer, session: aiohttp.ClientSession, resource: str, audience: str
) -> None:
    """A resource may be named by its URI or its app id; the token's audience is the app id."""
    _, reply, _ = await _post(entra, session, GOOD | {"scope": f"{resource}/.default"})
    assert jwt.decode(reply["access_token"], options={"verify_signature": False})["aud"] == audience


async def test_older_endpoint_takes_a_resource(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """The endpoint that the v1.0 metadata names takes 'resource' in place of 'scope'."""
    form = _without("scope", resource=TENANT.application_id_uri)
    status, _, _ = await _post(entra, session, form, path="/oauth2/token")
    assert status == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        (_without("grant_type"), 400, "invalid_request"),
        (_without(grant_type="authorization_code"), 400, "unsupported_grant_type"),
        (_without(grant_type="password"), 400, "unsupported_grant_type"),
        (_without("client_id"), 400, "invalid_request"),
        (_without("client_secret"), 401, "invalid_client"),
        (_without(client_secret="wrong"), 401, "invalid_client"),
        (_without(client_secret="é"), 401, "invalid_client"),
        (_without(client_id=TENANT.other_tenant_id), 401, "invalid_client"),
        (_without("scope"), 400, "invalid_request"),
        (_without(resource=TENANT.application_id_uri), 400, "invalid_request"),
        (_without(scope=TENANT.application_id_uri), 400, "invalid_scope"),
        (_without(scope=f"{GOOD['scope']} openid"), 400, "invalid_scope"),
        (_without(scope=f"{GOOD['scope']} {GOOD['scope']}"), 400, "invalid_scope"),
        (_without(scope="api://nobody/.default"), 400, "invalid_scope"),
        (_without(scope="/.default"), 400, "invalid_scope"),
        ([*GOOD.items(), ("scope", GOOD["scope"])], 400, "invalid_request"),
        (b"\xff=%ff&grant_type=%zz", 400, "invalid_request"),
        (b"", 400, "invalid_request"),
    ],
    ids=lambda value: None if isinstance(value, int | str) else repr(value)[:60],
)
async def test_refusals(entra: EntraServer, session: aiohttp.ClientSession, form: Any, status: int, error: str) -> None:
    """Every documented way to ask wrongly has its OAuth error, with an Entra number and no token."""
    got, reply, _ = await _post(entra, session, form)
    assert (got, reply["error"]) == (status, error)
    assert reply["error_description"].startswith(f"AADSTS{reply['error_codes'][0]}: ")
    assert "access_token" not in reply
    assert TENANT.client_secret not in str(reply)


@pytest.mark.parametrize("value", ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer abc", ""])
async def test_bad_authorization_header(entra: EntraServer, session: aiohttp.ClientSession, value: str) -> None:
    """A header that is not Basic with two halves is a 401 with a challenge (RFC 6749 5.2)."""
    form = _without("client_id", "client_secret")
    status, reply, headers = await _post(entra, session, form, headers={"Authorization": value})
    assert (status, reply["error"]) == (401, "invalid_client")
    assert headers["WWW-Authenticate"].startswith("Basic ")


async def test_two_ways_at_once(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """A client that authenticates in header and body is refused (RFC 6749 2.3)."""
    auth = _basic(TENANT.audience_app_id, TENANT.client_secret)
    status, reply, _ = await _post(entra, session, GOOD, headers={"Authorization": auth})
    assert (status, reply["error"]) == (400, "invalid_request")


async def test_two_clients_at_once(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """Header and body may not name different clients."""
    auth = _basic(TENANT.client.app_id, TENANT.client_secret)
    form = _without("client_secret")
    status, reply, _ = await _post(entra, session, form, headers={"Authorization": auth})
    assert (status, reply["error"]) == (400, "invalid_request")


async def test_unknown_charset(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """A body in a charset that does not exist is a bad request, not a fault of the server."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=nope"}
    status, reply, _ = await _post(entra, session, b"grant_type=client_credentials", headers=headers)
    assert (status, reply["error"]) == (400, "invalid_request")
