"""Every peer does the work that it is measured at: it tells good sign-ins from bad ones and answers the same claims."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from benchmarks.load import PLACE, event
from benchmarks.sdks import sources
from benchmarks.servers import (
    EMPTY,
    EMPTY_ASGI,
    FASTAPI,
    HANDWRITTEN,
    HANDWRITTEN_GRAPH,
    HANDWRITTEN_GRAPH_JSON,
    HANDWRITTEN_TABLE,
    OURS,
    OURS_AGED,
    OURS_ASGI,
    Peer,
    serving,
)
from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.downstream.server import DownstreamServer
from selftest.entra.hostile_keys import attacker_key
from selftest.entra.server import EntraServer
from selftest.entra.signing import sign_compact
from selftest.judge.received_reply import ReceivedReply
from selftest.judge.verdict import judge
from selftest.play.caller import caller_session
from selftest.play.target import endpoint_settings

CORRELATION_ID = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
GROUPS = ["All Company", "App-Readers", "App-Sellers", "Oslo", "Sales", "Sales Norway", "VPN", "Windows 11"]
FROM_GRAPH = {"department": "Sales", "employeeId": "7421", "groups": GROUPS}
FROM_TABLE = {"Department": "Sales", "JobTitle": "Clerk", "Roles": ["Reader", "Seller"]}
WORKING = (OURS, OURS_AGED, HANDWRITTEN, OURS_ASGI, FASTAPI)


@pytest.fixture(name="entra")
async def an_emulated_entra() -> AsyncIterator[EntraServer]:
    """Give an emulated Entra that listens."""
    async with EntraServer() as server:
        yield server


@pytest.fixture(name="session")
async def a_session() -> AsyncIterator[aiohttp.ClientSession]:
    """Give the session that a caller needs."""
    async with caller_session() as session:
        yield session


def _require(peer: Peer) -> None:
    if missing := peer.missing():
        pytest.skip(f"{', '.join(missing)}: only in the benchmarks' environment (make .venv-bench)")


async def _send(session: aiohttp.ClientSession, port: int, token: str, entra: EntraServer) -> ReceivedReply:
    url = f"http://127.0.0.1:{port}{CALLOUT_PATH}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = event(entra).replace(PLACE, CORRELATION_ID).encode()
    async with session.post(url, data=body, headers=headers) as response:
        content_type = response.headers.get("Content-Type")
        return ReceivedReply(
            status=response.status, content_type=content_type, body=await response.read(), failure=None
        )


@pytest.mark.parametrize("peer", WORKING, ids=lambda peer: f"{peer.name} {peer.app_dir and peer.app_dir.name}")
async def test_peer_answers_the_claims_and_refuses_the_rest(
    peer: Peer, entra: EntraServer, session: aiohttp.ClientSession
) -> None:
    """A good sign-in gets the constant claims; a forged token, another caller and another audience get none."""
    _require(peer)
    forged = sign_compact(entra.mint.header(), entra.mint.claims(), attacker_key())
    others = (
        forged,
        entra.mint.callout_token(azp="11111111-2222-4333-8444-555555555555"),
        entra.mint.callout_token(aud="11111111-2222-4333-8444-555555555555"),
        entra.mint.callout_token(iss=entra.other_issuer),
        entra.mint.callout_token(exp=1),
    )
    async with serving(peer, endpoint_settings(entra)) as served:
        good = await _send(session, served.port, entra.mint.callout_token(), entra)
        refused = [(await _send(session, served.port, token, entra)).status for token in others]
    assert judge(good).minted
    assert json.loads(good.body)["data"]["actions"][0]["claims"] == {
        "CorrelationId": CORRELATION_ID,
        "ApiVersion": "1.0.0",
        "DateOfBirth": "01/01/2000",
        "CustomRoles": ["Writer", "Editor"],
    }
    assert not [status for status in refused if status not in {401, 403}]


@pytest.mark.parametrize("peer", [OURS_AGED, HANDWRITTEN, FASTAPI], ids=lambda peer: peer.name)
async def test_peer_asks_the_profile_api(peer: Peer, entra: EntraServer, session: aiohttp.ClientSession) -> None:
    """With a profile API its claims are answered, with one downstream token for two sign-ins."""
    _require(peer)
    async with DownstreamServer() as downstream:
        async with serving(peer, {**endpoint_settings(entra), **downstream.settings()}) as served:
            for _ in range(2):
                good = await _send(session, served.port, entra.mint.callout_token(), entra)
        assert downstream.hits["identity"] == 1
    claims = json.loads(good.body)["data"]["actions"][0]["claims"]
    assert claims["CustomRoles"] == ["Reader", "Seller"]


@pytest.mark.parametrize(
    ("peer", "source", "expected"),
    [
        (OURS, sources.graph, FROM_GRAPH),
        (HANDWRITTEN_GRAPH, sources.graph, FROM_GRAPH),
        (HANDWRITTEN_GRAPH_JSON, sources.graph, FROM_GRAPH),
        (OURS, sources.table, FROM_TABLE),
        (HANDWRITTEN_TABLE, sources.table, FROM_TABLE),
    ],
    ids=lambda value: value.name if isinstance(value, Peer) else getattr(value, "__name__", "claims"),
)
async def test_peer_asks_graph_or_a_table(
    peer: Peer,
    source: Callable[[float], AbstractAsyncContextManager[Mapping[str, str]]],
    expected: Mapping[str, Any],
    entra: EntraServer,
    session: aiohttp.ClientSession,
) -> None:
    """From the same source the endpoint and each hand-written handler answer the same claims, and refuse as before."""
    _require(peer)
    async with source(1) as settings, serving(peer, {**endpoint_settings(entra), **settings}) as served:
        # The first ones may wait for imports for longer than a sign-in may take.
        for _ in range(3):
            good = await _send(session, served.port, entra.mint.callout_token(), entra)
        refused = await _send(session, served.port, entra.mint.callout_token(exp=1), entra)
    assert judge(good).minted
    assert json.loads(good.body)["data"]["actions"][0]["claims"] == expected
    assert refused.status == 401


@pytest.mark.parametrize("peer", [EMPTY, EMPTY_ASGI], ids=lambda peer: peer.name)
async def test_floor_answers_what_would_be_minted(
    peer: Peer, entra: EntraServer, session: aiohttp.ClientSession
) -> None:
    """The floor sends a whole answer, too."""
    _require(peer)
    async with serving(peer, {}) as served:
        assert judge(await _send(session, served.port, "none", entra)).minted


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads /proc, which only Linux has")
async def test_the_server_of_every_peer_imports_no_http_client(entra: EntraServer) -> None:
    """A client that the host had imported before the app would look free in the cold start of the app that uses it."""
    for peer, imports in ((EMPTY, False), (HANDWRITTEN, True)):
        async with serving(peer, endpoint_settings(entra)) as served:
            assert ("aiohttp" in _mapped(served.pid)) is imports


def _mapped(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()
