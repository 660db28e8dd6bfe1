"""Under load no fault makes a response late or lost.

Some faults last half a second each; ``make stress`` causes every one for 30 s (``STRESS_DURATION_S``).
Requests are sent when they are due, regardless of earlier ones.
"""

import asyncio
import json
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from selftest.base.app_folder import AppFolder
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawResponse
from selftest.checks.bench.target_environment import open_variant
from selftest.checks.bench.variant import BY_POLICY
from selftest.checks.faults.setup import event_of, playing
from selftest.checks.faults.wanted import ARRIVES_LATE_MS, LEAVES_LATE_MS
from selftest.downstream.faults import FAULTS
from tests.checkout import ROOT

RATE_PER_S = 50
#: Where the faults that CI has no time for are played, too.
DURATION_S = float(os.environ.get("STRESS_DURATION_S", "0"))
BRIEFLY_S = 0.5
ROUNDS = 3
BRIEFLY = ("lateness", "hang", "reset", "trickle", "throttled", "truncated", "huge", "key-outage")
#: A log line travels through a pipe of its own.
LOG_WAIT_S = 1.0

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.waits]


@dataclass(frozen=True)
class Sent:
    """One request and its response."""

    correlation_id: str
    late_start_ms: float
    answer: RawResponse

    @property
    def left_ms(self) -> float:
        """When the response left, according to the endpoint."""
        total = re.search(r"total;dur=([\d.]+)", self.answer.header("Server-Timing") or "")
        return float(total[1]) if total else float("inf")


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="env")
async def one_app() -> AsyncIterator[CheckEnvironment]:
    """Return the app with the policy that shows each failure."""
    async with open_variant(DEFAULT_TENANT, AppFolder.at(ROOT), BY_POLICY["fail"]) as env:
        yield env


async def _send(env: CheckEnvironment, due_s: float, correlation_id: str, body: dict[str, object], token: str) -> Sent:
    await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
    late_start_ms = (time.perf_counter() - due_s) * 1000
    return Sent(correlation_id, late_start_ms, await env.send(env.request(token, body)))


async def _load(env: CheckEnvironment, duration_s: float) -> list[Sent]:
    """Send events of different users for this time, and wait for every response."""
    token = env.good_token()
    start_s = time.perf_counter() + 0.02
    due = [start_s + number / RATE_PER_S for number in range(round(duration_s * RATE_PER_S))]
    events = [event_of(env, env.new_id()) for _ in due]
    sending = (_send(env, at, cid, event, token) for at, (event, cid) in zip(due, events, strict=True))
    return await asyncio.gather(*sending)


async def _lines_of(env: CheckEnvironment, wanted: set[str]) -> Counter[str]:
    """Count the log lines of each request."""
    assert env.log is not None
    give_up_s = time.perf_counter() + LOG_WAIT_S
    while True:
        records = [json.loads(line) for line in env.log() if line.startswith('{"event"')]
        lines = Counter(str(record["correlationId"]) for record in records if record["correlationId"] in wanted)
        if len(lines) == len(wanted) or time.perf_counter() > give_up_s:
            return lines
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", FAULTS if DURATION_S else BRIEFLY)
async def test_none_late_and_none_lost(env: CheckEnvironment, name: str) -> None:
    """At 50 requests per second each gets one response, within the budget and 50 ms.

    A pause of the machine may delay a short round, so it has three attempts; the long one has one.
    """
    for _ in range(1 if DURATION_S else ROUNDS):
        sent = await _one_round(env, name)
        if not _late(env, sent):
            break
    assert not _late(env, sent), _told(name, sent)
    lines = await _lines_of(env, {each.correlation_id for each in sent})
    assert set(lines.values()) == {1}, f"{name}: not one log line for each request"
    assert len(lines) == len(sent), f"{name}: {len(sent) - len(lines)} requests without a log line"


async def _one_round(env: CheckEnvironment, name: str) -> list[Sent]:
    async with playing(env, FAULTS[name], env.new_id()):
        sent = await _load(env, DURATION_S or BRIEFLY_S)
    told = _told(name, sent)
    print(told)  # noqa: T201 (what `make stress` is for)
    assert all(each.answer.status is not None for each in sent), told
    return sent


def _told(name: str, sent: list[Sent]) -> str:
    left_ms = max(each.left_ms for each in sent)
    came_ms = max(each.answer.latency_ms for each in sent)
    statuses = Counter(each.answer.status for each in sent)
    generator_ms = max(each.late_start_ms for each in sent)
    return (
        f"{name}: {dict(statuses)}, left after {left_ms:.0f} ms at most, came after {came_ms:.0f} ms at most, "
        f"sent {generator_ms:.0f} ms late at most"
    )


def _late(env: CheckEnvironment, sent: list[Sent]) -> bool:
    assert env.variant is not None
    budget_ms = env.variant.budget_ms
    return any(
        each.left_ms > budget_ms + LEAVES_LATE_MS or each.answer.latency_ms > budget_ms + ARRIVES_LATE_MS
        for each in sent
    )
