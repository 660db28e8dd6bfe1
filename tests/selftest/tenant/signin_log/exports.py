"""One sign-in log in every form in which people export it, and the endpoint's lines in theirs.

The shapes are constructed from the published types; a row carries the personal data that real ones do, each with a
mark, so that a test can look for it in everything that comes out.
"""

import csv
import io
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pytest

from claims.errors import ProviderFailed
from claims.measurements import Measurements
from claims.request_log import RequestLog, RequestRecord

#: What real rows hold and nobody may see again.
MARK: Final = "zq9person"
PERSONAL: Final = {
    "userDisplayName": f"{MARK} Sample",
    "userPrincipalName": f"{MARK}@sample.example",
    "userId": "cccccccc-0000-4000-8000-00000000aaaa",
    "ipAddress": "203.0.113.77",
    "userAgent": f"Mozilla {MARK}",
    "location": {"city": f"{MARK}town", "countryOrRegion": "XX"},
    "deviceDetail": {"displayName": f"{MARK}-laptop"},
}
SECRETS: Final = (MARK, "203.0.113.77", "cccccccc-0000-4000-8000-00000000aaaa")
APP_ID: Final = "77777777-7777-4777-8777-777777777777"
EXTENSION_ID: Final = "44444444-4444-4444-8444-444444444444"
LISTENER_ID: Final = "33333333-3333-4333-8333-333333333333"


def correlation_id(number: int) -> str:
    """Give the id of the n-th sign-in."""
    return f"dddddddd-0000-4000-8000-{number:012d}"


def callout(
    *, code: int = 0, status: int | None = 200, attempts: int = 1, at: str = "2026-11-20T09:00:00Z"
) -> dict[str, Any]:
    """Make the result of one call, in Graph's members."""
    return {
        "@odata.type": "#microsoft.graph.customExtensionCalloutResult",
        "calloutDateTime": at,
        "customExtensionId": EXTENSION_ID,
        "errorCode": code,
        "httpStatus": status,
        "numberOfAttempts": attempts,
    }


def signin(
    number: int, *results: Mapping[str, Any], event: str = "tokenIssuanceStart", **changes: Any
) -> dict[str, Any]:
    """Make one sign-in as Graph returns it, with one event for each result."""
    failed = any(result["errorCode"] for result in results)
    return {
        "id": f"eeeeeeee-0000-4000-8000-{number:012d}",
        "createdDateTime": f"2026-11-20T09:{number:02d}:00Z",
        "correlationId": correlation_id(number),
        "appId": APP_ID,
        "appDisplayName": "Sample portal",
        **PERSONAL,
        "status": {"errorCode": 1100001 if failed else 0, "failureReason": f"for {MARK}"},
        "appliedEventListeners": [
            {"eventType": event, "executedListenerId": LISTENER_ID, "handlerResult": dict(result)} for result in results
        ],
        **changes,
    }


#: A success, a timeout and a refusal, a minute apart.
THREE: Final = [
    signin(1, callout()),
    signin(2, callout(code=1003005, status=0, attempts=2, at="2026-11-20T09:02:00Z")),
    signin(3, callout(code=1003002, status=401, at="2026-11-20T09:03:00Z")),
]


def pascal(value: Any) -> Any:
    """Write every member's name with a capital, as .NET does."""
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: pascal(inner) for name, inner in value.items()}
    return [pascal(item) for item in value] if isinstance(value, list) else value


def as_log_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a sign-in as Log Analytics has it: other names, flat, and what is nested as it may be there."""
    return {
        "TimeGenerated": row["createdDateTime"],
        "CorrelationId": row["correlationId"],
        "AppId": row["appId"],
        "AppDisplayName": row["appDisplayName"],
        "UserPrincipalName": row["userPrincipalName"],
        "IPAddress": row["ipAddress"],
        "ResultType": str(row["status"]["errorCode"]),
        "ResultDescription": row["status"]["failureReason"],
        "AppliedEventListeners": json.dumps(pascal(row["appliedEventListeners"])),
    }


def as_query(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give rows as the query API answers."""
    names = list(rows[0])
    return {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [{"name": name, "type": "string"} for name in names],
                "rows": [[row[name] for name in names] for row in rows],
            }
        ]
    }


