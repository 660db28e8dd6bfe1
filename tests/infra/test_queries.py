"""The queries read what the log line has."""

import json
import re

import pytest

from claims.errors import ProviderLate
from claims.measurements import Measurements
from claims.reply import Reply
from claims.request_log import RequestLog, RequestRecord
from tests.infra.checkout import ROOT, Checkout

pytestmark = pytest.mark.without_endpoint  # real lines are its input

QUERIES = Checkout().queries()


def _members(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Write a line that has everything, and name its members."""
    seconds = iter(range(1000))
    measured = Measurements(budget_ms=1000, clock=lambda: float(next(seconds)))
    with measured.phase("provider"):
        pass
    failure, reply = ProviderLate("provider_late", "x"), Reply(b"{}", 1, ("a",))
    record = RequestRecord(measured=measured, cold=True, authenticated=True, failure=failure, reply=reply)
    log = RequestLog(clock=lambda: 0.0, stalled_ms=lambda _since_s: 100.0, warnings=["x"])
    log.write(record, measured.timings(), status=200, outcome="omitted")
    refused = RequestRecord(measured=measured, cold=False)
    log._refusals["signature"] = (-1000.0, 7)
    log.write(refused, measured.timings(), status=401, outcome="signature")
    return {name for line in caplog.messages for name in json.loads(line)}


@pytest.mark.parametrize("name", QUERIES)
def test_query_reads_what_the_line_has(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Every member that a query reads is one that the endpoint writes, and it selects the endpoint's lines."""
    text = QUERIES[name]
    used = set(re.findall(r"\bline\.(\w+)", text))
    if "AppTraces" not in text:
        assert not used
        return
    assert used
    assert used <= _members(caplog) | {"not_written"}  # of refusals only
    assert caplog.messages[0].startswith('{"event":"onTokenIssuanceStart"')
    assert 'startswith \'{"event":"onTokenIssuanceStart"\'' in text


def test_there_are_queries() -> None:
    """Percentiles, slowest, cache hits and failures, and those of the alerts."""
    assert len(QUERIES) >= 10


def test_queries_name_the_function_as_the_host_does() -> None:
    """The host calls a request by the function's name, which is not that of its route."""
    named = re.findall(r"async def (\w+)\(req", (ROOT / "function_app.py").read_text())
    asked = {name for text in QUERIES.values() for name in re.findall(r'Name =~ "(\w+)"', text)}
    assert asked
    assert asked <= set(named)


def test_queries_that_count_refusals_count_those_that_were_not_written() -> None:
    """Of the refusals of a minute one line is written; the next line has the number of the others."""
    counting = {
        name
        for name, text in QUERIES.items()
        if "weight = ItemCount * (1 + coalesce(toint(line.not_written), 0))" in text
    }
    alerts = {f"alert-{name}.kql" for name in ("few-failures", "over-budget", "refused-callers", "server-errors")}
    assert counting == {"workbook.yaml#outcomes"} | alerts
