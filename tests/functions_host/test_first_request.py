"""The first request of a process is answered in time, on Microsoft's host, with a data source that hangs."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from selftest.checks.bench.probe import RawResponse
from selftest.contract import MAX_TIMEOUT_MS
from selftest.downstream.faults import FAULTS
from tests.functions_host.hosted_endpoint import hosted_endpoint
from tests.functions_host.microsoft_host import needs_microsoft_host

pytestmark = needs_microsoft_host

#: Processes that are started, one after the other.
_PROCESSES: Final = 10
_CONSTANT: Final = "FIRST_BUDGET_MS: Final = 1_000"


async def _first_answer(folder: Path, *, constant_ms: int | None = None) -> RawResponse:
    """Return the answer of a fresh process to its first request, a sign-in; only ``/`` was asked before it."""

    def edit(text: str) -> str:
        assert _CONSTANT in text
        return text if constant_ms is None else text.replace(_CONSTANT, f"FIRST_BUDGET_MS: Final = {constant_ms}")

    async with hosted_endpoint(folder, edit=edit, trace=False) as hosted:
        with hosted.downstream.playing(FAULTS["hang"]):
            return await hosted.env.send(hosted.env.good_request())


async def test_first_requests_are_answered_in_time(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Ten of ten, and each by the endpoint: 503 before Entra's timeout, which is also the limit of the caller here."""
    answers = []
    for number in range(_PROCESSES):
        folder = tmp_path / str(number)
        folder.mkdir()
        answers.append(await _first_answer(folder))
    statuses = [answer.status for answer in answers]
    assert statuses == [503] * _PROCESSES, [f"{answer} {answer.latency_ms:.0f} ms" for answer in answers]
    record_property("first_answers_ms", sorted(round(answer.latency_ms) for answer in answers))


async def test_without_the_constant_the_first_answer_is_late(tmp_path: Path) -> None:
    """With the whole budget, as before, Entra has given up when it leaves."""
    answer = await _first_answer(tmp_path, constant_ms=1_500)
    assert answer.failure == "timeout" or answer.latency_ms > MAX_TIMEOUT_MS - 100
