"""The server around the sign-in: what it publishes, where it listens, and how a session ends."""

import ssl

import aiohttp
import pytest
from yarl import URL

from selftest.play.authority import local_authority
from selftest.signin.browser_sessions import SESSION_COOKIE
from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import Directory
from tests.selftest.signin.plain_requests import Asking, Clock


@pytest.mark.parametrize("prefix", ["", "/v2.0"])
@pytest.mark.parametrize("name", ["11111111-1111-4111-8111-111111111111", "sample.example"])
async def test_metadata_promises_what_is_served(asking: Asking, prefix: str, name: str) -> None:
    """Every endpoint of the metadata is there, under the tenant's id and under its domain, for pages of any origin."""
    url = f"{asking.entra.base_url}/{name}{prefix}/.well-known/openid-configuration"
    async with asking.session.get(url) as response:
        metadata = await response.json()
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    links = {key: value for key, value in metadata.items() if key.endswith(("_endpoint", "_uri"))}
    assert links.keys() >= {"authorization_endpoint", "token_endpoint", "end_session_endpoint", "userinfo_endpoint"}
    for key, link in links.items():
        method = "POST" if key == "token_endpoint" else "GET"
        async with asking.session.request(method, link) as response:
            assert response.status not in {404, 405, 500}, key


async def test_instance_discovery(asking: Asking) -> None:
    """A library that asks which cloud this is hears: this one."""
    async with asking.session.get(f"{asking.entra.base_url}/common/discovery/instance") as response:
        document = await response.json()
    host = URL(asking.entra.base_url).authority
    assert document["metadata"] == [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
    async with asking.session.get(document["tenant_discovery_endpoint"]) as response:
        assert (await response.json())["issuer"] == f"{asking.entra.authority_url}/v2.0"


async def test_logout_goes_back_where_it_is_registered(asking: Asking) -> None:
    """The session ends, and the browser goes to a registered URI with the state."""
    await asking.sign_in()
    query = {"post_logout_redirect_uri": "http://localhost:9/callback", "state": "s"}
    async with asking.session.get(f"{asking.endpoint}/logout", params=query, allow_redirects=False) as response:
        assert response.headers["Location"] == "http://localhost:9/callback?state=s"
    assert (await asking.get(asking.request())).status == 200
    assert SESSION_COOKIE not in asking.session.cookie_jar.filter_cookies(URL(asking.entra.base_url))


async def test_session_is_gone_with_the_logout(asking: Asking) -> None:
    """A copy of the session's cookie signs nobody in after the logout."""
    await asking.sign_in()
    copy = asking.session.cookie_jar.filter_cookies(URL(asking.entra.base_url))[SESSION_COOKIE].value
    await asking.session.get(f"{asking.endpoint}/logout")
    asking.session.cookie_jar.update_cookies({SESSION_COOKIE: copy}, URL(asking.entra.base_url))
    assert (await asking.get(asking.request())).status == 200


@pytest.mark.parametrize("target", ["https://evil.example/", "http://localhost/nowhere", "//evil.example"])
async def test_logout_goes_nowhere_else(asking: Asking, target: str) -> None:
    """An address that nobody registered is not gone to, but the session ends all the same."""
    await asking.sign_in()
    query = {"post_logout_redirect_uri": target}
    async with asking.session.get(f"{asking.endpoint}/logout", params=query, allow_redirects=False) as response:
        assert response.status == 200
        assert "Location" not in response.headers
    assert (await asking.get(asking.request())).status == 200


async def test_logout_of_one_app_goes_to_that_app(asking: Asking) -> None:
    """A request that names its app may go to that app's URIs only."""
    query = {"post_logout_redirect_uri": "https://jwt.ms", "client_id": "78787878-7878-4878-8878-787878787878"}
    async with asking.session.get(f"{asking.endpoint}/logout", params=query, allow_redirects=False) as response:
        assert response.status == 200


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer made-up", "Basic eA=="])
async def test_userinfo_refuses(asking: Asking, authorization: str | None) -> None:
    """Userinfo requires a token for Microsoft Graph, and the error is a Bearer challenge."""
    headers = {} if authorization is None else {"Authorization": authorization}
    url = f"{asking.entra.authority_url}/openid/userinfo"
    async with asking.session.get(url, headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_userinfo_takes_no_expired_token(asking: Asking, clock: Clock) -> None:
    """A token is good for its hour."""
    token = (await asking.tokens(scope="openid"))["access_token"]
    url, headers = f"{asking.entra.authority_url}/openid/userinfo", {"Authorization": f"Bearer {token}"}
    for passes_s, status in ((3599, 200), (2, 401)):
        clock.now_s += passes_s
        async with asking.session.get(url, headers=headers) as response:
            assert response.status == status


async def test_listens_on_the_loopback_interface_only(sample: Directory) -> None:
    """By http and by https the server is bound to 127.0.0.1 alone."""
    async with SignInServer(sample, tls=local_authority().server_context()) as server:
        assert server._runner is not None
        sockets = [sock for secure in server._secure for sock in secure.sockets]
        names = [*(sock.getsockname() for sock in sockets), *server._runner.addresses]
    assert [name[0] for name in names] == ["127.0.0.1", "127.0.0.1"]


async def test_each_address_is_its_own_issuer(sample: Directory) -> None:
    """With https the issuer is the https address, for clients that trust the authority; others get no connection."""
    authority = local_authority()
    trusting = ssl.create_default_context(cafile=authority.path)
    async with SignInServer(sample, tls=authority.server_context()) as server, aiohttp.ClientSession() as session:
        url = f"{server.sign_in_authority_url}/v2.0/.well-known/openid-configuration"
        async with session.get(url, ssl=trusting) as response:
            metadata = await response.json()
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url)
    assert metadata["issuer"] == f"{server.sign_in_authority_url}/v2.0"
    assert metadata["token_endpoint"].startswith("https://localhost:")


async def test_there_is_no_service_before_it_listens(sample: Directory) -> None:
    """The error names the remedy."""
    with pytest.raises(RuntimeError, match="enter the SignInServer"):
        _ = SignInServer(sample).service
