"""The hand-written handler, with claims from a table by Microsoft's client: a user's department, job title and roles.

Token, event and answer are handled as in benchmarks/peers/handwritten, whose module this loads. The client is made once
and keeps the token. azure-core would log each request, with the user's id.

Source: azure-data-tables' documentation, "Authenticate the client", "Getting entities".
"""

import logging
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient
from azure.identity.aio import ManagedIdentityCredential

from benchmarks.peers.handwritten import function_app as handler

logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)
TENANT = handler.AUTHORITY.rpartition("/")[2]
table = TableClient(
    handler.settings["Claims__Table__Url"],
    handler.settings["Claims__Table__Name"],
    credential=ManagedIdentityCredential(),
)


async def claims_of(context: dict[str, Any]) -> dict[str, Any]:
    """Read the user's entity; a user without one has no claims."""
    try:
        entity = await table.get_entity(TENANT, context["user"]["id"])
    except ResourceNotFoundError as error:
        if getattr(error, "error_code", "") != "ResourceNotFound":  # the table itself is missing
            raise
        return {}
    return {
        "Department": entity["Department"],
        "JobTitle": entity["JobTitle"],
        "Roles": entity["Roles"].split(","),
    }


vars(handler)["claims_of"] = claims_of
app = handler.app
