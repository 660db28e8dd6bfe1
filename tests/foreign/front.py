"""A front as real endpoints have: a gateway that changes statuses, headers, paths and framing, never the content.

To Entra all of this is the same: 200 with a reply, or a refusal. A verdict must not depend on it.
"""

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from aiohttp.http import HttpVersion10
from multidict import CIMultiDict

from selftest.base.serve import HOST, serve

FUNCTION_KEY: Final = "a-key-of-the-host"
_OF_ONE_CONNECTION: Final = {
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "transfer-encoding",
    "date",
    "server",
}
_BAD_BODY: Final = {400, 413, 415, 422}
_LARGEST_BODY: Final = 2**28


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What a front does to a call and its answer.

    Attributes:
        drops_challenge: Whether ``WWW-Authenticate`` is left out.
        statuses: What is sent instead of a status.
        key: Whether the key of a function host is required in ``?code=``.
        prefix: The path below which the endpoint is.
        chunked: Whether answers are sent in chunks, without their length.
        old: Whether answers are HTTP/1.0, each on a connection of its own.
    """

    drops_challenge: bool = False
    statuses: Mapping[int, int]
    key: bool = False
    prefix: str = ""
    chunked: bool = False
    old: bool = False


def _bad_body(status: int) -> Habit:
    return Habit(statuses=dict.fromkeys(_BAD_BODY, status))


HABITS: Final[Mapping[str, Habit]] = {
    "no-challenge": Habit(drops_challenge=True, statuses={}),
    "403-for-401": Habit(drops_challenge=True, statuses={401: 403}),
    "400-for-bad-bodies": _bad_body(400),
    "422-for-bad-bodies": _bad_body(422),
    "500-for-bad-bodies": _bad_body(500),
    "function-key": Habit(key=True, statuses={}),
    "prefix": Habit(prefix="/claims/v1", statuses={}),
    "chunked": Habit(chunked=True, statuses={}),
    "http-1.0": Habit(old=True, statuses={}),
    "all-at-once": Habit(
        drops_challenge=True,
        statuses={401: 403, **dict.fromkeys(_BAD_BODY, 500)},
        key=True,
        prefix="/claims/v1",
        chunked=True,
    ),
}


@asynccontextmanager
async def front(url: str, habit: Habit) -> AsyncIterator[str]:
    """Serve an endpoint behind a front, and return the URL to call."""
    timeout = aiohttp.ClientTimeout(total=30)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector, auto_decompress=False) as session:
        origin = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"

        async def handle(request: web.Request) -> web.StreamResponse:
            return await _handle(request, origin, habit, session)

        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", handle)
        runner, port = await serve(app, 0)
        try:
            query = f"?code={FUNCTION_KEY}" if habit.key else ""
            yield f"http://{HOST}:{port}{habit.prefix}{urlsplit(url).path}{query}"
        finally:
            await runner.cleanup()


async def _handle(
    request: web.Request, origin: str, habit: Habit, session: aiohttp.ClientSession
) -> web.StreamResponse:
    if not request.path.startswith(habit.prefix + "/"):
        return web.Response(status=404)
    if habit.key and request.query.get("code") != FUNCTION_KEY:
        return web.Response(status=401)
    target = origin + request.path.removeprefix(habit.prefix)
    try:
        async with session.request(
            request.method,
            target,
            data=io.BytesIO(await request.read()),
            headers=_kept(request.headers),
            allow_redirects=False,
        ) as answer:
            headers, status, body = _kept(answer.headers), answer.status, await answer.read()
    except aiohttp.ClientError:
        return web.Response(status=502)
    if habit.drops_challenge:
        headers.popall("WWW-Authenticate", None)
    response = web.Response(status=habit.statuses.get(status, status), headers=headers, body=body)
    if habit.chunked:
        response.enable_chunked_encoding()
    if habit.old:
        request._version = HttpVersion10  # aiohttp answers in the version of the request
        response.force_close()
    return response


def _kept(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _OF_ONE_CONNECTION)
