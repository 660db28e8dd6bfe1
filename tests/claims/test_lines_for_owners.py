"""What an owner must know is in the line of a request: Azure drops what is logged at any other time."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from claims.endpoint import Endpoint
from claims.errors import ProviderFailed
from claims.provider import ProviderContext
from claims.token.keys import SigningKeys
from tests.claims.site import NOW_S, Clock, Site, good_event, good_token, settings, settle

BODY = json.dumps(good_event()).encode()

type MakeEndpoint = Callable[..., Awaitable[Endpoint]]


class Scripted:
    """A provider that notes, fails or hangs."""

    error: Exception | None = None
    noted: str | None = None
    hang: asyncio.Event | None = None

    async def provide(self, _event: object, context: ProviderContext) -> dict[str, object]:
        """Do what the test says."""
        if self.noted:
            context.note_failing("downstream_token", self.noted)
        if self.error:
            raise self.error
        if self.hang is not None:
            await self.hang.wait()
        return {"Greeting": "hello"}


@pytest.fixture
def provider() -> Scripted:
    """Return a provider to script."""
    return Scripted()


@pytest.fixture
async def make(keys: SigningKeys, provider: Scripted, clock: Clock) -> AsyncIterator[MakeEndpoint]:
    """Return the function that makes the endpoint."""
    made: list[Endpoint] = []

    async def make(environ: dict[str, str] | None = None, **options: Any) -> Endpoint:
        chosen = settings(**(environ or {}))
        made.append(Endpoint(chosen, keys, provider, clock=clock, wall_clock=lambda: NOW_S, **options))
        made[-1].start()
        await settle()
        return made[-1]

    yield make
    for endpoint in made:
        await endpoint.aclose()


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the lines so far, and forget them."""
    found = [json.loads(record.getMessage()) for record in caplog.records if record.name == "claims.request"]
    caplog.clear()
    return found


def signed(site: Site) -> dict[str, str]:
    """Return the headers of a good request."""
    return {"authorization": f"Bearer {good_token(site.keys)}", "content-type": "application/json"}


async def test_health_says_once_a_minute_why_it_is_503(
    make: MakeEndpoint, site: Site, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason, then how many answers had no line; nothing while it is well."""
    site.down = True
    endpoint = await make()
    for _ in range(3):
        assert (await endpoint.health({})).status == 503
    (line,) = lines(caplog)
    assert line == {"event": "health", "outcome": "keys_not_loaded", "status": 503, "detail": "FetchError: status 503"}
    await clock.tick(60)
    assert (await endpoint.health({})).status == 503
    (line,) = lines(caplog)
    assert line["not_written"] == 2
    site.down = False
    await clock.tick(60)
    assert (await endpoint.health({})).status == 200
    assert lines(caplog) == []


async def test_settings_warn_in_the_first_line_also_of_health(
    make: MakeEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the first invocation is and answers, it has a line."""
    odd = {"Claims__AdditionalCallerAppIds": "33333333-3333-4333-8333-333333333333"}
    endpoint = await make(odd)
    for _ in range(2):
        assert (await endpoint.health({})).status == 200
    (line,) = lines(caplog)
    assert line["outcome"] == "ok"
    assert "more callers" in line["settings_warnings"][0]


@pytest.mark.parametrize("extension_id", [None, "99999999-9999-4999-8999-999999999999"])
async def test_members_that_entra_has_added_are_named_once(
    make: MakeEndpoint, site: Site, caplog: pytest.LogCaptureFixture, extension_id: str | None
) -> None:
    """Their names without their values, whatever the request is answered, and only for an authenticated caller."""
    endpoint = await make()
    event = good_event()
    event["data"]["authenticationContext"]["user"]["country"] = "a secret value"
    if extension_id is not None:
        event["data"]["tenantId"] = extension_id
    body = json.dumps(event).encode()
    await endpoint.token_issuance_start({"content-type": "application/json"}, body)
    for _ in range(2):
        await endpoint.token_issuance_start(signed(site), body)
    stranger, first, second = lines(caplog)
    assert "unknown_members" not in stranger | second
    assert first["unknown_members"] == "data.authenticationContext.user.country"
    assert "secret value" not in json.dumps(first)


async def test_last_token_failure_is_in_healths_line(
    make: MakeEndpoint, site: Site, clock: Clock, provider: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    """Until claims are sent again."""
    provider.error = ProviderFailed("downstream_token_unavailable", "client-secret: status 401 AADSTS7000215")
    endpoint = await make()
    await endpoint.token_issuance_start(signed(site), BODY)
    site.down = True
    await clock.tick(25 * 3600)
    lines(caplog)
    assert (await endpoint.health({})).status == 503
    (line,) = lines(caplog)
    assert line["failing"] == {
        "downstream_token": "downstream_token_unavailable: client-secret: status 401 AADSTS7000215"
    }


async def test_failing_background_work_is_in_the_lines_of_requests_that_do_not_need_it(
    make: MakeEndpoint, site: Site, clock: Clock, provider: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys that cannot be refreshed while the last ones serve, and what the provider notes: a warning."""
    endpoint = await make()
    assert (await endpoint.token_issuance_start(signed(site), BODY)).status == 200
    (line,) = lines(caplog)
    assert "failing" not in line
    site.down, provider.noted = True, "client-secret: status 401"
    await clock.tick(3600)
    assert (await endpoint.token_issuance_start(signed(site), BODY)).status == 200
    assert caplog.records[-1].levelname == "WARNING"
    (line,) = lines(caplog)
    assert line["failing"] == {
        "signing_keys": "FetchError: status 503",
        "downstream_token": "client-secret: status 401",
    }


@pytest.mark.parametrize("first", ["health", "refused"])
async def test_budget_is_smaller_until_the_process_has_answered(
    first: str, make: MakeEndpoint, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Requests that begin before have the smaller budget, whatever the first answer is; the line shows which."""
    endpoint = await make(first_budget_ms=1000)
    if first == "health":
        await endpoint.health({})
    else:
        await endpoint.token_issuance_start({}, b"")
    await endpoint.token_issuance_start(signed(site), BODY)
    budgets = [line["budget_ms"] for line in lines(caplog)]
    assert budgets == ([1500] if first == "health" else [1000, 1500])


async def test_several_requests_can_be_first(
    make: MakeEndpoint, site: Site, provider: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    """All that begin before the first answer wait as long as the host did."""
    provider.hang = asyncio.Event()
    endpoint = await make(first_budget_ms=1000)
    both = [asyncio.create_task(endpoint.token_issuance_start(signed(site), BODY)) for _ in range(2)]
    await asyncio.sleep(0)
    provider.hang.set()
    await asyncio.gather(*both)
    assert [line["budget_ms"] for line in lines(caplog)] == [1000, 1000]


async def test_smaller_setting_wins(make: MakeEndpoint, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The first request's budget is a limit and no extension."""
    endpoint = await make({"Claims__BudgetMs": "300"}, first_budget_ms=1000)
    await endpoint.token_issuance_start(signed(site), BODY)
    assert [line["budget_ms"] for line in lines(caplog)] == [300]
