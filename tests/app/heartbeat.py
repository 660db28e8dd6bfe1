"""Measures the gaps of the event loop in a process of its own: prints the worst of each round, in milliseconds of work.

Fifty requests at once, again and again, while a thousand keys are refreshed all the time. In a process of its own, for
a test run's tracer and its heap make gaps that no worker has. In the processor's time, for a busy machine makes gaps,
too.
"""

import asyncio
import json
import logging
import sys
import time
from typing import Final

from claims.endpoint import Endpoint
from claims.providers.sample import SampleProvider
from claims.settings.authority import Authority
from claims.token.keys import SigningKeys
from tests.claims.site import AUTHORITY, NOW_S, TENANT_ID, Site, good_event, good_token, settings

_BEAT_S: Final = 0.001
_ROUNDS: Final = 3


async def _rounds() -> list[float]:
    site = Site()
    site.keys.published += [{**site.keys.current.jwk(), "kid": f"other {index}"} for index in range(999)]

    async def refresh_soon(_seconds: float) -> None:
        await asyncio.sleep(0.02)

    keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], site, clock=time.monotonic, sleep=refresh_soon)
    endpoint = Endpoint(settings(), keys, SampleProvider(), wall_clock=lambda: NOW_S)
    headers = {"authorization": f"Bearer {good_token(site.keys)}", "content-type": "application/json"}
    body = json.dumps(good_event()).encode()
    _require((await endpoint.token_issuance_start(headers, body)).status == 200, "a good sign-in")
    refreshed = sum(site.hits.values())
    gaps_s = [await _worst_gap_s(endpoint, headers, body) for _ in range(_ROUNDS)]
    _require(sum(site.hits.values()) >= refreshed + 8, "refreshes meanwhile")
    await endpoint.aclose()
    return gaps_s


async def _worst_gap_s(endpoint: Endpoint, headers: dict[str, str], body: bytes) -> float:
    worst_s = 0.0
    done = False

    async def beat() -> None:
        nonlocal worst_s
        last_s = time.process_time()
        while not done:
            await asyncio.sleep(_BEAT_S)
            now_s = time.process_time()
            worst_s, last_s = max(worst_s, now_s - last_s), now_s

    heart = asyncio.create_task(beat())
    for _ in range(20):
        responses = await asyncio.gather(*(endpoint.token_issuance_start(headers, body) for _ in range(50)))
        _require({response.status for response in responses} == {200}, "fifty good sign-ins")
        await asyncio.sleep(_BEAT_S)
    done = True
    await heart
    return worst_s


def _require(holds: bool, what: str) -> None:  # noqa: FBT001 - read as a sentence where it is called
    if not holds:
        raise SystemExit(f"there was no {what}: the gaps would mean nothing")


if __name__ == "__main__":
    logging.disable()
    sys.stdout.write(json.dumps([round(gap_s * 1000, 3) for gap_s in asyncio.run(_rounds())]))
