"""The whole way of a request, without a web host."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from claims.contract import EVENT_SERVICE_APP_ID
from claims.endpoint import Endpoint, Response
from claims.errors import shorten
from claims.event import TokenIssuanceStart
from claims.keys import SigningKeys
from claims.provider import ProviderContext
from selftest.entra.server import EntraServer
from tests.claims.site import AUDIENCE, ENVIRON, NOW_S, TENANT_ID, Site, good_event, good_token, settings

type Provide = Callable[[TokenIssuanceStart], Awaitable[Mapping[str, object]]]


class Scripted:
    """A provider that does what a test says, and counts."""

    def __init__(self) -> None:
        self.calls = 0
        self.script: Provide | None = None

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Follow the script, or answer with one claim."""
        self.calls += 1
        assert context.remaining_s() > 0
        return await self.script(event) if self.script else {"Greeting": "secret value", "Nothing": None}


@pytest.fixture
def provider() -> Scripted:
    """Give a provider to script."""
    return Scripted()


@pytest.fixture
async def endpoint(keys: SigningKeys, provider: Scripted) -> AsyncIterator[Endpoint]:
    """Give an endpoint with a short budget."""
    made = Endpoint(settings(Claims__BudgetMs="100"), keys, provider, wall_clock=lambda: NOW_S)
    yield made
    await made.aclose()


def _headers(site: Site, **changes: str) -> dict[str, str]:
    return {"authorization": f"Bearer {good_token(site.keys)}", "content-type": "application/json", **changes}


BODY = json.dumps(good_event()).encode()


async def _answer(endpoint: Endpoint, headers: Mapping[str, str], body: bytes = BODY) -> Response:
    response = await endpoint.token_issuance_start(headers, body)
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    return response


def _line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    lines = [record.getMessage() for record in caplog.records if record.name == "claims.request"]
    assert len(lines) == 1, "one line a request"
    line = json.loads(lines[0])
    assert isinstance(line, dict)
    return line


