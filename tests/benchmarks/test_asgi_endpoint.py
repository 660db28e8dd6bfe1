"""The endpoint behind a second real web host, uvicorn: the same answers, and no body held that is too large."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from benchmarks.servers import OURS_ASGI, serving
from selftest.base.endpoint_url import CALLOUT_PATH, HEALTH_PATH
from selftest.checks import REGISTRY
from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest, RawResponse, send_withholding
from selftest.checks.runner import run_checks
from selftest.entra.server import EntraServer
from selftest.load.memory import PeakGrowth
from selftest.play.caller import caller_session
from selftest.play.target import endpoint_settings
from selftest.report.results import CheckResult

LIMIT_BYTES = 64 * 1024
#: What an endpoint at a web host of any kind can meet: no log of the app, no downstream, no load, no malformed keys.
CHECKS = [
    check for check in REGISTRY.values() if check.needs <= {"token", "issuer"} and check.stage != "malformed-keys"
]

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(bool(OURS_ASGI.missing()), reason="uvicorn is not installed: make .venv"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="env")
async def served_by_uvicorn() -> AsyncIterator[CheckEnvironment]:
    """Serve the endpoint by uvicorn in a process of its own."""
    async with EntraServer() as entra, caller_session() as session:
        entra.publish_well_formed()
        entra.publish_spare()
        async with serving(OURS_ASGI, endpoint_settings(entra)) as served:
            base = f"http://127.0.0.1:{served.port}"
            yield CheckEnvironment(
                url=base + CALLOUT_PATH,
                health_url=base + HEALTH_PATH,
                session=session,
                tenant=entra.tenant,
                entra=entra,
                peak_growth=lambda: PeakGrowth(served.pid),
            )


async def outcome(check_id: str, env: CheckEnvironment) -> CheckResult:
    """Run one check."""
    (result,) = [result async for result in run_checks([REGISTRY[check_id]], env)]
    return result


async def test_every_check_holds(env: CheckEnvironment) -> None:
    """What is true of the endpoint in Microsoft's worker library is true of it here."""
    results = [result async for result in run_checks(CHECKS, env)]
    assert len(results) > 200
    assert not [(result.id, result.status, result.actual) for result in results if result.status != "pass"]


async def test_large_body_is_the_endpoint_s_own_413(env: CheckEnvironment) -> None:
    """By its announced length, of which nothing need be sent, and by count; in the form of all its errors."""
    padded = env.event() | {"padding": "x" * LIMIT_BYTES}
    large = env.good_request(padded)
    endless = await _chunked(env, large, ends=False)
    for answer in (await env.send(large), await _withheld(env, large), await _chunked(env, large), endless):
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (413, "content_too_large")
        assert answer.header("Cache-Control") == "no-store"


async def test_stranger_is_refused_before_the_body(env: CheckEnvironment) -> None:
    """Without a token it is 401 whatever the size, and the rest of the body is not waited for."""
    large = env.request().with_body(bytes(100 * 1024 * 1024))
    endless = await _chunked(env, env.request().with_body(bytes(2 * LIMIT_BYTES)), ends=False)
    for answer in (await _withheld(env, large), endless):
        assert answer.status == 401


async def test_body_of_the_limit_is_read(env: CheckEnvironment) -> None:
    """The last byte that is allowed arrives, announced and in chunks."""
    event = env.event()
    room = LIMIT_BYTES - len(json.dumps({**event, "padding": ""}))
    request = env.good_request(json.dumps({**event, "padding": "x" * room}).encode())
    assert len(request.body) == LIMIT_BYTES
    assert (await env.send(request)).status == 200
    assert (await _chunked(env, request)).status == 200


async def test_bodies_of_strangers_are_not_held(env: CheckEnvironment) -> None:
    """64 MiB at once leave no trace in the process."""
    result = await outcome("B84", env)
    assert (result.status, "MiB held" in result.actual) == ("pass", True), result.actual


async def _withheld(env: CheckEnvironment, request: RawRequest) -> RawResponse:
    """Announce the whole body, send one byte of it, and take the answer."""
    withheld_bytes = len(request.body) - 1
    return await send_withholding(env.session, request, withheld_bytes=withheld_bytes, until=asyncio.Event().wait)


async def _chunked(env: CheckEnvironment, request: RawRequest, *, ends: bool = True) -> RawResponse:
    """Send the body without a length, and without an end where it is not to have one."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(request.body), 10_000):
            yield request.body[start : start + 10_000]
        if not ends:
            await asyncio.Event().wait()

    async with (
        asyncio.timeout(20),
        env.session.post(request.url, data=pieces(), headers=dict(request.headers)) as got,
    ):
        answer = RawResponse(
            request=request, status=got.status, headers=tuple(got.headers.items()), body=await got.read()
        )
        got.close()
        return answer
