"""The front changes what its habit says and nothing else."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web

from selftest.base.serve import serve
from tests.foreign.front import HABITS, front


async def _endpoint(request: web.Request) -> web.Response:
    if "Authorization" not in request.headers:
        return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    return web.json_response({"length": len(await request.read())}, status=200 if request.can_read_body else 400)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Return an endpoint that answers 401 without a token and 400 without a body."""
    app = web.Application()
    app.router.add_post("/api/event", _endpoint)
    runner, port = await serve(app, 0)
    yield f"http://127.0.0.1:{port}/api/event"
    await runner.cleanup()


@pytest.mark.parametrize("name", HABITS)
async def test_front_passes_the_good_call_on(url: str, name: str) -> None:
    """The answer to a good call has the endpoint's content, and a front changes refusals as it says."""
    habit = HABITS[name]
    async with front(url, habit) as front_url, aiohttp.ClientSession() as session:
        assert (urlsplit(front_url).query != "") == habit.key
        async with session.post(front_url, data="{}", headers={"Authorization": "Bearer x"}) as response:
            assert await response.json() == {"length": 2}
            assert (response.version == aiohttp.HttpVersion10) == habit.old
            assert ("Content-Length" in response.headers) == (not habit.chunked)
        async with session.post(front_url, data="{}") as response:
            assert response.status == habit.statuses.get(401, 401)
            assert ("WWW-Authenticate" in response.headers) == (not habit.drops_challenge)
        async with session.post(front_url, headers={"Authorization": "Bearer x"}) as response:
            assert response.status == habit.statuses.get(400, 400)


async def test_front_requires_its_key_and_its_path(url: str) -> None:
    """A call without the key, or outside the prefix, does not reach the endpoint."""
    async with front(url, HABITS["all-at-once"]) as front_url, aiohttp.ClientSession() as session:
        async with session.post(front_url.split("?")[0]) as response:
            assert response.status == 401
        async with session.post(front_url.replace("/claims/v1", "")) as response:
            assert response.status == 404


async def test_front_says_that_the_endpoint_is_gone(url: str) -> None:
    """Without the endpoint the answer is 502."""
    port = urlsplit(url).port
    async with (
        front(url.replace(str(port), "1"), HABITS["prefix"]) as front_url,
        aiohttp.ClientSession() as session,
        session.post(front_url) as response,
    ):
        assert response.status == 502
