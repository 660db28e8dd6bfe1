"""With Graph and with a table, the hand-written handler answers what the endpoint answers, from the same source."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest

from benchmarks.sdks import sources
from benchmarks.servers import HANDWRITTEN_GRAPH, HANDWRITTEN_TABLE, OURS, Peer, serving
from selftest.entra.server import EntraServer
from selftest.judge.verdict import judge
from selftest.play.caller import caller_session
from selftest.play.target import endpoint_settings
from tests.benchmarks.test_peers import _require, _send

type OpenSource = Callable[[float], AbstractAsyncContextManager[Mapping[str, str]]]

GROUPS = ["All Company", "App-Readers", "App-Sellers", "Oslo", "Sales", "Sales Norway", "VPN", "Windows 11"]
FROM_GRAPH = {"department": "Sales", "jobTitle": "Clerk", "groups": GROUPS}
FROM_TABLE = {"Department": "Sales", "JobTitle": "Clerk", "Roles": ["Reader", "Seller"]}


@pytest.mark.parametrize(
    ("source", "peer", "expected"),
    [
        (sources.graph, OURS, FROM_GRAPH),
        (sources.graph, HANDWRITTEN_GRAPH, FROM_GRAPH),
        (sources.table, OURS, FROM_TABLE),
        (sources.table, HANDWRITTEN_TABLE, FROM_TABLE),
    ],
    ids=lambda value: value.name if isinstance(value, Peer) else getattr(value, "__name__", "claims"),
)
async def test_peer_asks_the_source(source: OpenSource, peer: Peer, expected: Mapping[str, Any]) -> None:
    """A good sign-in gets the source's claims, one without a token gets none."""
    _require(peer)
    async with EntraServer() as entra, caller_session() as session, source(1) as settings:
        async with serving(peer, {**endpoint_settings(entra), **settings}) as served:
            # The first one may wait for more imports than its budget allows.
            for _ in range(2):
                good = await _send(session, served.port, entra.mint.callout_token(), entra)
            refused = await _send(session, served.port, "none", entra)
    assert judge(good).minted, good.body
    assert json.loads(good.body)["data"]["actions"][0]["claims"] == expected
    assert refused.status == 401
