"""Recent sign-ins straight from Microsoft Graph.

Only the members that are judged are requested, so no name of a person leaves the tenant. Events are in Graph's beta
only; interactive sign-ins and those that renew a token are two lists.

Source: microsoft-graph-docs beta ``api/signin-list.md``, ``resources/signin.md``.
"""

import datetime as dt
from typing import Final

from selftest.tenant.graph.client import GraphClient, literal
from selftest.tenant.signin_log.fields import Fields
from selftest.tenant.signin_log.tables import LogRow, Table

PERMISSION: Final = "AuditLog.Read.All"
_PATH: Final = "/auditLogs/signIns"
_MEMBERS: Final = ("createdDateTime", "correlationId", "appId", "appDisplayName", "status", "appliedEventListeners")
#: Without it Graph returns unknownFutureValue for an event type that is newer than the schema.
_HEADERS: Final = {"Prefer": "include-unknown-enum-members"}
_RENEWALS: Final = "signInEventTypes/any(t: t eq 'nonInteractiveUser')"
_PAGE: Final = "500"
#: Ten thousand sign-ins; more need a shorter time, one app or one sign-in.
_MAX_PAGES: Final = 20


async def read_live(
    client: GraphClient, *, since: dt.datetime, app_id: str | None = None, correlation_id: str | None = None
) -> Table:
    """Read sign-ins, the newest first within each of the two lists.

    Raises:
        GraphError: Graph cannot be read; the message names a missing permission.
    """
    terms = [f"createdDateTime ge {since.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"]
    if app_id is not None:
        terms.append(f"appId eq {literal(app_id)}")
    if correlation_id is not None:
        terms.append(f"correlationId eq {literal(correlation_id)}")
    rows: list[LogRow] = []
    for more in ((), (_RENEWALS,)):
        query = {"$filter": " and ".join((*terms, *more)), "$top": _PAGE}
        found = await client.list_all(
            _PATH, select=_MEMBERS, version="beta", query=query, headers=_HEADERS, max_pages=_MAX_PAGES
        )
        rows += [LogRow(f"sign-in {number}", Fields(item)) for number, item in enumerate(found, start=len(rows) + 1)]
    return Table(rows=tuple(rows))
