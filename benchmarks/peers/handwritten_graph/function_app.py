"""The hand-written handler, with claims from Microsoft's Graph SDK: a user's department, employee id and groups.

Token, event and answer are handled as in benchmarks/peers/handwritten, whose module this loads. Both requests are sent
at once, the groups page by page. The client, and what never changes of the requests, is made once; azure-identity keeps
the token. The SDK's adapter has a base URL, which is its documented way to another cloud, and its authentication
provider sends a token without TLS to loopback hosts alone, so nothing of the SDK is replaced. httpx would log each URL,
with the user's id.

Not as in Azure: without TLS it speaks HTTP/1.1, with Graph itself HTTP/2, whose frames it writes in Python. And sniffio
is installed, which the SDK does not bring: httpcore looks for that module several times a request, and searching for it
in vain took almost half of the time of a sign-in without the models.

Source: msgraph-sdk's README; microsoft-graph-docs ``user-get.md``, ``user-list-transitivememberof.md`` (Python).
"""

import asyncio
import logging
from typing import Any

from azure.identity.aio import ManagedIdentityCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.users.item.transitive_member_of.graph_group.graph_group_request_builder import (
    GraphGroupRequestBuilder,
)
from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder

from benchmarks.peers.handwritten import function_app as handler

logging.getLogger("httpx").setLevel(logging.WARNING)
adapter = GraphRequestAdapter(
    AzureIdentityAuthenticationProvider(ManagedIdentityCredential(), scopes=[handler.settings["Claims__Graph__Scope"]])
)
adapter.base_url = handler.settings["Claims__Graph__Url"]
graph = GraphServiceClient(request_adapter=adapter)

user_request = RequestConfiguration(
    query_parameters=UserItemRequestBuilder.UserItemRequestBuilderGetQueryParameters(
        select=["department", "employeeId"]
    )
)
groups_request = RequestConfiguration(
    query_parameters=GraphGroupRequestBuilder.GraphGroupRequestBuilderGetQueryParameters(
        select=["displayName"], count=True, top=999
    )
)
groups_request.headers.add("ConsistencyLevel", "eventual")


async def claims_of(context: dict[str, Any]) -> dict[str, Any]:
    """Ask Graph for both at once."""
    builder = graph.users.by_user_id(context["user"]["id"])
    user, groups = await asyncio.gather(builder.get(user_request), names(builder.transitive_member_of.graph_group))
    return {"department": user.department, "employeeId": user.employee_id, "groups": groups}


async def names(builder: GraphGroupRequestBuilder) -> list[str]:
    """Read the names of all pages."""
    page = await builder.get(groups_request)
    found = [group.display_name for group in page.value]
    while page.odata_next_link:
        page = await builder.with_url(page.odata_next_link).get()
        found += [group.display_name for group in page.value]
    return sorted(set(found))


vars(handler)["claims_of"] = claims_of
app = handler.app