def as_csv(rows: Sequence[Mapping[str, Any]], *, delimiter: str = ",", heads: Callable[[str], str] = str) -> str:
    """Give rows as a CSV export."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerow([heads(name) for name in rows[0]])
    writer.writerows(
        [[value if isinstance(value, str) else json.dumps(value) for value in row.values()] for row in rows]
    )
    return stream.getvalue()


def _numbers_as_text(row: dict[str, Any]) -> dict[str, Any]:
    listeners = [
        {**listener, "handlerResult": {name: str(value) for name, value in listener["handlerResult"].items()}}
        for listener in row["appliedEventListeners"]
    ]
    return {**row, "appliedEventListeners": listeners}


def _results_as_text(row: dict[str, Any]) -> dict[str, Any]:
    listeners = [
        {**listener, "handlerResult": json.dumps(listener["handlerResult"])}
        for listener in row["appliedEventListeners"]
    ]
    return {**row, "appliedEventListeners": listeners}


_LOG_ROWS: Final = [as_log_row(row) for row in THREE]

#: The same three sign-ins in every form.
FORMS: Final[dict[str, bytes]] = {
    "a Graph page": json.dumps({"@odata.context": "x", "value": THREE}, indent=2).encode(),
    "a list": json.dumps(THREE).encode(),
    "a list with a byte order mark": b"\xef\xbb\xbf" + json.dumps(THREE).encode(),
    "JSON lines": "\n".join(map(json.dumps, THREE)).encode() + b"\n",
    "JSON lines of Graph pages": "\n".join(json.dumps({"value": [row]}) for row in THREE).encode(),
    "PascalCase": json.dumps(pascal(THREE)).encode(),
    "numbers as text": json.dumps([_numbers_as_text(row) for row in THREE]).encode(),
    "results as JSON text": json.dumps([_results_as_text(row) for row in THREE]).encode(),
    "a query's tables": json.dumps(as_query(_LOG_ROWS)).encode(),
    "the CLI's list of a query": json.dumps([{**row, "TableName": "PrimaryResult"} for row in _LOG_ROWS]).encode(),
    "diagnostic records": json.dumps(
        {"records": [{"time": row["createdDateTime"], "category": "SignInLogs", "properties": row} for row in THREE]}
    ).encode(),
    "diagnostic record lines": "\n".join(
        json.dumps({"category": "SignInLogs", "properties": row}) for row in THREE
    ).encode(),
    "CSV of a workspace": as_csv(
        _LOG_ROWS, heads=lambda name: f"{name} [UTC]" if name == "TimeGenerated" else name
    ).encode(),
    "CSV with semicolons": as_csv(_LOG_ROWS, delimiter=";").encode(),
    "CSV in UTF-16": b"\xff\xfe" + as_csv(_LOG_ROWS).encode("utf-16-le"),
    "JSON in UTF-16, big end first": b"\xfe\xff" + json.dumps(THREE).encode("utf-16-be"),
}


def endpoint_line(
    caplog: pytest.LogCaptureFixture,
    *,
    number: int | None,
    outcome: str = "claims",
    status: int = 200,
    total_ms: float = 12.0,
    phase: str = "provider",
    detail: str = "",
    failure: str | None = None,
    cold: bool = False,
) -> str:
    """Have the endpoint's own log write a line."""
    ticks = iter((0.0, 0.0, *(total_ms / 1000,) * 9))
    measured = Measurements(budget_ms=1500, clock=lambda: next(ticks))
    record = RequestRecord(measured=measured, cold=cold, authenticated=number is not None)
    record.correlation_id = None if number is None else correlation_id(number)
    record.failure = None if failure is None else ProviderFailed(failure)
    log = RequestLog(clock=lambda: 0.0, stalled_ms=lambda _since_s: 0.0)
    with caplog.at_level(logging.INFO, logger="claims.request"):
        with measured.phase(phase):
            pass
        log.write(record, measured.timings(), status=status, outcome=outcome, detail=detail)
    return caplog.records[-1].getMessage()
