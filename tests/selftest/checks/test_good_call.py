"""The good call: each way in which an endpoint refuses it is named with its own way on, and one version suffices."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import aiohttp
import jwt
import pytest
from aiohttp import web

from selftest.base.endpoint_url import CALLOUT_PATH, health_url
from selftest.checks.bench import environment
from selftest.checks.bench.environment import CheckEnvironment, GoodCallRefusal
from selftest.checks.bench.probe import send
from selftest.checks.good_call import make_good_call
from selftest.entra.server import EntraServer

type Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def endpoint(entra: EntraServer, handler: Handler) -> AsyncIterator[CheckEnvironment]:
    """Serve a handler as an endpoint of somebody else."""
    app = web.Application()
    app.router.add_post(CALLOUT_PATH, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}{CALLOUT_PATH}"
        async with aiohttp.ClientSession() as session:
            yield CheckEnvironment(
                url=url, health_url=health_url(url), session=session, tenant=entra.tenant, entra=entra
            )
    finally:
        await runner.cleanup()


def answers(entra: EntraServer, status: int, *, metadata: bool = False, keys: bool = False, **headers: str) -> Handler:
    """Return a handler that fetches these documents and answers with this status and these headers."""

    async def answer(_: web.Request) -> web.Response:
        async with aiohttp.ClientSession() as session:
            for wanted, path in ((metadata, "v2.0/.well-known/openid-configuration"), (keys, "discovery/v2.0/keys")):
                if wanted:
                    async with session.get(f"{entra.authority_url}/{path}") as response:
                        assert response.status == 200
        return web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


async def refused(make: Callable[[EntraServer], Handler]) -> GoodCallRefusal:
    """Return the reading of a refused good call."""
    async with EntraServer() as entra, endpoint(entra, make(entra)) as env:
        refusal = (await make_good_call(env)).refusal
    assert refusal is not None
    assert "Bearer $TOKEN" in refusal.curl
    return refusal


@pytest.mark.parametrize(
    ("status", "how", "says", "fix"),
    [
        (307, {"Location": "https://a.example/x"}, "HTTP 307 to https://a.example/x", "UseHttpsRedirection"),
        (302, {}, "HTTP 302 to nowhere", "final address"),
        (404, {}, "HTTP 404: no endpoint answers POST at this path", "whole path"),
        (405, {}, "HTTP 405: no endpoint answers POST at this path", "whole path"),
        (501, {}, "HTTP 501: no endpoint answers POST at this path", "whole path"),
        (500, {}, "HTTP 500, and the endpoint never asked for metadata", "RequireHttpsMetadata"),
        (503, {"metadata": True}, "HTTP 503: the endpoint itself failed", "own log"),
        (401, {}, "asked neither for metadata nor for keys", "authority that `entra` prints"),
        (401, {"metadata": True}, "read the metadata and no keys", "insists on https"),
        (401, {"metadata": True, "keys": True}, "HTTP 401 after the endpoint read the keys", "audience, issuer"),
        (403, {"keys": True}, "HTTP 403 after the endpoint read the keys", "caller"),
    ],
)
async def test_a_refusal_is_read(status: int, how: dict[str, str | bool], says: str, fix: str) -> None:
    """What happened and what to do follow from the status and from what the endpoint fetched."""
    refusal = await refused(lambda entra: answers(entra, status, **how))  # type: ignore[arg-type] # the parameters
    assert says in refusal.reason
    assert fix in refusal.fix


async def test_what_the_endpoint_says_itself_is_shown() -> None:
    """The challenge's error_description, without a token in it and without anything that a terminal obeys."""
    challenge = (
        'Bearer error="invalid_token", error_description="The audience is invalid \u202e eyJhbGciOiJub25lIn0.x.y"'
    )
    headers = {"WWW_Authenticate": challenge}
    refusal = await refused(lambda entra: answers(entra, 401, metadata=True, keys=True, **headers))
    assert (
        '; its WWW-Authenticate header says Bearer error="invalid_token", error_description="The audience is invalid'
        in refusal.reason
    )
    assert "$TOKEN" in refusal.reason
    assert "\u202e" not in refusal.reason
    assert "eyJ" not in refusal.reason


async def test_no_answer_in_time_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what Entra would log, and not a refusal."""
    monkeypatch.setattr(environment, "send", partial(send, timeout_ms=50))

    def slow(_: EntraServer) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            await request.read()
            await asyncio.Event().wait()
            return web.Response()

        return answer

    refusal = await refused(slow)
    assert "1003005" in refusal.reason
    assert "limit its time" in refusal.fix


def of_version(version: str) -> Handler:
    """Return a handler that takes tokens of one version."""

    async def answer(request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        claims = jwt.decode(token, options={"verify_signature": False})
        return web.Response(status=200 if claims["ver"] == version else 401)

    return answer


@pytest.mark.parametrize("version", ["1.0", "2.0"])
async def test_one_version_of_the_token_suffices(version: str) -> None:
    """It is found out, and the checks send that one."""
    async with EntraServer() as entra, endpoint(entra, of_version(version)) as env:
        found = await make_good_call(env)
    assert (found.refusal, found.version) == (None, version)


@pytest.mark.parametrize(("status", "is_refused"), [(200, False), (401, True)])
async def test_a_deployed_endpoint_is_asked_with_the_real_token(status: int, *, is_refused: bool) -> None:
    """The emulated Entra has nothing to do with it; the way on is to compare the token."""
    async with EntraServer() as entra, endpoint(entra, answers(entra, status)) as env:
        found = await make_good_call(replace(env, trusted=False, real_token="a.b.c"))
    assert (found.refusal is not None) is is_refused
    if found.refusal is not None:
        assert (found.refusal.reason, "`token`" in found.refusal.fix) == (f"HTTP {status}", True)


async def test_without_a_token_no_call_is_made() -> None:
    """An endpoint that trusts another Entra is attacked all the same."""
    async with EntraServer() as entra, endpoint(entra, answers(entra, 401)) as env:
        deployed = replace(env, trusted=False)
        assert await make_good_call(deployed) == deployed


async def test_a_path_without_an_endpoint_is_not_a_matter_of_the_real_token() -> None:
    """What is wrong is the address, and a token that is there already is not asked for."""
    async with EntraServer() as entra, endpoint(entra, answers(entra, 404)) as env:
        found = await make_good_call(replace(env, trusted=False, real_token="a.b.c"))
    assert found.refusal is not None
    assert "whole path" in found.refusal.fix
    assert "--token-file" not in found.refusal.fix
