"""A hundred workers while downstream tokens live eight seconds: are requests near a refresh slower?

Then a hundred requests at once when every token has been withdrawn: how many tokens are asked for?
"""

import asyncio
import random
import time
from collections import Counter
from typing import Final

from benchmarks.sign_ins import SignIns, percentile_ms, running_app, summary
from selftest.downstream.server import DownstreamServer
from selftest.entra.server import EntraServer

_WORKERS: Final = 100
_DURATION_S: Final = 30.0
_PERIOD_S: Final = 0.5
_TOKEN_LIFE_S: Final = 8
#: What began this close to a token request is near it.
_NEAR_S: Final = 0.3
_WATCH_S: Final = 0.005


async def main() -> None:
    """Measure both."""
    async with EntraServer() as entra, DownstreamServer() as downstream:
        downstream.identity.lifetime_s = _TOKEN_LIFE_S
        async with running_app(entra, downstream.settings()) as sign_ins:
            await sign_ins.send()
            asked_s: list[float] = []
            watch = asyncio.create_task(_watch(downstream, asked_s))
            samples = [each for worker in await _work(sign_ins) for each in worker]
            watch.cancel()
            near_ms = [spent_ms for at_s, spent_ms in samples if _is_near(at_s, asked_s)]
            far_ms = [spent_ms for at_s, spent_ms in samples if not _is_near(at_s, asked_s)]
            ratio = percentile_ms(near_ms, 99) / percentile_ms(far_ms, 99)
            print(f"{len(asked_s)} token requests in {_DURATION_S:.0f} s; near one {summary(near_ms)}")
            print(f"steady {summary(far_ms)}; p99 near over steady {ratio:.2f}")
            before = downstream.hits["identity"]
            downstream.identity.withdraw_all()
            at_once = await asyncio.gather(*(sign_ins.send() for _ in range(_WORKERS)))
            asked = downstream.hits["identity"] - before
            statuses = dict(Counter(status for status, _ in at_once))
            print(f"{_WORKERS} at once without a valid token: {asked} token requests, {statuses}")


async def _watch(downstream: DownstreamServer, asked_s: list[float]) -> None:
    seen = downstream.hits["identity"]
    while True:
        await asyncio.sleep(_WATCH_S)
        if downstream.hits["identity"] > seen:
            seen = downstream.hits["identity"]
            asked_s.append(time.perf_counter())


async def _work(sign_ins: SignIns) -> list[list[tuple[float, float]]]:
    async def worker() -> list[tuple[float, float]]:
        await asyncio.sleep(random.random() * _PERIOD_S)  # noqa: S311 (spreads the workers)
        end_s = time.perf_counter() + _DURATION_S
        done = []
        while (start_s := time.perf_counter()) < end_s:
            done.append((start_s, (await sign_ins.send())[1]))
            await asyncio.sleep(max(0.0, start_s + _PERIOD_S - time.perf_counter()))
        return done

    return await asyncio.gather(*(worker() for _ in range(_WORKERS)))


def _is_near(at_s: float, asked_s: list[float]) -> bool:
    return any(abs(at_s - each_s) < _NEAR_S for each_s in asked_s)


if __name__ == "__main__":
    asyncio.run(main())
