"""No request leaves work for the garbage collector.

A full collection walks every object of the process, a hundred milliseconds and more in which no sign-in is answered.
What is freed by its last reference never needs one; an exception that its own frame refers to does.
"""

import asyncio
import gc
import json
from collections.abc import Mapping

import pytest

from claims.endpoint import Endpoint
from claims.errors import ProviderFailed
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.token.keys import SigningKeys
from tests.claims.site import NOW_S, Site, good_event, good_token, settings

REQUESTS = 20


class _Moody:
    """A provider in one mood."""

    def __init__(self, mood: str) -> None:
        self._mood = mood

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Do what the mood says."""
        del event, context
        match self._mood:
            case "late":
                await asyncio.sleep(30)
            case "broken":
                raise LookupError
            case "failed":
                raise ProviderFailed("downstream_status")
            case "cancelled":
                raise asyncio.CancelledError
            case "unsendable":
                return {"Claim": object()}
        return {"Claim": "x"}


@pytest.mark.parametrize("policy", ["fail", "omit", "stale"])
@pytest.mark.parametrize(
    "mood", ["well", "late", "broken", "failed", "cancelled", "unsendable", "bad body", "bad token"]
)
async def test_nothing_is_left_to_collect(mood: str, policy: str, site: Site, keys: SigningKeys) -> None:
    """Whatever becomes of a request, its objects go with it."""
    endpoint = Endpoint(
        settings(Claims__BudgetMs="100", Claims__OnFailure=policy), keys, _Moody(mood), wall_clock=lambda: NOW_S
    )
    token = "x" if mood == "bad token" else good_token(site.keys)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    async def send(number: int) -> int:
        event = good_event()
        event["data"]["authenticationContext"]["correlationId"] = f"55555555-5555-4555-8555-{number:012}"
        body = b"{" if mood == "bad body" else json.dumps(event).encode()
        return (await endpoint.token_issuance_start(headers, body)).status

    await send(1)
    endpoint._calls._limit_s = 0.11
    gc.collect()
    gc.disable()
    try:
        statuses = await asyncio.gather(*(send(number) for number in range(2, 2 + REQUESTS)))
        assert len(set(statuses)) == 1
        await asyncio.sleep(0.03)
        left = gc.collect()
    finally:
        gc.enable()
    await endpoint.aclose()
    assert left < REQUESTS, f"{left} objects were left by {REQUESTS} requests"


async def test_settled_is_said_once(site: Site, keys: SigningKeys) -> None:
    """The first good answer says that everything that lives long is in memory, and only that one."""
    said: list[str] = []

    def settled() -> None:
        said.append("settled")
        raise OSError  # which costs no answer

    endpoint = Endpoint(settings(), keys, _Moody("well"), wall_clock=lambda: NOW_S, on_settled=settled)
    headers = {"authorization": f"Bearer {good_token(site.keys)}", "content-type": "application/json"}
    body = json.dumps(good_event()).encode()
    await endpoint.token_issuance_start({}, body)
    assert said == []
    for _ in range(2):
        assert (await endpoint.token_issuance_start(headers, body)).status == 200
        assert said == ["settled"]
    await endpoint.aclose()
