"""Sign-ins as the log of Graph beta has them, with the result of the callout.

No real sample is public: the members are those of the published types, the values those of public reports. The log does
not have the duration of a callout, though the portal shows it.

Source: microsoft-graph-docs beta ``resources/signin.md``, ``resources/appliedauthenticationeventlistener.md``,
``resources/customextensioncalloutresult.md``.
"""

from typing import Final

from selftest.base.sample_tenant import DEFAULT_TENANT, Tenant
from selftest.tenant.graph.objects import GraphObject

CALLOUT_RESULT_TYPE: Final = "#microsoft.graph.customExtensionCalloutResult"
#: The app's error code when a callout finally failed; the callout's code is in its result.
CALLOUT_FAILED: Final = 1100001


def sign_in(
    name: str,
    created: str,
    *,
    error_code: int = 0,
    http_status: int = 200,
    attempts: int = 1,
    interactive: bool = True,
    tenant: Tenant = DEFAULT_TENANT,
) -> GraphObject:
    """Return a sign-in to the tenant's client app for which its listener fired.

    Args:
        name: Its id; also its correlation id.
        created: When, as Graph writes times.
        error_code: Of the callout, 1003xxx; 0 when it succeeded.
        http_status: Of the endpoint's last answer; its value without an answer is not known.
        attempts: 0 when Entra refused before the call.
        interactive: Whether the user took part; the others are listed only on request.
        tenant: The source of the ids.
    """
    failure = "Non-retryable error has occurred." if error_code else None
    result = {
        "@odata.type": CALLOUT_RESULT_TYPE,
        "calloutDateTime": created,
        "customExtensionId": tenant.extension_id,
        "errorCode": error_code,
        "httpStatus": http_status,
        "numberOfAttempts": attempts,
    }
    applied = {"eventType": "tokenIssuanceStart", "executedListenerId": tenant.listener_id, "handlerResult": result}
    return {
        "id": name,
        "correlationId": name,
        "createdDateTime": created,
        "appId": tenant.client.app_id,
        "appDisplayName": tenant.client.app_display_name,
        "isInteractive": interactive,
        "signInEventTypes": ["interactiveUser" if interactive else "nonInteractiveUser"],
        "status": {"errorCode": CALLOUT_FAILED if error_code else 0, "failureReason": failure},
        "appliedEventListeners": [applied],
    }
