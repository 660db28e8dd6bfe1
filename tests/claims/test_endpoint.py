"""The whole way of a request, without a web host."""

import asyncio
import json
import logging
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import ModuleType
from typing import Any

import pytest

from claims.contract import EVENT_SERVICE_APP_ID
from claims.endpoint import Endpoint, Response
from claims.errors import SettingsError, shorten, show_id
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.token.keys import SigningKeys
from selftest.entra.server import EntraServer
from tests.claims.site import AUDIENCE, ENVIRON, NOW_S, TENANT_ID, Clock, Site, good_event, good_token, settings

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
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
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
    names = re.findall(r"(\w+);dur=[\d.]+", response.headers["server-timing"])
    assert names == ["token", "keys", "body", "reply", "provider", "total"]
    assert response.headers["x-claims-outcome"] == "claims"
    line = _line(caplog)
    assert (line["event"], line["outcome"], line["status"]) == ("onTokenIssuanceStart", "claims", 200)
    assert line["correlationId"] == good_event()["data"]["authenticationContext"]["correlationId"]
    assert (line["budget_ms"], line["cold"], line["cache_hits"]) == (
        100,
        True,
        {"signature": False, "keys": False},
    )
    assert line["dropped_claims"] == ["Noth..."]
    assert line["claims_bytes"] == len("Greetingsecret value")
    assert set(line["phases"]) == {"token", "keys", "body", "provider", "reply"}
    assert "secret value" not in caplog.text
    assert "a@example.com" not in caplog.text


async def test_second_request_is_warm(endpoint: Endpoint, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The first request loads the keys, the next finds them, and a second delivery finds the answer."""
    await _answer(endpoint, _headers(site))
    with caplog.at_level(logging.INFO):
        caplog.clear()
        response = await _answer(endpoint, _headers(site))
    line = _line(caplog)
    assert (line["cold"], line["cache_hits"], line["joined"]) == (False, {"keys": True, "signature": True}, True)
    assert response.headers["x-claims-outcome"] == "joined"


@pytest.mark.parametrize(
    ("changes", "body", "status", "code"),
    [
        ({"authorization": ""}, BODY, 401, "token_missing"),
        ({"authorization": "Bearer x"}, BODY, 401, "token_segments"),
        ({"content-type": "text/plain"}, BODY, 415, "content_type"),
        ({"content-encoding": "gzip"}, BODY, 415, "content_encoding"),
        ({"content-encoding": ""}, BODY, 415, "content_encoding"),
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
    assert ("server-timing" in response.headers) == (status != 401)
    assert ("www-authenticate" in response.headers) == (status == 401)


async def test_challenge_follows_rfc_6750(endpoint: Endpoint) -> None:
    """Without credentials the challenge carries no error code, with bad ones it does."""
    assert (await _answer(endpoint, {})).headers["www-authenticate"] == "Bearer"
    bad = await _answer(endpoint, {"authorization": "Bearer x"})
    assert bad.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_body_of_a_stranger_is_not_read(endpoint: Endpoint, caplog: pytest.LogCaptureFixture) -> None:
    """Header, then token, then body: a bad body behind a bad token is a bad token."""
    assert (await _answer(endpoint, {"authorization": "Bearer x"}, b"{" * 100_000)).status == 401
    assert _line(caplog)["outcome"] == "token_segments"


async def test_without_keys(endpoint: Endpoint, site: Site) -> None:
    """503 while there are no keys, from the endpoint and from its health."""
    site.down = True
    assert (await _answer(endpoint, _headers(site))).status == 503
    health = await endpoint.health({})
    assert (health.status, json.loads(health.body)["status"]) == (503, "unavailable")


async def test_health(endpoint: Endpoint, site: Site) -> None:
    """200 with keys, nothing that names the tenant, and latencies only for a caller who is proved."""
    await _answer(endpoint, _headers(site))
    for headers in ({}, {"authorization": "Bearer x"}):
        health = await endpoint.health(headers)
        assert (health.status, health.body) == (200, b'{"status":"ok"}')
    health = await endpoint.health(_headers(site))
    latency_ms = json.loads(health.body)["latency_ms"]
    assert latency_ms["total"]["requests"] == 1
    assert latency_ms["total"]["p50"] >= latency_ms["provider"]["p50"] > 0


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


@pytest.mark.parametrize(("policy", "outcome"), [("omit", "omitted"), ("stale", "stale")])
async def test_policy_answers_instead(
    policy: str, outcome: str, site: Site, keys: SigningKeys, provider: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    """With another policy than fail claims are sent in spite of a failure, and the line says which failure."""
    endpoint = Endpoint(settings(Claims__OnFailure=policy), keys, provider, wall_clock=lambda: NOW_S)
    await _answer(endpoint, _headers(site))
    caplog.clear()
    provider.script = _unsendable
    again = BODY.replace(b"55555555", b"66666666")
    response = await _answer(endpoint, _headers(site), again)
    claims = json.loads(response.body)["data"]["actions"][0]["claims"]
    assert (response.status, claims) == (200, {} if policy == "omit" else {"Greeting": "secret value"})
    assert response.headers["x-claims-outcome"] == outcome
    line = _line(caplog)
    assert (line["outcome"], line["status"], line["failure"]) == (outcome, 200, "claim_value")
    assert "Cla..." in line["detail"]


async def test_slow_phase_is_a_warning(
    site: Site, keys: SigningKeys, provider: Scripted, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A provider that needs most of the budget is named in a warning, though it answered."""

    async def slow(_event: TokenIssuanceStart) -> Mapping[str, object]:
        clock.now_s += 0.085
        return {}

    endpoint = Endpoint(settings(Claims__BudgetMs="100"), keys, provider, clock=clock, wall_clock=lambda: NOW_S)
    provider.script = slow
    with caplog.at_level(logging.WARNING):
        assert (await _answer(endpoint, _headers(site))).status == 200
    assert _line(caplog)["slow"] == ["provider"]


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
    assert _line(caplog)["outcome"] == "provider_error"
    assert "TypeError at provider_call.py" in _line(caplog)["detail"]


async def test_cancelled_request_is_answered(endpoint: Endpoint, site: Site, provider: Scripted) -> None:
    """No CancelledError leaves the handler: at the Functions host that would mean no response at all."""
    provider.script = _late
    await _answer(endpoint, {})
    task = asyncio.create_task(endpoint.token_issuance_start(_headers(site), BODY))
    await asyncio.sleep(0.02)
    task.cancel()
    assert (await task).status == 503


async def test_from_env_loads_the_keys_at_once_and_the_first_line_carries_the_warnings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Built on a running loop, the endpoint fetches its keys before the first request; against a real server."""
    async with EntraServer() as entra:
        environ = ENVIRON | {
            "AuthenticationEvents__AuthorityUrl": entra.authority_url,
            "Claims__AdditionalCallerAppIds": AUDIENCE,
        }
        endpoint = Endpoint.from_env(environ)
        headers = {"authorization": f"Bearer {entra.mint.callout_token()}", "content-type": "application/json"}
        assert (await _answer(endpoint, headers)).status == 200
        assert _line(caplog)["settings_warnings"] == [
            "Claims__AdditionalCallerAppIds: 1 more callers than Entra are accepted"
        ]
        assert entra.hits["keys_v2"] == 1
        await endpoint.aclose()


class Lifecycle(Scripted):
    """A provider that says when it is started and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def start(self) -> None:
        """Say so; only where a loop runs."""
        asyncio.get_running_loop()
        self.said.append("started")

    async def aclose(self) -> None:
        """Say so."""
        self.said.append("closed")


@pytest.fixture
def lifecycle(monkeypatch: pytest.MonkeyPatch) -> Lifecycle:
    """Give the provider that the name ``lifecycle`` loads."""
    made = Lifecycle()
    module = ModuleType("lifecycle")
    monkeypatch.setattr(module, "create", lambda _environ: made, raising=False)
    monkeypatch.setitem(sys.modules, "claims.providers.lifecycle", module)
    return made


async def test_provider_starts_and_closes_with_the_endpoint(lifecycle: Lifecycle) -> None:
    """start() on the running loop when the app starts, aclose() at the end, each once."""
    endpoint = Endpoint.from_env({**ENVIRON, "Claims__Provider": "lifecycle"})
    assert lifecycle.said == ["started"]
    await endpoint.aclose()
    assert lifecycle.said == ["started", "closed"]


def test_from_env_without_a_loop(lifecycle: Lifecycle) -> None:
    """Built before any loop runs, it waits for the first request."""
    Endpoint.from_env({**ENVIRON, "Claims__Provider": "lifecycle"})
    assert lifecycle.said == []


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"Claims__Provider": "graph"}, {"AuthenticationEvents__AuthorityUrl", "Claims__Graph__Attributes"}),
        ({"Claims__Provider": "sample"}, {"AuthenticationEvents__AuthorityUrl"}),
        ({"Claims__Provider": "../etc"}, {"AuthenticationEvents__AuthorityUrl", "Claims__Provider"}),
    ],
)
def test_settings_of_endpoint_and_provider_are_told_wrong_together(environ: dict[str, str], names: set[str]) -> None:
    """One start tells every setting at fault, also those of the provider."""
    with pytest.raises(SettingsError) as failed:
        Endpoint.from_env({"AuthenticationEvents__AudienceAppId": AUDIENCE, **environ})
    assert {problem.split()[0] for problem in failed.value.problems} == names


