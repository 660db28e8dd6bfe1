"""The lines of one request in an app's log, and what the host says about the app."""

import asyncio
import json

from selftest.judge.app_line import LOOP_BLOCKED, WORKER_ENDED
from selftest.play.app_log import app_lines, host_lines, last_refusal, request_lines


def line(correlation_id: str | None = "a", outcome: str = "claims", status: int = 200, **more: object) -> str:
    """Return a line of the endpoint's log."""
    return json.dumps({"correlationId": correlation_id, "outcome": outcome, "status": status, **more})


def note(place: str = "at mine.py:7", **more: object) -> str:
    """Return a note of the host."""
    return json.dumps({"event": LOOP_BLOCKED, "detail": place, **more})


def test_lines_are_found_by_their_ids() -> None:
    """Both attempts of an event, in their order; anything else in the log is ignored."""
    log = ["hello", "{", "[1]", line("b"), line("a", "provider_late", 503), '{"status": 200}', line("a"), line("c")]
    found = app_lines(log, ["a", "b", "d"])
    assert {name: [each.outcome for each in lines] for name, lines in found.items()} == {
        "a": ["provider_late", "claims"],
        "b": ["claims"],
    }


def test_host_notes_are_one_for_each_place() -> None:
    """The last one with a time says most; a worker that ended is told."""
    log = [note(), note(total_ms=2900), note(), note("at other.py:1"), "the worker ended (exit code -9): running calls"]
    assert [(each.outcome, each.detail, each.total_ms) for each in host_lines(log)] == [
        (LOOP_BLOCKED, "at mine.py:7", 2900),
        (LOOP_BLOCKED, "at other.py:1", None),
        (WORKER_ENDED, "exit code -9", None),
    ]


async def test_a_line_that_is_late_is_waited_for() -> None:
    """It travels through another pipe than the response."""
    log: list[str] = [line("b")]
    asyncio.get_running_loop().call_later(0.05, log.append, line("a", "provider_late", 503))
    (found,) = await request_lines(lambda: log, "a", before=1)
    assert found.outcome == "provider_late"


async def test_a_loop_that_is_still_blocked_counts_whenever_it_began() -> None:
    """A request that comes during it has no line; one that comes after its end is not blamed on it."""
    still, over = [note()], [note(), note(total_ms=2900)]
    assert [each.outcome for each in await request_lines(lambda: still, "a", before=1, wait_s=0)] == [LOOP_BLOCKED]
    assert await request_lines(lambda: over, "a", before=2, wait_s=0) == ()


def test_a_refusal_has_no_id() -> None:
    """The last one of the same status is the best that there is."""
    log = [line(None, "audience", 401), line(None, "issuer", 401), line(None, "keys_not_loaded", 503), line("a")]
    assert [each.outcome for each in last_refusal(log, 401)] == ["issuer"]
    assert last_refusal(log, 403) == ()
