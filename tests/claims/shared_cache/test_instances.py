"""Several instances of the endpoint and one cache: what one knows, the others send under ``stale``."""

import asyncio
import importlib.util
import json
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from claims.endpoint import Endpoint, Response
from claims.errors import SettingsError
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.settings.authority import Authority
from claims.shared_cache.replies import create_shared_replies
from claims.token.keys import SigningKeys
from selftest.checks.bench.redis_server import free_port, running_redis
from tests.claims.shared_cache.loopback_redis import LoopbackRedis
from tests.claims.shared_cache.real_redis import needs_redis
from tests.claims.site import AUTHORITY, ENVIRON, NOW_S, TENANT_ID, Site, good_event, good_token, settings

BUDGET_MS = 1000

# The client warns of a connection that it dropped because its handshake was canceled when the time for it was over.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Source:
    """A data source that several instances ask."""

    def __init__(self) -> None:
        self.claims: dict[str, object] = {"a": "1"}
        self.down = False
        self.delays_s: list[float] = []

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Answer late, or not."""
        del event, context
        await asyncio.sleep(self.delays_s.pop(0) if self.delays_s else 0)
        if self.down:
            raise OSError
        return self.claims


async def written(instance: Endpoint) -> None:
    """Wait until the cache has what an instance offered; first of all, until it is connected."""
    async with asyncio.timeout(20):
        while instance._shared._scheduled:  # type: ignore[union-attr] # noqa: ASYNC110 (it sets no event)
            await asyncio.sleep(0.005)


class Fleet:
    """Instances behind one cache.

    Attributes:
        source: Where all of them get claims.
    """

    def __init__(self, port: int) -> None:
        self.source = Source()
        self._site = Site()
        self._environ = {
            **ENVIRON,
            "Claims__OnFailure": "stale",
            "Claims__BudgetMs": str(BUDGET_MS),
            "Claims__SharedCache": f"redis://127.0.0.1:{port}",
        }
        self._instances: list[Endpoint] = []

    async def new_instance(self) -> Endpoint:
        """Start one that has served nobody, and let it connect."""
        made = settings(**self._environ)
        assert made.shared_cache is not None
        keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], self._site, clock=time.monotonic, sleep=asyncio.sleep)
        shared = create_shared_replies(made, made.shared_cache, self._environ)
        shared._wall_clock = lambda: NOW_S
        self._instances.append(Endpoint(made, keys, self.source, wall_clock=lambda: NOW_S, shared=shared))
        self._instances[-1].start()
        await written(self._instances[-1])
        return self._instances[-1]

    async def sign_in(self, instance: Endpoint, number: int = 0, correlation: int = 0) -> Response:
        """Send one event of a user."""
        event = good_event()
        event["data"]["authenticationContext"]["user"]["id"] = f"77777777-7777-4777-8777-{number + 1:012}"
        event["data"]["authenticationContext"]["correlationId"] = f"55555555-5555-4555-8555-{correlation + 1:012}"
        headers = {"authorization": f"Bearer {good_token(self._site.keys)}", "content-type": "application/json"}
        return await instance.token_issuance_start(headers, json.dumps(event).encode())

    async def aclose(self) -> None:
        """Stop the instances."""
        for instance in self._instances:
            await instance.aclose()


@asynccontextmanager
async def _fleet(port: int) -> AsyncIterator[Fleet]:
    fleet = Fleet(port)
    try:
        yield fleet
    finally:
        await fleet.aclose()


@pytest.fixture(params=["loopback", pytest.param("real", marks=needs_redis)])
async def fleet(request: pytest.FixtureRequest) -> AsyncIterator[Fleet]:
    """Return instances with a cache."""
    if request.param == "real":
        async with running_redis(port := free_port()), _fleet(port) as made:
            yield made
    else:
        async with LoopbackRedis() as server, _fleet(server.port) as made:
            yield made


def _claims(response: Response) -> dict[str, object]:
    assert response.status == 200, response.body
    claims: dict[str, object] = json.loads(response.body)["data"]["actions"][0]["claims"]
    return claims


def _lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "claims.request"]


def _own_ms(line: dict[str, Any]) -> float:
    """Return the time without that for which a busy machine held up the loop."""
    own_ms: float = line["total_ms"] - line.get("loop_stalled_ms", 0)
    return own_ms


async def test_what_one_instance_knew_another_sends(fleet: Fleet, caplog: pytest.LogCaptureFixture) -> None:
    """One that has served nobody, when the data source is down."""
    caplog.set_level(logging.INFO)
    await fleet.sign_in(first := await fleet.new_instance())
    await written(first)
    fleet.source.down = True
    other = await fleet.new_instance()
    response = await fleet.sign_in(other)
    assert (_claims(response), response.headers["x-claims-outcome"]) == ({"a": "1"}, "stale")
    assert (await fleet.sign_in(other, 1)).status == 503
    good, stale, unknown = _lines(caplog)
    assert "shared_cache" not in good["phases"] | good["cache_hits"]
    assert stale["cache_hits"]["shared_cache"] is True
    assert _own_ms(stale) < BUDGET_MS / 2
    assert stale["phases"]["provider"] + stale["phases"]["shared_cache"] <= stale["total_ms"]  # one after the other
    assert unknown["cache_hits"]["shared_cache"] is False


async def test_the_newer_claims_are_sent(fleet: Fleet) -> None:
    """What this instance remembers is older than what another one knows; a withdrawn right stays withdrawn."""
    first, second = await fleet.new_instance(), await fleet.new_instance()
    first._policy._wall_clock = lambda: NOW_S - 10
    await fleet.sign_in(first)
    await written(first)
    fleet.source.claims = {"a": "2"}
    await fleet.sign_in(second)
    await written(second)
    fleet.source.down = True
    assert _claims(await fleet.sign_in(first, correlation=1)) == {"a": "2"}
    first._policy._wall_clock = lambda: NOW_S + 10
    fleet.source.down, fleet.source.claims = False, {"a": "3"}
    await fleet.sign_in(first, correlation=2)  # which the cache does not have, because it is not written at once
    fleet.source.down = True
    assert _claims(await fleet.sign_in(first, correlation=3)) == {"a": "3"}


async def test_a_retry_on_another_instance_finds_what_the_first_found_late(fleet: Fleet) -> None:
    """A source that is always too slow: the first attempt fails, and its work serves the second one elsewhere."""
    first, second = await fleet.new_instance(), await fleet.new_instance()
    for instance in (first, second):
        await fleet.sign_in(instance, 9)
    fleet.source.delays_s = [BUDGET_MS / 1000 + 0.1, 60]
    async with asyncio.timeout(30):
        assert (await fleet.sign_in(first)).status == 503
        response = await fleet.sign_in(second)
    assert (_claims(response), response.headers["x-claims-outcome"]) == ({"a": "1"}, "stale")


async def test_claims_that_come_at_the_last_moment_are_sent() -> None:
    """The cache is asked shortly before the end, and the provider's own answer still counts."""
    async with LoopbackRedis() as server, _fleet(server.port) as fleet:
        instance = await fleet.new_instance()
        await fleet.sign_in(instance, 9)
        fleet.source.delays_s = [BUDGET_MS / 1000 - 0.05]
        response = await fleet.sign_in(instance)
        assert (_claims(response), response.headers["x-claims-outcome"]) == ({"a": "1"}, "claims")
        assert server.commands["GETRANGE"] == 1


