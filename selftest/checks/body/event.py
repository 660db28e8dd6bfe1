"""B40 to B79: JSON that is not the documented event, or an event that is not for this endpoint."""

from collections.abc import Callable
from typing import Final

from selftest.checks.bench.environment import EventJson
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.body.refused import body_fault

_ZERO: Final = "00000000-0000-0000-0000-000000000000"
_ELSEWHERE: Final = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"

_DATA: Final = ("data",)
_CONTEXT: Final = ("data", "authenticationContext")
_USER: Final = (*_CONTEXT, "user")

type _Body = Callable[[EventJson], bytes]


def _set(path: tuple[str, ...], name: str, value: object) -> _Body:
    def body(event: EventJson) -> bytes:
        _at(event, path)[name] = value
        return encode(event)

    return body


def _without(path: tuple[str, ...], name: str) -> _Body:
    def body(event: EventJson) -> bytes:
        del _at(event, path)[name]
        return encode(event)

    return body


def _at(event: EventJson, path: tuple[str, ...]) -> EventJson:
    for step in path:
        event = event[step]
    return event


body_fault("B40", _set((), "type", "microsoft.graph.authenticationEvent.other"))
body_fault("B41", _without((), "type"))
body_fault("B42", _set((), "type", "microsoft.graph.authenticationEvent.attributeCollectionStart"))
body_fault("B43", _set(_DATA, "@odata.type", "microsoft.graph.onOtpSendCalloutData"))
body_fault("B44", _without(_DATA, "@odata.type"))
body_fault("B45", _without((), "data"))
body_fault("B46", _set((), "data", None))
body_fault("B47", _set((), "data", []))
body_fault("B48", _without((), "source"))
body_fault("B49", _set((), "source", 1))

body_fault("B50", _without(_DATA, "tenantId"))
body_fault("B51", _set(_DATA, "tenantId", _ZERO))
body_fault("B52", _set(_DATA, "tenantId", "contoso"))
body_fault("B53", _set(_DATA, "tenantId", 1))
body_fault("B54", _without(_DATA, "authenticationEventListenerId"))
body_fault("B55", _set(_DATA, "authenticationEventListenerId", _ZERO))
body_fault("B56", _without(_DATA, "customAuthenticationExtensionId"))
body_fault("B57", _set(_DATA, "customAuthenticationExtensionId", _ZERO))
body_fault("B58", _set(_DATA, "customAuthenticationExtensionId", "mine"))
body_fault("B59", _without(_CONTEXT, "correlationId"))
body_fault("B60", _set(_CONTEXT, "correlationId", "one"))

body_fault("B62", _set(_DATA, "tenantId", _ELSEWHERE))
body_fault("B63", _set(_DATA, "customAuthenticationExtensionId", _ELSEWHERE))

body_fault("B65", _without(_DATA, "authenticationContext"))
body_fault("B66", _set(_DATA, "authenticationContext", "none"))
body_fault("B67", _set(_CONTEXT, "user", []))
body_fault("B68", _set(_CONTEXT, "user", "ada"))
body_fault("B69", _without(_USER, "id"))
body_fault("B70", _set(_USER, "id", 1))
body_fault("B71", _set(_CONTEXT, "client", []))
body_fault("B72", _set(_USER, "displayName", 1))
