"""The reader of queries, on queries of its own."""

from pathlib import Path

import pytest

from infra.checker.kusto import read_query


def _read(tmp_path: Path, text: str) -> tuple[list[str], set[str]]:
    path = tmp_path / "query.kql"
    path.write_text(text)
    query = read_query(path)
    return [f"{finding.line}: {finding.message}" for finding in query.findings], set(query.columns)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("AppTraces | project Message", {"Message"}),
        ("AppTraces | extend a = 1 | project a, b = a + 1", {"a", "b"}),
        ("AppRequests | summarize n = count() by Name, bin(TimeGenerated, 5m)", {"n", "Name", "TimeGenerated"}),
        (
            "AppRequests | summarize percentiles(DurationMs, 50, 99)",
            {"percentile_DurationMs_50", "percentile_DurationMs_99"},
        ),
        ("AppTraces | extend l = parse_json(Message) | summarize count() by s = tostring(l.status)", {"s"}),
        ("// a | b\nAppTraces\n| where Message has 'x | y'\n| project Message", {"Message"}),
    ],
)
def test_columns_are_followed(text: str, columns: set[str], tmp_path: Path) -> None:
    """What a stage makes, keeps and drops is known to the next."""
    assert _read(tmp_path, text) == ([], columns)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("AppTrace | count", "1: there is no table AppTrace"),
        ("AppTraces\n| where Mesage has 'x'", "2: there is no column Mesage at this point"),
        ("AppTraces | project Message | where Id == 1", "1: there is no column Id at this point"),
        ("AppTraces | summarize n = count() | project Message", "1: there is no column Message at this point"),
        ("AppTraces | extend a = to_string(Message)", "1: there is no function to_string"),
        ("AppTraces | filter Message has 'x'", "1: a stage begins with filter, which is no operator"),
        ("AppTraces |", "1: a stage begins with nothing, which is no operator"),
        ("AppTraces | where (Message has 'x'", "1: ( is never closed"),
        ("AppTraces | where Message has 'x')", "1: ) closes nothing"),
        ("AppTraces | where Message has 'x", '1: "\'" is no part of a query'),
        ("| where 1 == 1", "1: the query reads no table"),
    ],
)
def test_mistakes_are_named(text: str, told: str, tmp_path: Path) -> None:
    """With the line on which they stand."""
    findings, _ = _read(tmp_path, text)
    assert told in findings
