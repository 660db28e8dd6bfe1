"""The names and limits that Microsoft's contract fixes, shared by the endpoint and the harness.

Nothing here is ours to choose: a change in this module means that Microsoft's documentation changed.

Source: entra-docs ``custom-claims-provider-reference.md``, ``custom-extension-overview.md``,
``reference-claims-customization.md``; Microsoft Graph v1.0 ``customExtensionClientConfiguration``.
"""

import re
from collections.abc import Mapping
from typing import Final

#: A claim as the event's reply carries it. Booleans, numbers and objects are not supported.
type ClaimValue = str | list[str] | tuple[str, ...]
type Claims = Mapping[str, ClaimValue]

EVENT_TYPE: Final = "microsoft.graph.authenticationEvent.tokenIssuanceStart"
CALLOUT_DATA_TYPE: Final = "microsoft.graph.onTokenIssuanceStartCalloutData"
RESPONSE_DATA_TYPE: Final = "microsoft.graph.onTokenIssuanceStartResponseData"
PROVIDE_CLAIMS_ACTION: Final = "microsoft.graph.tokenIssuanceStart.provideClaimsForToken"

#: The application id of the service that makes the call: "Azure AD Authentication Extensions".
EVENT_SERVICE_APP_ID: Final = "99045fe1-7639-4a75-9d4a-577b6ca3810f"

#: Entra waits this long for one attempt; the tenant chooses between the two.
MIN_TIMEOUT_MS: Final = 200
MAX_TIMEOUT_MS: Final = 2000
#: What Graph stores when an extension is created without a timeout: always set 2000.
DEFAULT_TIMEOUT_MS: Final = 1000
MAX_RETRIES: Final = 1

#: Keys and values together, in UTF-8 bytes. The page says "3 KB"; whether that is 3000 or 3072 is
#: not published, so the endpoint stays under the smaller and the judge refuses above the larger.
SAFE_CLAIMS_BYTES: Final = 3000
MAX_CLAIMS_BYTES: Final = 3072

#: Spelled out: a group that repeats is slower to match, and an event has eight.
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_ZERO_GUID: Final = "00000000-0000-0000-0000-000000000000"


def is_guid(text: str) -> bool:
    """Whether a text is a GUID that can name something: Microsoft's form with hyphens, in any case, and not zero."""
    return _GUID.fullmatch(text) is not None and text != _ZERO_GUID


def claims_size_bytes(claims: Claims) -> int:
    """Count the UTF-8 bytes of keys and values, as the 3 KB limit counts them."""
    texts = list(claims)
    for value in claims.values():
        if isinstance(value, str):
            texts.append(value)
        else:
            texts += value
    return len("".join(texts).encode())