async def test_provider_measures_into_the_line(
    endpoint: Endpoint,
    site: Site,
    provider: Scripted,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a provider measures, and whether its caches had it, is in the line."""

    async def provide(event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        del event
        with context.phase("downstream_token"), context.phase("downstream_call"):
            context.cache_hit("downstream_token", True)  # noqa: FBT003 (the two values of one line)
        return {}

    monkeypatch.setattr(provider, "provide", provide)
    with caplog.at_level(logging.INFO):
        assert (await _answer(endpoint, _headers(site))).status == 200
    assert {"downstream_token", "downstream_call"} <= _line(caplog)["phases"].keys()
    assert _line(caplog)["cache_hits"] == {
        "signature": False,
        "keys": False,
        "downstream_token": True,
    }


def test_shorten_shows_little() -> None:
    """Enough to recognize, too little to use."""
    assert shorten(EVENT_SERVICE_APP_ID) == "'99045fe1...'"
    assert shorten("é" * 9) == "'" + "\\xe9" * 8 + "...'"
    assert shorten("short") == "a short string"
    assert shorten(None) == "nothing"
    assert shorten([1]) == "a value of type list"


def test_show_id_shows_what_a_setting_should_be() -> None:
    """A client id that is not the configured one is written out; a value without end is not."""
    assert show_id(EVENT_SERVICE_APP_ID) == f"'{EVENT_SERVICE_APP_ID}'"
    assert show_id("x" * 300) == "'" + "x" * 100 + "'"
    assert show_id(["a"]) == "a value of type list"
