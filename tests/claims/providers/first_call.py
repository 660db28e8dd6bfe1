"""Run in a process of its own, where nothing is imported yet: a provider's start and first calls, under a heartbeat.

``python -m tests.claims.providers.first_call PROVIDER`` prints ``{"worst_gap_ms": ..., "claims": ...}``.
"""

import asyncio
import json
import os
import sys
import time

from claims.provider import ProviderContext
from claims.provider_module import load_provider
from tests.claims.providers.desk import EVENT

BEAT_S = 0.001


async def main(name: str) -> None:
    """Call the provider twice, the first time while it is still starting."""
    worst_s = 0.0
    done = False

    async def beat() -> None:
        nonlocal worst_s
        last_s = time.monotonic()
        while not done:
            await asyncio.sleep(BEAT_S)
            now_s = time.monotonic()
            worst_s, last_s = max(worst_s, now_s - last_s - BEAT_S), now_s

    heart = asyncio.create_task(beat())
    await asyncio.sleep(0.01)
    provider = load_provider(name, os.environ)
    provider.start()  # type: ignore[attr-defined] # (each of the providers measured here has it)
    for _ in range(2):
        claims = await provider.provide(EVENT, ProviderContext(remaining_s=lambda: 10.0))
    done = True
    await heart
    await provider.aclose()  # type: ignore[attr-defined] # (the same)
    json.dump({"worst_gap_ms": worst_s * 1000, "claims": claims}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