async def test_answers_with_claims(endpoint: Endpoint, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """200, the reply, the phases for the caller, and one line for the log."""
    with caplog.at_level(logging.INFO):
        response = await _answer(endpoint, _headers(site))
    assert response.status == 200
    assert json.loads(response.body)["data"]["actions"][0]["claims"] == {"Greeting": "secret value"}
    names = re.findall(r"(\w+);dur=[\d.]+", response.headers["Server-Timing"])
    assert names == ["token", "keys", "body", "provider", "reply", "total"]
    line = _line(caplog)
    assert (line["event"], line["outcome"], line["status"]) == ("onTokenIssuanceStart", "claims", 200)
    assert line["correlationId"] == good_event()["data"]["authenticationContext"]["correlationId"]
    assert (line["budget_ms"], line["cold"], line["cache_hits"]) == (100, True, {"keys": False})
    assert line["dropped_claims"] == ["Nothing"]
    assert line["claims_bytes"] == len("Greetingsecret value")
    assert set(line["phases"]) == {"token", "keys", "body", "provider", "reply"}
    assert "secret value" not in caplog.text
    assert "a@example.com" not in caplog.text


async def test_second_request_is_warm(endpoint: Endpoint, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The first request loads the keys, the next finds them."""
    await _answer(endpoint, _headers(site))
    with caplog.at_level(logging.INFO):
        caplog.clear()
        await _answer(endpoint, _headers(site))
    assert (_line(caplog)["cold"], _line(caplog)["cache_hits"]) == (False, {"keys": True})


@pytest.mark.parametrize(
    ("changes", "body", "status", "code"),
    [
        ({"authorization": ""}, BODY, 401, "token_missing"),
        ({"authorization": "Bearer x"}, BODY, 401, "token_segments"),
        ({"content-type": "text/plain"}, BODY, 415, "content_type"),
        ({"content-encoding": "gzip"}, BODY, 415, "content_encoding"),
        ({}, b"{", 400, "body_json"),
        ({}, b" " * 70_000, 413, "body_too_large"),
        ({}, BODY.replace(TENANT_ID.encode(), b"99999999-9999-4999-8999-999999999999"), 403, "event_tenant"),
    ],
)
async def test_refuses_in_constant_words(
    changes: dict[str, str],
    body: bytes,
    status: int,
    code: str,
    endpoint: Endpoint,
    site: Site,
    provider: Scripted,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The caller learns the status and no more; the log learns the rule; the provider is not asked."""
    response = await _answer(endpoint, _headers(site, **changes), body)
    assert response.status == status
    assert set(json.loads(response.body)["error"]) == {"code", "message"}
    assert code not in response.body.decode()
    assert _line(caplog)["outcome"] == code
    assert provider.calls == 0
    assert ("Server-Timing" in response.headers) == (status != 401)
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


async def test_challenge_follows_rfc_6750(endpoint: Endpoint) -> None:
    """Without credentials the challenge carries no error code, with bad ones it does."""
    assert (await _answer(endpoint, {})).headers["WWW-Authenticate"] == "Bearer"
    bad = await _answer(endpoint, {"authorization": "Bearer x"})
    assert bad.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


async def test_body_of_a_stranger_is_not_read(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    """Header, then token, then body: a bad body behind a bad token is a bad token."""
    assert (await _answer(endpoint, {"authorization": "Bearer x"}, b"{" * 100_000)).status == 401
    assert _line(caplog)["outcome"] == "token_segments"


async def test_without_keys(endpoint: Endpoint, site: Site) -> None:
    """503 while there are no keys, from the endpoint and from its health."""
    site.down = True
    assert (await _answer(endpoint, _headers(site))).status == 503
    health = await endpoint.health()
    assert (health.status, json.loads(health.body)["status"]) == (503, "unavailable")


async def test_health(endpoint: Endpoint, site: Site) -> None:
    """200 with keys, and nothing in it that names the tenant."""
    await _answer(endpoint, _headers(site))
    health = await endpoint.health()
    assert (health.status, health.body) == (200, b'{"status":"ok"}')


async def _late(_event: TokenIssuanceStart) -> Mapping[str, object]:
    await asyncio.sleep(30)
    return {}


async def _cancelled(_event: TokenIssuanceStart) -> Mapping[str, object]:
    raise asyncio.CancelledError


async def _broken(event: TokenIssuanceStart) -> Mapping[str, object]:
    raise LookupError(event.context.user)


async def _unsendable(_event: TokenIssuanceStart) -> Mapping[str, object]:
    return {"Claim": object()}


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (_late, "provider_late"),
        (_cancelled, "provider_cancelled"),
        (_broken, "provider_error"),
        (_unsendable, "claim_value"),
    ],
)
async def test_provider_that_fails(
    script: Provide, code: str, endpoint: Endpoint, site: Site, provider: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a provider does, the answer is 503 in constant words, and nothing it held leaks."""
    provider.script = script
    response = await _answer(endpoint, _headers(site))
    assert response.status == 503
    assert _line(caplog)["outcome"] == code
    assert "a@example.com" not in caplog.text


async def test_provider_that_is_no_coroutine(
    endpoint: Endpoint,
    site: Site,
    provider: Scripted,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A plain function where a coroutine belongs is answered like any failure, and the log says what it was."""
    monkeypatch.setattr(provider, "provide", lambda event, context: {})  # noqa: ARG005 (the protocol's names)
    assert (await _answer(endpoint, _headers(site))).status == 503
    assert (_line(caplog)["outcome"], _line(caplog)["detail"]) == ("unexpected", "TypeError")


async def test_cancelled_request_is_answered(endpoint: Endpoint, site: Site, provider: Scripted) -> None:
    """No CancelledError leaves the handler: at the Functions host that would mean no response at all."""
    provider.script = _late
    await _answer(endpoint, {})
    task = asyncio.create_task(endpoint.token_issuance_start(_headers(site), BODY))
    await asyncio.sleep(0.02)
    task.cancel()
    assert (await task).status == 503


async def test_from_env_loads_the_keys_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """Built on a running loop, the endpoint fetches its keys before the first request; against a real server."""
    async with EntraServer() as entra:
        environ = ENVIRON | {
            "AuthenticationEvents__AuthorityUrl": entra.authority_url,
            "Claims__AdditionalCallerAppIds": AUDIENCE,
        }
        endpoint = Endpoint.from_env(environ)
        assert "more callers" in caplog.text
        headers = {"authorization": f"Bearer {entra.mint.callout_token()}", "content-type": "application/json"}
        assert (await _answer(endpoint, headers)).status == 200
        assert entra.hits["keys_v2"] == 1
        await endpoint.aclose()


def test_from_env_without_a_loop() -> None:
    """Built before any loop runs, it waits for the first request."""
    Endpoint.from_env(ENVIRON)


def test_shorten_shows_little() -> None:
    """Enough to recognise, too little to use."""
    assert shorten(EVENT_SERVICE_APP_ID) == "'99045fe1…'"
    assert shorten("é" * 9) == "'" + "\\xe9" * 8 + "…'"
    assert shorten("short") == "a short string"
    assert shorten(None) == "nothing"
    assert shorten([1]) == "a value of type list"
