"""The emulated downstream: its responses without a fault, and with each fault of the table."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from selftest.downstream.faults import FAULTS, HUGE_BYTES
from selftest.downstream.identity import API_VERSION
from selftest.downstream.server import DownstreamServer

USER_ID = "55555555-5555-4555-8555-555555555555"
QUERY = {"resource": "api://profile", "api-version": API_VERSION}


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0
        self.slept_s: list[float] = []

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Wait for no time, and remember."""
        self.slept_s.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture(name="clock")
def a_clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest_asyncio.fixture(name="server")
async def a_server(clock: Clock) -> AsyncIterator[DownstreamServer]:
    """Return a listening server whose jitter is always half."""
    async with DownstreamServer(clock=clock, rng=lambda: 0.5, sleep=clock.sleep) as server:
        yield server


@pytest_asyncio.fixture(name="session")
async def a_session() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a client with a short timeout."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


async def ask_identity(
    server: DownstreamServer, session: aiohttp.ClientSession, query: dict[str, str] = QUERY, secret: str | None = None
) -> tuple[int, bytes]:
    """Ask for a token as an app does."""
    headers = {"X-IDENTITY-HEADER": server.identity.secret if secret is None else secret}
    async with session.get(f"{server.base_url}/msi/token", params=query, headers=headers) as response:
        return response.status, await response.read()


async def token_from(server: DownstreamServer, session: aiohttp.ClientSession) -> str:
    """Get a token."""
    status, body = await ask_identity(server, session)
    assert status == 200
    return str(json.loads(body)["access_token"])


async def get(
    server: DownstreamServer, session: aiohttp.ClientSession, token: str, path: str = f"/profile/{USER_ID}"
) -> tuple[int, bytes, dict[str, str]]:
    """Ask an API."""
    async with session.get(f"{server.base_url}{path}", headers={"Authorization": f"Bearer {token}"}) as response:
        return response.status, await response.read(), dict(response.headers)


async def test_identity_speaks_the_documented_protocol(
    server: DownstreamServer, session: aiohttp.ClientSession, clock: Clock
) -> None:
    """The answer has the members of App Service's, with times as strings of seconds."""
    status, body = await ask_identity(server, session)
    answer = json.loads(body)
    assert status == 200
    assert {"access_token", "client_id", "expires_on", "resource", "token_type"} == set(answer)
    assert (answer["resource"], answer["token_type"]) == ("api://profile", "Bearer")
    assert int(answer["expires_on"]) == int(clock.now_s) + 3600


@pytest.mark.parametrize(
    ("query", "secret", "status"),
    [
        (QUERY, "wrong", 401),
        ({**QUERY, "api-version": "2017-09-01"}, None, 400),
        ({"api-version": API_VERSION}, None, 400),
    ],
)
async def test_identity_refuses_what_is_not_documented(
    server: DownstreamServer, session: aiohttp.ClientSession, query: dict[str, str], secret: str | None, status: int
) -> None:
    """A wrong secret, another version and a missing resource are refused."""
    assert (await ask_identity(server, session, query, secret))[0] == status


async def test_profile_needs_a_token_that_is_good(
    server: DownstreamServer, session: aiohttp.ClientSession, clock: Clock
) -> None:
    """A token that was issued is believed until it ends, another never; each answer is another version."""
    token = await token_from(server, session)
    first, second = [json.loads((await get(server, session, token))[1]) for _ in range(2)]
    assert first["ProfileId"] == USER_ID
    assert first["ProfileVersion"] != second["ProfileVersion"]
    assert (await get(server, session, "made-up"))[0] == 401
    clock.now_s += 3600
    assert (await get(server, session, token))[0] == 401
    assert server.asked_about == {USER_ID: 4}


async def test_graph_pages_and_knows_what_it_has_not(server: DownstreamServer, session: aiohttp.ClientSession) -> None:
    """Groups come in two pages on the same host, and an unknown path is 404."""
    token = await token_from(server, session)
    path = f"/v1.0/users/{USER_ID}/transitiveMemberOf/microsoft.graph.group"
    page = json.loads((await get(server, session, token, path))[1])
    following = page["@odata.nextLink"]
    assert following.startswith(f"{server.base_url}/v1.0/")
    last = json.loads((await get(server, session, token, following.removeprefix(server.base_url)))[1])
    names = [group["displayName"] for group in page["value"] + last["value"]]
    assert names == ["Readers", "Sellers", "Writers"]
    for known in (f"users/{USER_ID}", f"users/{USER_ID}/appRoleAssignments", "servicePrincipals(appId='x')"):
        assert (await get(server, session, token, f"/v1.0/{known}"))[0] == 200
    assert (await get(server, session, token, "/v1.0/nothing"))[0] == 404


@pytest.mark.parametrize(
    ("name", "status"),
    [("forbidden", 403), ("not-found", 404), ("throttled", 429), ("error", 500), ("unavailable", 503)],
)
async def test_a_status_is_answered(
    server: DownstreamServer, session: aiohttp.ClientSession, name: str, status: int
) -> None:
    """The fault's status and headers come, and after the fault the good answer again."""
    token = await token_from(server, session)
    with server.playing(FAULTS[name]):
        answered, _, headers = await get(server, session, token)
        assert server.hits == {"profile": 1}
    assert answered == status
    assert headers.get("Retry-After") == ("30" if status == 429 else None)
    assert (await get(server, session, token))[0] == 200


