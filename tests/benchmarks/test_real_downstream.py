"""The parts with a real data source and on Microsoft's host: what they measure with, and what holds."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest

from benchmarks import __main__ as program
from benchmarks import real_downstream
from benchmarks.days import shared_cache
from benchmarks.downstream import downstream
from benchmarks.host import host_process, on_host
from benchmarks.peer_round import Round
from benchmarks.servers import EMPTY, FASTAPI, FASTAPI_FUNCTION, HANDWRITTEN, OURS, OURS_ASGI


async def test_the_api_wants_its_token() -> None:
    """Nobody who leaves the token out is measured as a peer that works."""
    async with downstream(1) as settings:
        issued = json.loads(await _get(settings["IDENTITY_ENDPOINT"]))
        url = f"{settings['Claims__ProfileApi__Url']}/someone"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            await _get(url)
        profile = json.loads(await _get(url, issued["access_token"]))
    assert profile["ProfileId"] == "someone"


async def _get(url: str, token: str = "") -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 (loopback)

    def read() -> str:
        with urllib.request.urlopen(request) as response:  # noqa: S310 (the same)
            return str(response.read().decode())

    return await asyncio.to_thread(read)


def _round(cpu_ms: float, p50_ms: float, p99_ms: float, late_ms: float = 0.1) -> list[Round]:
    return [Round(cpu_ms=cpu_ms, p50_ms=p50_ms, p99_ms=p99_ms, late_ms=late_ms, wrong=0)]


def test_limits_with_a_real_data_source() -> None:
    """Each limit is one of the ratios; p99 counts against the better peer, behind that peer's server."""
    at = {
        OURS.name: _round(0.4, 2.3, 5.0),
        HANDWRITTEN.name: _round(0.5, 2.0, 8.0),
        OURS_ASGI.name: _round(0.3, 1.5, 4.0),
        FASTAPI.name: _round(0.5, 2.0, 5.0),
    }
    part = real_downstream.part({1.0: at, 20.0: at})
    assert [(round(must.measured, 2), must.holds) for must in part.musts] == [
        (0.6, True),
        (0.8, True),
        (0.3, False),
        (0.8, True),
        (1.67, False),
        (0.0, True),
    ]
    busy = {**at, OURS.name: _round(0.4, 2.3, 5.0, late_ms=3)}
    judged = [must.judged for must in real_downstream.part({1.0: busy}).musts]
    assert judged == [True, True, False, False, True, True]


def test_limits_on_microsofts_host() -> None:
    """Throughput over the empty function's and the hand-written handler's, and what is added to the worker."""

    def rounds(rate: float, worker_us: float) -> list[on_host.Round]:
        return [on_host.Round(rate=rate, p50_ms=1, worker_us=worker_us, host_us=900, wrong=0)]

    found = {
        EMPTY.name: rounds(1000, 500),
        OURS.name: rounds(850, 801),
        HANDWRITTEN.name: rounds(700, 1000),
        FASTAPI_FUNCTION.name: rounds(400, 2000),
    }
    assert [(round(must.measured, 2), must.holds) for must in on_host.part(found).musts] == [
        (0.85, True),
        (301.0, False),
        (1.21, True),
        (0.0, True),
    ]


def test_a_visible_skip_without_microsofts_host(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without HOST nothing is measured, and the last line says so."""
    monkeypatch.setattr(host_process, "PROGRAM", "")
    monkeypatch.setattr(program, "_obstacle", lambda _: None)
    assert program.main(["microsoft-host"]) == 0
    assert capsys.readouterr().out.startswith("SKIP microsoft-host: set HOST")
    monkeypatch.setattr(host_process, "PROGRAM", "/nowhere")
    assert "not found: /nowhere" in host_process.missing()


def test_the_limit_of_the_shared_cache() -> None:
    """The ratio is of rounds, and a busy machine is no verdict."""

    def rounds(p99_ms: float, late_ms: float = 0.1) -> list[Round]:
        return [Round(cpu_ms=1, p50_ms=2, p99_ms=p99_ms, late_ms=late_ms, wrong=0)]

    part = shared_cache.part({shared_cache.WITHOUT: rounds(5), shared_cache.WITH: rounds(6)})
    assert [(round(must.measured, 2), must.holds) for must in part.musts] == [(1.2, False), (0.0, True)]
    busy = shared_cache.part({shared_cache.WITHOUT: rounds(5), shared_cache.WITH: rounds(6, late_ms=3)})
    assert [must.judged for must in busy.musts] == [False, True]
