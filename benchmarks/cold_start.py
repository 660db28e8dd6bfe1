"""The cold start: from the process's start to its first good answer, and what is imported for it.

With constant claims, and with a real provider, whose token and client are then part of the first answer.
"""

import asyncio
import os
import re
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from statistics import median
from typing import Final

import aiohttp

from benchmarks.downstream import downstream
from benchmarks.load import PLACE, SignIns
from benchmarks.rounds import median_of_ratios, shuffled
from benchmarks.servers import EMPTY, FASTAPI, HANDWRITTEN, OURS, ROOT, Peer, serving
from benchmarks.table import Must, Part, Table
from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.entra.server import EntraServer
from selftest.host.process import AppStartError
from selftest.play.caller import caller_session
from selftest.play.target import endpoint_settings

MAX_RATIO: Final = 1.6
MAX_RATIO_WITH_PROVIDER: Final = 1.1
_PEERS: Final = (OURS, HANDWRITTEN, EMPTY, FASTAPI)
_WITH_PROVIDER: Final = (OURS, HANDWRITTEN, FASTAPI)
_ROUNDS: Final = 11
#: How far away the API of the real provider is.
_AWAY_MS: Final = 1.0
_AGAIN_S: Final = 0.002
_LONGEST_S: Final = 20.0
_SELF_TIME: Final = re.compile(r"^import time: +(\d+) \|", re.MULTILINE)


async def measure() -> Part:
    """Start everybody in turn, again and again."""
    start_ms: dict[str, list[float]] = defaultdict(list)
    import_ms: dict[str, list[float]] = defaultdict(list)
    with_provider_ms: dict[str, list[float]] = defaultdict(list)
    imported: dict[str, int] = {}
    async with EntraServer() as entra, caller_session() as session, downstream(_AWAY_MS) as of_provider:
        settings = endpoint_settings(entra)
        with_provider = {**settings, **of_provider}
        sign_in = SignIns.good(entra)
        for peer in _PEERS:  # once for the page cache
            await _first_answer_ms(peer, settings, session, sign_in)
        for number in range(_ROUNDS):
            for peer in shuffled(_PEERS, number):
                start_ms[peer.name].append(await _first_answer_ms(peer, settings, session, sign_in))
                spent_ms, imported[peer.name] = await _imports(peer, settings)
                import_ms[peer.name].append(spent_ms)
            for peer in shuffled(_WITH_PROVIDER, number):
                spent_ms = await _first_answer_ms(peer, with_provider, session, sign_in)
                with_provider_ms[peer.name].append(spent_ms)
    return _part(start_ms, with_provider_ms, import_ms, imported)


async def _first_answer_ms(
    peer: Peer, settings: Mapping[str, str], session: aiohttp.ClientSession, sign_in: SignIns
) -> float:
    headers = {"Authorization": f"Bearer {sign_in.token}", "Content-Type": "application/json"}
    body = sign_in.body.replace(PLACE, str(uuid.uuid4())).encode()
    start_s = time.perf_counter()
    async with serving(peer, settings) as served:
        url = f"http://127.0.0.1:{served.port}{CALLOUT_PATH}"
        while time.perf_counter() < start_s + _LONGEST_S:
            async with session.post(url, data=body, headers=headers) as response:
                await response.read()
                if response.status == 200:
                    return (time.perf_counter() - start_s) * 1000
            await asyncio.sleep(_AGAIN_S)
    raise AppStartError(f"{peer.title} gave no good answer within {_LONGEST_S:g} s, but {response.status}", "")


async def _imports(peer: Peer, settings: Mapping[str, str]) -> tuple[float, int]:
    """Return the milliseconds that Python spends importing the app, and the number of modules."""
    module = "function_app" if peer.app_dir else peer.asgi.partition(":")[0]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-c", f"import {module}"),
        cwd=peer.app_dir or ROOT,
        env={**os.environ, **settings, "PYTHONPATH": str(ROOT)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{peer.title} cannot be imported:\n{stderr.decode(errors='replace')[-500:]}")
    self_us = [int(each) for each in _SELF_TIME.findall(stderr.decode(errors="replace"))]
    return sum(self_us) / 1000, len(self_us)


def _part(
    start_ms: Mapping[str, list[float]],
    with_provider_ms: Mapping[str, list[float]],
    import_ms: Mapping[str, list[float]],
    imported: Mapping[str, int],
) -> Part:
    rows = tuple(
        (
            peer.title,
            f"{median(start_ms[peer.name]):.0f}",
            f"{median_of_ratios(start_ms[peer.name], start_ms[EMPTY.name]):.2f}",
            f"{median(import_ms[peer.name]):.0f}",
            f"{median_of_ratios(import_ms[peer.name], import_ms[EMPTY.name]):.2f}",
            str(imported[peer.name]),
        )
        for peer in _PEERS
    )
    return Part(
        name="cold-start",
        title="Cold start",
        method=(
            "From the start of the process to its first good answer, and the total of `python -X importtime` for the "
            f"app alone. Medians of {_ROUNDS} interleaved rounds, page cache warm. All but FastAPI run in Microsoft's "
            "worker library behind the harness's HTTP edge, whose own imports count for each of them and hold no HTTP "
            "client; in Azure the platform's worker is started before."
        ),
        tables=(
            Table(
                title="Constant claims",
                columns=("", "first answer ms", "over empty", "imports ms", "over empty", "modules"),
                rows=rows,
            ),
            Table(
                title=f"Claims from an API, {_AWAY_MS:g} ms away, with a token",
                columns=("", "first answer ms", "over hand-written"),
                rows=tuple(_row_with_provider(peer, with_provider_ms) for peer in _WITH_PROVIDER),
            ),
        ),
        musts=(
            Must(
                says="cold start over the empty function's",
                measured=median_of_ratios(start_ms[OURS.name], start_ms[EMPTY.name]),
                limit=MAX_RATIO,
            ),
            Must(
                says="cold start with an API over the hand-written handler's",
                measured=median_of_ratios(with_provider_ms[OURS.name], with_provider_ms[HANDWRITTEN.name]),
                limit=MAX_RATIO_WITH_PROVIDER,
            ),
        ),
    )


def _row_with_provider(peer: Peer, with_provider_ms: Mapping[str, list[float]]) -> tuple[str, ...]:
    ratio = median_of_ratios(with_provider_ms[peer.name], with_provider_ms[HANDWRITTEN.name])
    return peer.title, f"{median(with_provider_ms[peer.name]):.0f}", f"{ratio:.2f}"