async def test_the_good_path_reads_nothing() -> None:
    """However many sign in; an unchanged reply is written once."""
    async with LoopbackRedis() as server, _fleet(server.port) as fleet:
        instance = await fleet.new_instance()
        for number in range(20):
            assert (await fleet.sign_in(instance, correlation=number)).status == 200
        await written(instance)
        assert (server.commands["GETRANGE"], server.commands["SET"]) == (0, 1)


@pytest.mark.parametrize("fault", ["silent", "full", "garbage", "gone", "password"])
async def test_a_broken_cache_is_as_if_it_were_not_there(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """Sign-ins go on in time, this instance's own memory serves ``stale``, and one line says what is wrong."""
    caplog.set_level(logging.INFO)
    server = LoopbackRedis()
    async with server, _fleet(server.port) as fleet:
        instance = await fleet.new_instance()
        assert (await fleet.sign_in(instance)).status == 200
        await written(instance)
        match fault:
            case "silent":
                server.silent = True
            case "full":
                server.error = "OOM command not allowed when used memory > 'maxmemory'."
            case "garbage":
                server.values = dict.fromkeys(server.values, (b'{"key":', time.monotonic() + 60))
            case "gone":
                await server.__aexit__()
            case "password":
                server.password = "changed"
                server.hang_up()
        fleet.source.down = True
        for number in range(3):
            response = await fleet.sign_in(instance, correlation=number + 1)
            assert (response.headers["x-claims-outcome"], _claims(response)) == ("stale", {"a": "1"})
            assert _own_ms(_lines(caplog)[-1]) < BUDGET_MS / 2
        fleet.source.down = False
        assert (await fleet.sign_in(instance, 5)).status == 200
        said = [line["failing"]["shared_cache"] for line in _lines(caplog) if "failing" in line]
        assert len(said) == 1, said


def test_nothing_of_it_is_imported_without_the_setting() -> None:
    """Neither the client nor this project's own modules; with it, the client comes later, in a thread."""
    made = Endpoint.from_env({**ENVIRON, "Claims__OnFailure": "stale", "Claims__SharedCache": "redis://127.0.0.1:1"})
    assert made._shared is not None
    script = (
        "import sys, os; from claims.endpoint import Endpoint; Endpoint.from_env(os.environ);"
        "print(sorted(name for name in sys.modules if name.startswith(('claims.shared_cache', 'redis'))))"
    )
    for changes, found in (({}, False), ({"Claims__SharedCache": "redis://127.0.0.1:1"}, True)):
        environ = {**ENVIRON, "Claims__OnFailure": "stale", **changes, "PYTHONPATH": ":".join(sys.path)}
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)  # noqa: S603 (our own)
        assert ("claims.shared_cache.replies" in done.stdout) is found, done.stdout
        assert "redis" not in done.stdout.replace("claims.shared_cache.redis", "")


def test_without_the_client_the_start_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that is set and never used would be found missing on the day it is needed."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match="needs the Python package 'redis', which is not installed: see docs"):
        Endpoint.from_env({**ENVIRON, "Claims__OnFailure": "stale", "Claims__SharedCache": "redis://127.0.0.1:1"})
