"""The log of requests: one line each, short, and never at the cost of an answer."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from claims.errors import ProviderFailed
from claims.measurements import Measurements
from claims.reply import Reply, build_reply
from claims.request_log import REFUSALS_S, RequestLog, RequestRecord
from tests.claims.site import Clock

pytestmark = pytest.mark.without_endpoint

MAX_LINE_BYTES = 4096


def _record(clock: Clock, **changes: Any) -> RequestRecord:
    return RequestRecord(measured=Measurements(budget_ms=1500, clock=clock), cold=False, **changes)


def _log(clock: Clock, **changes: Any) -> RequestLog:
    return RequestLog(**{"clock": clock, "stalled_ms": lambda _since_s: 0.0, **changes})


def _write(log: RequestLog, record: RequestRecord, status: int = 200, outcome: str = "claims") -> None:
    log.write(record, record.measured.timings(), status=status, outcome=outcome)


class _Lines(logging.Handler):
    """Collects the lines."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the text."""
        self.texts.append(record.getMessage())


@contextmanager
def _collected() -> Iterator[list[str]]:
    logger, handler = logging.getLogger("claims.request"), _Lines()
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield handler.texts
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Give the lines."""
    with _collected() as texts:
        yield texts


def test_slow_phases_are_named(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A phase that takes more than its share of the budget turns the line into a warning, also one of any name."""
    record = _record(clock, authenticated=True)
    for name in ("keys", "database"):
        with record.measured.provider_phase(name):
            clock.now_s += 1.2
    _write(_log(clock), record)
    assert json.loads(caplog.messages[0])["slow"] == ["keys", "database"]
    assert "database;dur=1200.000, total;dur=2400.000" in record.measured.timings().server_timing()


