"""As benchmarks/peers/handwritten_graph, but the SDK returns responses and the handler reads their JSON itself.

The SDK's models cost it most of its time: somebody who has measured that leaves them out, which the SDK offers with a
response handler. Client, token and requests are the same.

Source: kiota's ``NativeResponseHandler`` and ``ResponseHandlerOption``.
"""

import asyncio
from typing import Any

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_http.middleware.options import ResponseHandlerOption

from benchmarks.peers.handwritten import function_app as handler
from benchmarks.peers.handwritten_graph import function_app as with_models

for request in (with_models.user_request, with_models.groups_request, next_page := RequestConfiguration()):
    request.options = [ResponseHandlerOption(NativeResponseHandler())]


async def claims_of(context: dict[str, Any]) -> dict[str, Any]:
    """Ask Graph for both at once."""
    builder = with_models.graph.users.by_user_id(context["user"]["id"])
    user, groups = await asyncio.gather(
        document(builder, with_models.user_request), names(builder.transitive_member_of.graph_group)
    )
    return {"department": user["department"], "employeeId": user["employeeId"], "groups": groups}


async def names(builder: Any) -> list[str]:
    """Read the names of all pages."""
    page = await document(builder, with_models.groups_request)
    found = [group["displayName"] for group in page["value"]]
    while "@odata.nextLink" in page:
        page = await document(builder.with_url(page["@odata.nextLink"]), next_page)
        found += [group["displayName"] for group in page["value"]]
    return sorted(set(found))


async def document(builder: Any, request: Any) -> dict[str, Any]:
    """Send a request and return the JSON of its response."""
    response = await builder.get(request)
    response.raise_for_status()
    body: dict[str, Any] = response.json()
    return body


vars(handler)["claims_of"] = claims_of
app = handler.app
