"""Good tokens beside a thousand tokens with random key ids: are they as fast, and how often are keys fetched?"""

import asyncio
import uuid
from typing import Final

from benchmarks.sign_ins import SignIns, running_app, summary
from selftest.entra.server import EntraServer
from selftest.entra.signing import sign_compact

_ROUNDS: Final = 3
_FLOOD: Final = 1000
_ALONE: Final = 1000
_PAUSE_S: Final = 0.002


async def main() -> None:
    """Measure three rounds, each good tokens alone and then in the flood; the first forced fetch falls into one."""
    async with EntraServer() as entra, running_app(entra, {}) as sign_ins:
        for _ in range(_ALONE):
            await sign_ins.send()
        flood = [_unknown(entra) for _ in range(_FLOOD)]
        for number in range(1, _ROUNDS + 1):
            alone_ms = [(await sign_ins.send())[1] for _ in range(_ALONE)]
            before = entra.hits["keys_v2"]
            flooding = asyncio.create_task(_send_all(sign_ins, flood))
            beside_ms = []
            while not flooding.done():
                beside_ms.append((await sign_ins.send())[1])
            fetched = entra.hits["keys_v2"] - before
            print(
                f"round {number}: alone {summary(alone_ms)}; in the flood {summary(beside_ms)}; {fetched} key fetches"
            )
            print(f"         refused {(await flooding).count(401)} of {_FLOOD}")


def _unknown(entra: EntraServer) -> str:
    header = {**entra.mint.header(), "kid": str(uuid.uuid4())}
    return sign_compact(header, entra.mint.claims(), entra.keys.current)


async def _send_all(sign_ins: SignIns, tokens: list[str]) -> list[int]:
    statuses = []
    for token in tokens:
        statuses.append((await sign_ins.send(token))[0])
        await asyncio.sleep(_PAUSE_S)
    return statuses


if __name__ == "__main__":
    asyncio.run(main())
