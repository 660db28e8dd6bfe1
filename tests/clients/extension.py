"""An extension that responds, delays, breaks or refuses as a test sets it, for each user separately.

Client libraries are under test against the emulated Entra here. What they must see of an extension is its outcome, so
its inside does not matter; ``test_real_endpoint`` has the endpoint of this checkout in its place.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from claims.contract import PROVIDE_CLAIMS_ACTION, RESPONSE_DATA_TYPE

type Mood = Literal["well", "slow", "broken", "refusing", "empty"]

#: The names with the case of this checkout's endpoint.
CLAIMS = {"CustomRoles": ["Writer", "Editor"], "DateOfBirth": "2000-01-01", "ApiVersion": "1.0", "CorrelationId": "c"}


@dataclass(kw_only=True)
class Extension:
    """A running extension.

    Attributes:
        url: Where it listens.
        mood: What it does to everybody.
        moods: What it does to a user, by object id.
        turns: What it does to one event after the other, before anything else is asked.
        events: What came.
        headers: The headers of each.
        done: What it did, by the event's correlation id.
    """

    url: str = ""
    mood: Mood = "well"
    moods: dict[str, Mood] = field(default_factory=dict)
    turns: list[Mood] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    done: dict[str, Mood] = field(default_factory=dict)

    @property
    def audiences(self) -> list[str]:
        """Name the app that each event's token is for, in the order of the names."""
        contexts = [event["data"]["authenticationContext"] for event in self.events]
        return sorted(context["resourceServicePrincipal"]["displayName"] for context in contexts)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one event."""
        event = await request.json()
        self.events.append(event)
        self.headers.append(dict(request.headers))
        user = event["data"]["authenticationContext"]["user"]["id"]
        mood = self.turns.pop() if self.turns else self.moods.get(user, self.mood)
        self.done[_correlation_id(event)] = mood
        if mood == "slow":
            await asyncio.sleep(30)
        if mood == "broken":
            return web.Response(text="<html>", content_type="text/html")
        if mood == "refusing":
            return web.json_response({"error": {"code": "unavailable"}}, status=503)
        claims = None if mood == "empty" else {**CLAIMS, "CorrelationId": _correlation_id(event)}
        action = {"@odata.type": PROVIDE_CLAIMS_ACTION, "claims": claims}
        return web.json_response({"data": {"@odata.type": RESPONSE_DATA_TYPE, "actions": [action]}})


def _correlation_id(event: dict[str, Any]) -> str:
    return str(event["data"]["authenticationContext"]["correlationId"])


@asynccontextmanager
async def running_extension() -> AsyncIterator[Extension]:
    """Run one on a free loopback port."""
    extension = Extension()
    app = web.Application()
    app.router.add_post("/api/onTokenIssuanceStart", extension.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        extension.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/onTokenIssuanceStart"
        yield extension
    finally:
        await runner.cleanup()
