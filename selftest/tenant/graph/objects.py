"""Names, ids and paths that Microsoft Graph has for the objects of a custom claims provider.

Source: microsoft-graph-docs v1.0 ``resources/onTokenIssuanceStartCustomExtension.md``,
``resources/onTokenIssuanceStartListener.md``, ``permissions-reference.md``; entra-docs
``custom-extension-tokenissuancestart-configuration.md``.
"""

from typing import Any, Final

type GraphObject = dict[str, Any]

#: The application of Microsoft Graph, whose role is granted to the endpoint's service principal.
GRAPH_APP_ID: Final = "00000003-0000-0000-c000-000000000000"
#: Documentation pages differ in the role's name and mask its id; this is from Graph's own list of permissions.
RECEIVE_PAYLOAD_ROLE_ID: Final = "214e810f-fda8-4fd7-a475-29461495eb00"
RECEIVE_PAYLOAD_ROLE: Final = "CustomAuthenticationExtension.Receive.Payload"

EXTENSION_TYPE: Final = "#microsoft.graph.onTokenIssuanceStartCustomExtension"
LISTENER_TYPE: Final = "#microsoft.graph.onTokenIssuanceStartListener"
HANDLER_TYPE: Final = "#microsoft.graph.onTokenIssuanceStartCustomExtensionHandler"
ENDPOINT_TYPE: Final = "#microsoft.graph.httpRequestEndpoint"
AUTHENTICATION_TYPE: Final = "#microsoft.graph.azureAdTokenAuthentication"

EXTENSIONS: Final = "/identity/customAuthenticationExtensions"
LISTENERS: Final = "/identity/authenticationEventListeners"
POLICIES: Final = "/policies/claimsMappingPolicies"

#: The claims that the sample provider returns.
SAMPLE_CLAIMS: Final = ("CorrelationId", "ApiVersion", "DateOfBirth", "CustomRoles")


def resource_id(host: str, app_id: str) -> str:
    """Return the only form of identifier URI that Entra accepts for the endpoint's app registration."""
    return f"api://{host}/{app_id}"
