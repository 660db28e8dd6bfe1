"""The emulated Entra over HTTP."""

import asyncio
import socket
import time
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web

from selftest.base.sample_tenant import DEFAULT_TENANT, local_tenant
from selftest.entra.metadata import metadata_document
from selftest.entra.server import EntraServer
from selftest.entra.token_mint import EntraVersion

VERSIONS: tuple[EntraVersion, ...] = ("1.0", "2.0")
PREFIX: dict[EntraVersion, str] = {"1.0": "", "2.0": "/v2.0"}


async def _get(session: aiohttp.ClientSession, url: str) -> Any:
    async with session.get(url) as response:
        assert response.status == 200, await response.text()
        return await response.json()


def _metadata_url(entra: EntraServer, version: EntraVersion) -> str:
    return f"{entra.authority_url}{PREFIX[version]}/.well-known/openid-configuration"


async def _verify(
    entra: EntraServer, session: aiohttp.ClientSession, token: str, version: EntraVersion
) -> dict[str, Any]:
    """Verify as a client library does: metadata, its keys, the key of the token's kid."""
    metadata = await _get(session, _metadata_url(entra, version))
    document = await _get(session, metadata["jwks_uri"])
    kid = jwt.get_unverified_header(token)["kid"]
    jwk = next(entry for entry in document["keys"] if isinstance(entry, dict) and entry.get("kid") == kid)
    claims: dict[str, Any] = jwt.decode(
        token,
        jwt.PyJWK(jwk, "RS256"),
        algorithms=["RS256"],
        audience=DEFAULT_TENANT.audience_app_id,
        issuer=metadata["issuer"],
        options={"require": ["exp", "nbf", "iat", "iss", "aud"]},
    )
    return claims


@pytest.mark.parametrize("version", VERSIONS)
async def test_token_verifies_against_what_is_served(
    entra: EntraServer, session: aiohttp.ClientSession, version: EntraVersion
) -> None:
    """A callout token verifies with nothing but the authority's URL, in both versions."""
    claims = await _verify(entra, session, entra.mint.callout_token(version), version)
    assert claims["ver"] == version


async def test_pyjwt_key_client_reads_the_document(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """A standard JWKS client finds the key among hostile entries."""
    entra.publish_well_formed()
    entra.publish_malformed()
    entra.keys.published[:] = [entry for entry in entra.keys.published if isinstance(entry, dict)]
    metadata = await _get(session, _metadata_url(entra, "2.0"))
    client = jwt.PyJWKClient(metadata["jwks_uri"])
    key = await asyncio.to_thread(client.get_signing_key_from_jwt, entra.mint.callout_token())
    assert key.key_id == entra.keys.current.kid


@pytest.mark.parametrize("version", VERSIONS)
async def test_metadata_members(entra: EntraServer, session: aiohttp.ClientSession, version: EntraVersion) -> None:
    """The document has every member that OpenID Connect Discovery requires, with links on this host."""
    metadata = await _get(session, _metadata_url(entra, version))
    assert metadata == metadata_document(entra.mint, version)
    required = {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    }
    assert required <= metadata.keys()
    links = [value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))]
    assert all(link.startswith(f"{entra.authority_url}/") for link in links)


