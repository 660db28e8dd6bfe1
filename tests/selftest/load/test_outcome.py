"""The outcome of an attempt, and its line in the raw file."""

import json

from selftest.load import outcome
from selftest.load.engine import Prepared, Sample
from selftest.load.measured.samples import Samples
from selftest.load.outcome import AttemptJudge, call_line
from selftest.play.caller import Attempt
from tests.selftest.replies import GOOD, document

ID = "11111111-2222-4333-8444-555555555555"


def attempt(body: bytes, end_s: float = 0.1, headers: tuple[tuple[str, str], ...] = ()) -> Attempt:
    """Return an answered attempt."""
    return Attempt(
        due_s=0.0,
        sent_s=0.001,
        headers_s=end_s,
        end_s=end_s,
        status=200,
        headers=(("Content-Type", "application/json"), *headers),
        body=body,
        failure=None,
        detail="",
    )


def sample(*attempts: Attempt) -> Sample:
    """Return a call of these attempts."""
    return Sample(number=3, due_s=0.0, prepared=Prepared({"Authorization": "Bearer x"}, b"body", ID), attempts=attempts)


def test_answers_that_differ_by_the_correlation_id_are_judged_once() -> None:
    """Verdicts are cached, and never confused."""
    outcomes = AttemptJudge(2000)
    for number in range(50):
        correlation_id = f"{number:08}{ID[8:]}"
        body = json.dumps(document({"CorrelationId": correlation_id})).encode()
        assert outcomes.of(attempt(body), correlation_id) == ("in-budget", None)
    assert len(outcomes._codes) == 1
    assert outcomes.of(attempt(b"{}"), ID) == ("failed", 1003003)
    assert len(outcomes._codes) == 2


def test_what_is_remembered_is_bounded() -> None:
    """An endpoint with different responses does not fill the memory."""
    outcomes = AttemptJudge(2000)
    for number in range(outcome._REMEMBERED + 50):
        outcomes.of(attempt(json.dumps(document({"n": str(number)})).encode()))
    assert len(outcomes._codes) == outcome._REMEMBERED
    assert outcomes.of(attempt(b"x" * 100_000)) == ("failed", 1003003)
    assert max(len(body) for _, _, body in outcomes._codes) < 1000


def test_the_budget_decides_to_the_millisecond() -> None:
    """A response at the budget is in budget; a later one is not."""
    body = json.dumps(GOOD).encode()
    outcomes = AttemptJudge(2000)
    assert outcomes.of(attempt(body, 2.0)) == ("in-budget", None)
    assert outcomes.of(attempt(body, 2.0001)) == ("late", 1003005)


def test_a_line_holds_times_and_no_secret() -> None:
    """Offsets are from when the call was due; token, body and claims stay out."""
    line = call_line(sample(attempt(json.dumps(GOOD).encode())), AttemptJudge(2000), warmup=False)
    assert line["attempts"][0] | {"server_timing_ms": {}} == {
        "due_ms": 0.0,
        "sent_ms": 1.0,
        "headers_ms": 100.0,
        "end_ms": 100.0,
        "status": 200,
        "failure": None,
        "outcome": "in-budget",
        "code": None,
        "server_timing_ms": {},
    }
    text = json.dumps(line)
    assert "Bearer" not in text
    assert "CustomRoles" not in text


def test_hostile_headers_do_no_harm() -> None:
    """Markup, escape sequences and a huge header leave phases that are names and numbers."""
    hostile = (
        ("Server-Timing", "<img src=x onerror=alert(1)>;dur=5, \x1b[31m;dur=1, ok;dur=2"),
        ("Server-Timing", "a;dur=1," * 10_000),
        ("X-Huge", "x" * 60_000),
    )
    line = call_line(sample(attempt(b"{}", headers=hostile)), AttemptJudge(2000), warmup=False)
    assert line["attempts"][0]["server_timing_ms"] == {"ok": 2.0, "a": 1.0}
    assert len(json.dumps(line)) < 1000
    samples = Samples()
    samples.take(json.loads(json.dumps(line)))
    assert set(samples.phases_ms) == {"ok", "a", "network and host"}
