"""Answers that are not Graph's are refused with messages that can be shown."""

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from selftest.tenant.graph.answer import MAX_ANSWER_BYTES
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.errors import (
    AnswerUnusable,
    RequestRefused,
)
from selftest.tenant.graph.unsigned_tokens import FixedCredential
from tests.selftest.tenant.graph.connected_client import answering


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"<h1>It works!</h1>", "not strict JSON"),
        (b"", "is empty"),
        (b"[]", "not a JSON object"),
        (b'{"value":[],"value":[]}', "not strict JSON"),
        (b'{"value":[NaN]}', "not strict JSON"),
        (b'{"value":"\xff"}', "not strict JSON"),
        (b"[" * 100_000, "not strict JSON"),
        (b'{"value":{}}', "not a list of objects"),
        (b'{"value":[1]}', "not a list of objects"),
        (b'{"value":[],"@odata.nextLink":"https://evil.example/v1.0/applications"}', "leads to another host"),
        (b'{"value":[],"@odata.nextLink":"//evil.example/"}', "leads to another host"),
        (b'{"value":[],"@odata.nextLink":"/v1.0/applications"}', "leads to another host"),
        (b'{"value":[],"@odata.nextLink":"http://["}', "leads to another host"),
        (b'{"value":[],"@odata.nextLink":17}', "leads to another host"),
        (b'{"value":["' + b"x" * MAX_ANSWER_BYTES + b'"]}', "longer than"),
    ],
)
async def test_answers_that_are_not_graph_s(body: bytes, says: str) -> None:
    """No JSON, ambiguous JSON, no list, a link to another host, and an endless answer."""
    async with answering(body) as client:
        with pytest.raises(AnswerUnusable, match=says):
            await client.list_all("/applications")


async def test_redirects_are_not_followed() -> None:
    """A redirect would send the token along."""
    async with answering(b"", 302, {"Location": "http://127.0.0.1:9/"}) as client:
        with pytest.raises(AnswerUnusable, match="redirect"):
            await client.get("/organization")


async def test_a_list_that_goes_in_circles() -> None:
    """A link to the page itself, and a list that does not end."""

    async def handle(request: web.Request) -> web.Response:
        here = f"{request.url.origin()}{request.path}"
        number = int(request.query.get("n", "0")) + (0 if "circle" in request.path else 1)
        return web.json_response({"value": [], "@odata.nextLink": f"{here}?n={number}"})

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    async with TestServer(app, host="127.0.0.1") as server:
        base_url = str(server.make_url("")).rstrip("/")
        async with GraphClient(FixedCredential(lambda: "x"), base_url=base_url) as client:
            for path in ("/circle", "/endless"):
                with pytest.raises(AnswerUnusable, match="pages"):
                    await client.list_all(path, max_pages=3)


async def test_errors_can_be_shown() -> None:
    """A message has one line, without a token, a name of a user or a server's page."""
    error = {"code": "x", "message": "The user jane.doe@contoso.example\nhas eyJhbGciOi.eyJzdWIi.c2ln " + "x" * 999}
    async with answering(json.dumps({"error": error}).encode(), 400) as client:
        with pytest.raises(RequestRefused) as caught:
            await client.get("/organization")
        shown = f"{caught.value} {caught.value!r}"
        assert "The user (a name) has (a token)" in shown
        assert not {"jane", "eyJ", "secret-token", "\n"} & {
            word for word in ("jane", "eyJ", "secret-token", "\n") if word in shown
        }
        assert len(str(caught.value)) < 500
    async with answering(b"<html>jane@contoso.example</html>", 400) as client:
        with pytest.raises(RequestRefused) as caught:
            await client.get("/organization")
        assert "jane" not in str(caught.value)
