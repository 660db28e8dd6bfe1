"""What the queries of the alerts and the workbook must keep."""

import re
from collections.abc import Iterator
from typing import Final

from tests.infra import kusto
from tests.infra.checkout import Checkout, walk

#: Functions of Kusto that take each row as one, and the argument by which the others weigh it.
_COUNTS_ROWS: Final = re.compile(r"\b(avg|avgif|count|countif|dcount|dcountif|percentile|percentiles|stdev|variance)\(")
_WEIGHT: Final = re.compile(r"\b(?:sumif\(|sum\(|percentiles?w\(\w+, )(\w+)")


def queries(checkout: Checkout) -> Iterator[str]:
    """Every query is one that Kusto understands."""
    texts = checkout.queries()
    kusto.prepare(texts.values())
    for name, query in texts.items():
        yield from (f"{name}:{line}: {message}" for line, message in kusto.judge(query).diagnostics)


def query_weights(checkout: Checkout) -> Iterator[str]:
    """Each query counts by ItemCount, because one row of sampled telemetry stands for many."""
    for name, query in _app_queries(checkout):
        yield from (f"{name}: {called}() counts rows" for called in _COUNTS_ROWS.findall(query))
        for weight in _WEIGHT.findall(query):
            if weight != "ItemCount" and f"extend {weight} = ItemCount *" not in query:
                yield f"{name}: {weight} is not made of ItemCount"


def alert_calls(checkout: Checkout) -> Iterator[str]:
    """Each alert counts authenticated calls, as the endpoint's line says; the host's requests do not know."""
    for name, query in _app_queries(checkout):
        lines = "toint(line.status) != 401" in query
        requests = "AppRequests" not in query or "OperationId in (authenticated)" in query
        if name.startswith("alert-") and not (lines and requests):
            yield f"{name} counts calls of strangers"


def _app_queries(checkout: Checkout) -> Iterator[tuple[str, str]]:
    for name, query in checkout.queries().items():
        if re.search(r"(?m)^App(Requests|Traces)$", query):
            yield name, query


def queries_used(checkout: Checkout) -> Iterator[str]:
    """Every query is in an alert or in a view of the workbook."""
    used = {node for template in checkout.templates.values() for _, node in walk(template) if isinstance(node, str)}
    for name, query in checkout.queries().items():
        if query not in used:
            yield f"no alert and no view of the workbook has {name}"