async def test_issuers(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """The v2.0 issuer is below the authority, the v1.0 issuer is on the older host."""
    issuers = [(await _get(session, _metadata_url(entra, version)))["issuer"] for version in VERSIONS]
    assert issuers == [f"https://sts.windows.net/{DEFAULT_TENANT.tenant_id}/", f"{entra.authority_url}/v2.0"]


async def test_only_v2_keys_carry_an_issuer(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """The v2.0 key document names the tenant's issuer in each key, the v1.0 document names none."""
    v2 = await _get(session, f"{entra.authority_url}/discovery/v2.0/keys")
    v1 = await _get(session, f"{entra.authority_url}/discovery/keys")
    assert [key["issuer"] for key in v2["keys"]] == [f"{entra.authority_url}/v2.0"]
    assert ["issuer" in key for key in v1["keys"]] == [False]
    assert v1["keys"][0]["kid"] == v2["keys"][0]["kid"]


async def test_rotation_over_http(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """POST /rotate changes the key that signs; tokens of the old and the new key both verify."""
    old = entra.mint.callout_token()
    secret = {"Authorization": f"Bearer {entra.control_secret}"}
    async with session.post(f"{entra.base_url}/rotate", headers=secret) as response:
        assert (await response.json()) == {"kid": entra.keys.current.kid}
    new = entra.mint.callout_token()
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    await _verify(entra, session, old, "2.0")
    await _verify(entra, session, new, "2.0")


@pytest.mark.parametrize("authorization", [None, "", "Bearer ", "Bearer x", "Basic x", "Bearer \u00e9"])
async def test_a_web_page_rotates_nothing(
    entra: EntraServer, session: aiohttp.ClientSession, authorization: str | None
) -> None:
    """A page may send a POST anywhere, but does not know the secret; the answer has nothing that a page may read."""
    before = entra.keys.current
    headers = {"Origin": "https://page.example"}
    if authorization is not None:
        headers["Authorization"] = authorization
    async with session.post(f"{entra.base_url}/rotate", headers=headers) as response:
        assert response.status == 401
        assert "Access-Control-Allow-Origin" not in response.headers
    assert entra.keys.current is before


@pytest.mark.parametrize("headers", [{"Origin": "https://page.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_web_page_accuses_no_endpoint(
    entra: EntraServer, session: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    """A page that fetches the attacker's keys is not counted: an endpoint that trusts a token's jku is."""
    async with session.get(f"{entra.base_url}/attacker/keys", headers=headers) as response:
        assert response.status == 200
    assert +entra.hits == {}
    async with session.get(f"{entra.base_url}/attacker/keys"):
        assert entra.hits == {"attacker": 1}


async def test_rotation_needs_post(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """A GET, which a mere link would cause, rotates nothing."""
    before = entra.keys.current
    async with session.get(f"{entra.base_url}/rotate") as response:
        assert response.status == 405
    assert entra.keys.current is before


async def test_outage(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """During an outage metadata and keys answer 503 and are counted; afterwards they answer again."""
    entra.outage = True
    urls = [_metadata_url(entra, "2.0"), _metadata_url(entra, "1.0")]
    urls += [f"{entra.authority_url}/discovery/v2.0/keys", f"{entra.authority_url}/discovery/keys"]
    for url in urls:
        async with session.get(url) as response:
            assert response.status == 503
    assert entra.hits == {"metadata_v2": 1, "metadata_v1": 1, "keys_v2": 1, "keys_v1": 1}
    entra.outage = False
    await _get(session, urls[0])
    assert entra.hits["metadata_v2"] == 2


async def test_delay(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """A delay holds the answer back by at least that time."""
    entra.delay_s = 0.03
    start_s = time.perf_counter()
    await _get(session, f"{entra.authority_url}/discovery/v2.0/keys")
    assert time.perf_counter() - start_s >= 0.03


async def test_delayed_answer_does_not_hold_up_the_end(session: aiohttp.ClientSession) -> None:
    """Leaving the server does not wait for an answer that is being delayed."""
    async with EntraServer() as server:
        server.delay_s = 60
        pending = asyncio.create_task(_get(session, f"{server.authority_url}/discovery/keys"))
        while not server.hits:  # noqa: ASYNC110 - the server has no event for it, and the wait is microseconds
            await asyncio.sleep(0)
        start_s = time.perf_counter()
    assert time.perf_counter() - start_s < 30
    with pytest.raises((aiohttp.ClientError, AssertionError)):
        await pending


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "localhost.evil.example:80", ""]
)
async def test_foreign_host_names_are_refused(entra: EntraServer, session: aiohttp.ClientSession, host: str) -> None:
    """A page that made its own name point here gets nothing (DNS rebinding), and nothing is counted."""
    async with session.post(f"{entra.base_url}/rotate", headers={"Host": host}) as response:
        assert response.status == 421
    async with session.get(_metadata_url(entra, "2.0"), headers={"Host": host}) as response:
        assert response.status == 421
    assert not entra.hits


@pytest.mark.parametrize("host", ["localhost", "localhost:9", "127.0.0.1:9", "[::1]:9"])
async def test_loopback_names_are_served(entra: EntraServer, session: aiohttp.ClientSession, host: str) -> None:
    """Every name that can only be this machine is served."""
    async with session.get(_metadata_url(entra, "2.0"), headers={"Host": host}) as response:
        assert response.status == 200


async def test_listens_on_the_loopback_interface_only(entra: EntraServer) -> None:
    """The server is bound to 127.0.0.1 alone, so that no other machine reaches it."""
    assert entra._runner is not None
    assert [address[0] for address in entra._runner.addresses] == ["127.0.0.1"]


async def test_other_tenant_is_not_served(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """There is one tenant; asking for another's metadata is a 404 and counts as nothing."""
    url = _metadata_url(entra, "2.0").replace(DEFAULT_TENANT.tenant_id, DEFAULT_TENANT.other_tenant_id)
    async with session.get(url) as response:
        assert response.status == 404
    assert not entra.hits


async def test_attackers_keys_are_counted(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """A request for a token's jku is counted, and returns a key that would verify the attack."""
    document = await _get(session, f"{entra.base_url}/attacker/keys")
    assert document["keys"][0]["kid"] != entra.keys.current.kid
    assert entra.hits["attacker"] == 1


async def test_port_in_use_is_an_error() -> None:
    """A taken port is reported as such, and nothing is left open."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            async with EntraServer(port=taken.getsockname()[1]):
                pass


async def test_other_ids() -> None:
    """A tenant with other ids is served under them."""
    tenant = local_tenant(tenant_id="abcdefab-0000-4000-8000-000000000000")
    async with EntraServer(tenant) as server:
        assert server.authority_url.endswith("/abcdefab-0000-4000-8000-000000000000")
        assert server.mint.claims()["tid"] == tenant.tenant_id


def test_no_mint_before_listening() -> None:
    """Before the port is known there is no issuer, and the error names the remedy."""
    with pytest.raises(RuntimeError, match="enter the EntraServer"):
        _ = EntraServer().mint


async def test_server_can_be_entered_again() -> None:
    """After an end the same server may listen again, with its counts kept."""
    server = EntraServer()
    async with server, aiohttp.ClientSession() as session:
        await _get(session, f"{server.authority_url}/discovery/keys")
    async with server, aiohttp.ClientSession() as session:
        await _get(session, f"{server.authority_url}/discovery/keys")
    assert server.hits["keys_v1"] == 2


async def test_unknown_path_is_404(entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """There is no sign-in page: the authorization endpoint that metadata must name answers 404."""
    metadata = await _get(session, _metadata_url(entra, "2.0"))
    async with session.get(metadata["authorization_endpoint"]) as response:
        assert response.status == web.HTTPNotFound.status_code