def test_the_line_is_json_and_its_record_like_any_other(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Any handler and formatter finds in the record what `logging` would have put there."""
    correlation_id = "3a6ba4e3-0b5d-4ee4-9d3c-1f0a6e0f5f10"
    _write(_log(clock), _record(clock, authenticated=True, correlation_id=correlation_id))
    logging.getLogger("claims.request").info("another")
    line, ordinary = caplog.records
    assert json.loads(line.getMessage())["correlationId"] == correlation_id
    assert set(vars(line)) == set(vars(ordinary))
    assert (line.levelname, line.name, line.filename) == ("INFO", "claims.request", "request_log.py")
    assert (line.process, line.thread) == (ordinary.process, ordinary.thread)
    assert 0 <= ordinary.created - line.created < 60
    assert ordinary.relativeCreated - line.relativeCreated == pytest.approx(
        (ordinary.created - line.created) * 1000, abs=5
    )
    assert line.msecs == pytest.approx(line.created % 1 * 1000, abs=1)
    _write(_log(clock), _record(clock, authenticated=True), status=503, outcome="provider_error")
    assert (caplog.records[-1].levelname, caplog.records[-1].levelno) == ("WARNING", logging.WARNING)


def test_a_level_that_is_off_costs_no_line(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """With the good lines switched off, what went wrong is still written."""
    caplog.set_level(logging.WARNING, "claims.request")
    log = _log(clock)
    _write(log, _record(clock, authenticated=True))
    assert caplog.messages == []
    _write(log, _record(clock, authenticated=True), 503, "provider_late")
    assert len(caplog.messages) == 1


def test_lost_line_is_said_in_the_next(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A line that cannot be written costs no answer, and the next one counts it, once."""
    caplog.set_level(logging.INFO, "claims.request")
    broken = True

    def refuse(record: logging.LogRecord) -> bool:
        if broken:
            raise OSError(record.msg)
        return True

    logger, log = logging.getLogger("claims.request"), _log(clock)
    logger.addFilter(refuse)
    try:
        _write(log, _record(clock, authenticated=True))
        log.write_health(503, "FetchError")
        broken = False
        for _ in range(2):
            _write(log, _record(clock, authenticated=True))
    finally:
        logger.removeFilter(refuse)
    assert [json.loads(line).get("lines_lost") for line in caplog.messages] == [2, None]


def test_strangers_do_not_choose_what_the_log_costs(clock: Clock, lines: list[str]) -> None:
    """Per code the first refusal of each minute is written, and the next line says how many were not."""
    log = _log(clock)
    for _ in range(10_000):
        _write(log, _record(clock), 401, "signature")
    _write(log, _record(clock), 401, "audience")
    clock.now_s += REFUSALS_S
    _write(log, _record(clock), 401, "signature")
    clock.now_s += REFUSALS_S
    _write(log, _record(clock), 401, "signature")
    written = [json.loads(line) for line in lines]
    assert [(line["outcome"], line.get("not_written")) for line in written] == [
        ("signature", None),
        ("audience", None),
        ("signature", 9999),
        ("signature", None),
    ]


def test_every_authenticated_request_has_its_line(clock: Clock, lines: list[str]) -> None:
    """The limit is for strangers: a sign-in that fails is written each time."""
    log = _log(clock)
    for _ in range(50):
        _write(log, _record(clock, authenticated=True), 503, "provider_late")
    assert len(lines) == 50


def test_first_line_carries_the_warnings(clock: Clock, lines: list[str]) -> None:
    """What is odd about the settings is in the first line, whatever it answers: Azure drops what an import logs."""
    log = _log(clock, warnings=["Claims__Odd is not known" + "x" * 1000] * 20)
    for _ in range(2):
        _write(log, _record(clock), 401, "token_missing")
        clock.now_s += REFUSALS_S
    first, second = map(json.loads, lines)
    assert len(first["settings_warnings"]) == 3
    assert "settings_warnings" not in second
    assert len(lines[0]) < MAX_LINE_BYTES


def test_stall_is_in_the_line_of_who_waited(clock: Clock, lines: list[str]) -> None:
    """A request that the event loop held up says for how long."""
    _write(_log(clock, stalled_ms=lambda _since_s: 312.7), _record(clock, authenticated=True))
    assert json.loads(lines[0])["loop_stalled_ms"] == 312


@hypothesis_settings(max_examples=200, deadline=None)
@given(
    names=st.lists(st.text(min_size=20, max_size=80), max_size=40),
    code=st.text(max_size=400),
    detail=st.text(max_size=2000),
    claims=st.dictionaries(st.text(max_size=60), st.none(), max_size=30),
)
@example(
    names=[f"{number:02}{'x' * 40}" for number in range(40)],
    code="x" * 100,
    detail='"' * 1000,
    claims={"\U0001f600" * 60 + str(number): None for number in range(9)},
)
def test_no_line_is_longer_than_4_kb(names: list[str], code: str, detail: str, claims: dict[str, None]) -> None:
    """Whatever others chose, the line is JSON and short."""
    clock, failure = Clock(), ProviderFailed(code, detail)
    record = _record(
        clock, authenticated=True, failure=failure, reply=build_reply(claims), unknown_members=[detail, *names]
    )
    for name in names:
        with record.measured.provider_phase(name):
            clock.now_s += 1e6
        record.measured.cache_hit(name, hit=False)
        record.measured.note_failing(name, detail)
    record.measured.failing["signing_keys"] = detail
    with _collected() as lines:
        _write(_log(clock, warnings=['"\x1b' * 1000] * 20), record, 200, "stale")
    assert len(lines[0]) <= MAX_LINE_BYTES, len(lines[0])
    assert json.loads(lines[0])["failure"] == failure.code


def test_names_of_unknown_members_are_shown_once_a_process(clock: Clock, lines: list[str]) -> None:
    """In a warning, so that Azure keeps it; printable, and short whatever they are."""
    log = _log(clock)
    for names in ((), ("data.new", "data.\x1b[31m\\"), ("data.new",)):
        _write(log, _record(clock, authenticated=True, unknown_members=names))
    before, first, second = map(json.loads, lines)
    assert "unknown_members" not in before | second
    assert first["unknown_members"] == "data.new, data.?[31m?"


@pytest.mark.parametrize("name", ["x" * 1000, "\\" * 1000, '"' * 1000, "\U0001f600" * 1000])
def test_names_of_unknown_members_are_short(clock: Clock, lines: list[str], name: str) -> None:
    """A sender inside Microsoft chooses them, and a line has 4 kB."""
    _write(_log(clock), _record(clock, authenticated=True, unknown_members=[name] * 8))
    text = json.loads(lines[0])["unknown_members"]
    assert len(text) == len(json.dumps(text)) - 2 == 200
    assert text.endswith("...")


def test_unknown_members_are_said_later_where_the_line_was_lost(clock: Clock) -> None:
    """A level that is off, or a handler that fails, does not count."""
    log = _log(clock)
    with _collected() as lines:
        logging.getLogger("claims.request").setLevel(logging.CRITICAL)
        _write(log, _record(clock, authenticated=True, unknown_members=["new"]))
        logging.getLogger("claims.request").setLevel(logging.INFO)
        _write(log, _record(clock, authenticated=True, unknown_members=["new"]))
    assert [json.loads(line)["unknown_members"] for line in lines] == ["new"]


def test_reply_without_claims_has_its_size(clock: Clock, lines: list[str]) -> None:
    """Zero bytes are a figure, too."""
    _write(_log(clock), _record(clock, authenticated=True, reply=Reply(b"{}", 0)))
    assert json.loads(lines[0])["claims_bytes"] == 0