async def test_a_token_is_refused_and_the_next_is_not(server: DownstreamServer, session: aiohttp.ClientSession) -> None:
    """``token-refused`` withdraws what was issued before, ``unauthorized`` refuses all."""
    old = await token_from(server, session)
    with server.playing(FAULTS["token-refused"]):
        assert (await get(server, session, old))[0] == 401
        new = await token_from(server, session)
        assert (await get(server, session, new))[0] == 200
    with server.playing(FAULTS["unauthorized"]):
        status, _, headers = await get(server, session, new)
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')


async def test_latency_has_jitter(server: DownstreamServer, session: aiohttp.ClientSession, clock: Clock) -> None:
    """The wait is the least one and a share of the jitter."""
    token = await token_from(server, session)
    with server.playing(FAULTS["lateness"]):
        assert (await get(server, session, token))[0] == 200
    assert clock.slept_s == [pytest.approx(0.9 + 0.2 / 2)]


async def test_bodies_are_broken_as_they_say(server: DownstreamServer, session: aiohttp.ClientSession) -> None:
    """Malformed JSON, and more of it than anybody wants."""
    token = await token_from(server, session)
    with server.playing(FAULTS["malformed"]):
        _, malformed, _ = await get(server, session, token)
    with server.playing(FAULTS["huge"]):
        _, huge, _ = await get(server, session, token)
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(malformed)
    assert len(huge) > HUGE_BYTES


async def test_a_truncated_answer_breaks_off(server: DownstreamServer, session: aiohttp.ClientSession) -> None:
    """The response is shorter than its Content-Length."""
    token = await token_from(server, session)
    with server.playing(FAULTS["truncated"]), pytest.raises(aiohttp.ClientPayloadError):
        await get(server, session, token)


async def test_a_trickle_comes_byte_by_byte(
    server: DownstreamServer, session: aiohttp.ClientSession, clock: Clock
) -> None:
    """Between two bytes there is a wait, and the answer is whole in the end."""
    token = await token_from(server, session)
    with server.playing(FAULTS["trickle"]):
        status, body, _ = await get(server, session, token)
    assert (status, json.loads(body)["ProfileId"]) == (200, USER_ID)
    assert clock.slept_s == [0.1] * len(body)


async def connect(server: DownstreamServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Request a profile on a separate connection: a client library would retry when a reused one breaks."""
    host, port = server.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /profile/x HTTP/1.1\r\nHost: x\r\n\r\n")
    return reader, writer


async def test_a_reset_is_no_orderly_end(server: DownstreamServer) -> None:
    """The connection breaks with ECONNRESET, where an orderly end would read as nothing."""
    with server.playing(FAULTS["reset"]):
        reader, writer = await connect(server)
        with pytest.raises(ConnectionResetError):
            await reader.read()
    writer.close()


async def test_a_hang_ends_with_the_fault(server: DownstreamServer) -> None:
    """Nothing comes while it lasts, and then the connection breaks rather than an answer coming late."""
    with server.playing(FAULTS["hang"]):
        reader, writer = await connect(server)
        waiting = asyncio.ensure_future(reader.read())
        done, _ = await asyncio.wait({waiting}, timeout=0.04)
        assert not done
        assert server.hits == {"profile": 1}
    with pytest.raises(ConnectionResetError):
        await waiting
    writer.close()


@pytest.mark.parametrize(("name", "status"), [("identity-down", 500), ("identity-garbage", 200)])
async def test_a_broken_identity_issues_nothing(
    server: DownstreamServer, session: aiohttp.ClientSession, name: str, status: int
) -> None:
    """The API is well while the identity is not."""
    token = await token_from(server, session)
    with server.playing(FAULTS[name]):
        answered, body = await ask_identity(server, session)
        assert (answered, b"access_token" in body) == (status, False)
        assert (await get(server, session, token))[0] == 200


async def test_expired_tokens_are_issued_and_refused(
    server: DownstreamServer, session: aiohttp.ClientSession, clock: Clock
) -> None:
    """The token looks good but for its end, which is past, and the API refuses it."""
    with server.playing(FAULTS["identity-expired"]):
        _, body = await ask_identity(server, session)
        issued = json.loads(body)
        assert int(issued["expires_on"]) < clock.now_s
        assert (await get(server, session, issued["access_token"]))[0] == 401


async def test_one_fault_at_a_time(server: DownstreamServer) -> None:
    """A second fault is refused with the name of the first."""
    with server.playing(FAULTS["error"]), pytest.raises(RuntimeError, match="error"), server.playing(FAULTS["hang"]):
        pass
    assert server.fault is None


async def test_every_fault_has_its_words() -> None:
    """Names are unique and have a description."""
    assert all(fault.name == name and fault.says.startswith("the ") for name, fault in FAULTS.items())


async def test_a_web_page_is_not_counted(server: DownstreamServer, session: aiohttp.ClientSession) -> None:
    """A page that sends requests to this machine's ports changes no figure that a check compares."""
    for path in ("/profile/x", "/v1.0/users", "/msi/token"):
        async with session.get(f"{server.base_url}{path}", headers={"Sec-Fetch-Site": "cross-site"}) as response:
            assert response.status == 403
    assert not server.hits
    assert not server.asked_about
