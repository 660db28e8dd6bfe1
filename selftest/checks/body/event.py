"""B40 to B79: JSON that is not the documented event, or an event that is not for this endpoint."""

from collections.abc import Callable
from functools import partial
from typing import Final, Unpack

from selftest.checks.bench.environment import EventJson
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.body.refused import body_fault
from selftest.checks.registry import CheckTexts

_ZERO: Final = "00000000-0000-0000-0000-000000000000"
_ELSEWHERE: Final = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
_REFERENCE: Final = "entra-docs custom-claims-provider-reference.md"
_FIX: Final = (
    "Parse the body once into a typed event with strict rules, and answer 400 if that fails. See claims/event.py."
)
_FIX_FOREIGN: Final = (
    "Compare data.tenantId with the configured tenant and data.customAuthenticationExtensionId with the "
    "allowed extensions; answer 403. See claims/event.py."
)
_ANOTHER_EVENT: Final = (
    "Entra has other events with other data and other replies; a reply to this event would be wrong for them."
)
_WRONG_TYPE: Final = "A provider that gets an unexpected type fails later, with a 5xx."
_NO_ID: Final = "Without it, the call cannot be found in Entra's sign-in log."

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


def _refuses(id: str, what: str, body: _Body, **texts: Unpack[CheckTexts]) -> None:  # noqa: A002 - as the field
    body_fault(id, f"refuses {what}", sends=f"the valid event with {what}", body=body, **texts)


_type = partial(
    _refuses, level="convention", why=_ANOTHER_EVENT, source=f"{_REFERENCE}; the .NET trigger requires each", fix=_FIX
)
_type("B40", "another type name", _set((), "type", "microsoft.graph.authenticationEvent.other"))
_type("B41", "a missing type", _without((), "type"))
_type(
    "B42",
    "the type of another event",
    _set((), "type", "microsoft.graph.authenticationEvent.attributeCollectionStart"),
    level="hardening",
)
_type(
    "B43",
    "another data type",
    _set(_DATA, "@odata.type", "microsoft.graph.onOtpSendCalloutData"),
    bad='"@odata.type":"microsoft.graph.onOtpSendCalloutData"',
    good='"@odata.type":"microsoft.graph.onTokenIssuanceStartCalloutData"',
)
_type("B44", "a missing data type", _without(_DATA, "@odata.type"))
_type("B45", "a missing data member", _without((), "data"), level="hardening", why=_WRONG_TYPE)
_type("B46", "null as data", _set((), "data", None), level="hardening", why=_WRONG_TYPE)
_type("B47", "a list as data", _set((), "data", []), level="hardening", why=_WRONG_TYPE)
_type("B48", "a missing source", _without((), "source"), why=_WRONG_TYPE)
_type("B49", "a number as source", _set((), "source", 1), why=_WRONG_TYPE)

_id = partial(
    _refuses,
    level="convention",
    why=_NO_ID,
    source=f"{_REFERENCE}; Microsoft's .NET trigger requires it (RequireNonDefault)",
    fix=_FIX,
)
_id("B50", "a missing tenant id", _without(_DATA, "tenantId"))
_id("B51", "the zero GUID as tenant id", _set(_DATA, "tenantId", _ZERO))
_id("B52", "a tenant id that is not a GUID", _set(_DATA, "tenantId", "contoso"))
_id("B53", "a number as tenant id", _set(_DATA, "tenantId", 1), why=_WRONG_TYPE)
_id("B54", "a missing listener id", _without(_DATA, "authenticationEventListenerId"))
_id("B55", "the zero GUID as listener id", _set(_DATA, "authenticationEventListenerId", _ZERO))
_id("B56", "a missing extension id", _without(_DATA, "customAuthenticationExtensionId"))
_id("B57", "the zero GUID as extension id", _set(_DATA, "customAuthenticationExtensionId", _ZERO))
_id("B58", "an extension id that is not a GUID", _set(_DATA, "customAuthenticationExtensionId", "mine"))
_id("B59", "a missing correlation id", _without(_CONTEXT, "correlationId"))
_id("B60", "a correlation id that is not a GUID", _set(_CONTEXT, "correlationId", "one"))

_foreign = partial(
    body_fault,
    level="hardening",
    source=f"{_REFERENCE}: tenantId is the extension's tenant",
    fix=_FIX_FOREIGN,
)
_foreign(
    "B62",
    "refuses an event of another tenant",
    sends="the valid event with another tenant's id",
    why="The caller may request claims of its own tenant's users only.",
    body=_set(_DATA, "tenantId", _ELSEWHERE),
)
_foreign(
    "B63",
    "refuses an event of an extension that is not allowed",
    sends="the valid event with another extension's id",
    why="Any administrator of extensions in the tenant could point an extension at this endpoint.",
    body=_set(_DATA, "customAuthenticationExtensionId", _ELSEWHERE),
    source="ours: Claims__AllowedExtensionIds; without this setting every extension is allowed",
)

_shape = partial(_refuses, level="hardening", why=_WRONG_TYPE, source=_REFERENCE, fix=_FIX)
_shape("B65", "a missing authentication context", _without(_DATA, "authenticationContext"))
_shape("B66", "a string as authentication context", _set(_DATA, "authenticationContext", "none"))
_shape("B67", "a list as user", _set(_CONTEXT, "user", []))
_shape("B68", "a string as user", _set(_CONTEXT, "user", "ada"))
_shape("B69", "a user without an id", _without(_USER, "id"), why="The claims would not belong to a known user.")
_shape("B70", "a number as user id", _set(_USER, "id", 1))
_shape("B71", "a list as client", _set(_CONTEXT, "client", []), level="convention")
_shape("B72", "a number as display name", _set(_USER, "displayName", 1), level="convention")
