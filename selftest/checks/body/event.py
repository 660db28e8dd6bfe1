"""B40 to B79: well-formed JSON that is not the documented event, or not an event for this endpoint."""

from collections.abc import Callable
from typing import Any, Final

from selftest.checks.body.refused import BodyFault, Event, EventChange, register_faults

_ZERO: Final = "00000000-0000-0000-0000-000000000000"
_ELSEWHERE: Final = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
_FORBIDDEN: Final = frozenset({403})
_FIX_FOREIGN: Final = (
    "Compare data.tenantId with the configured tenant and data.customAuthenticationExtensionId with the allowed ones; "
    "answer 403. claims/event.py shows it."
)
_ANOTHER_EVENT: Final = "Entra has other events, with other data and other answers; ours would be wrong for them."
_WRONG_TYPE: Final = "A provider that gets another type than it was promised fails deep inside, as a 5xx."
_NO_ID: Final = "Without it the call cannot be found again in Entra's sign-in log."
_SDK: Final = "Microsoft's .NET trigger requires it (RequireNonDefault)"


def _top(name: str, value: object) -> EventChange:
    return lambda event: event.update({name: value})


def _data(name: str, value: object) -> EventChange:
    return lambda event: event["data"].update({name: value})


def _context(name: str, value: object) -> EventChange:
    return lambda event: event["data"]["authenticationContext"].update({name: value})


def _user(name: str, value: object) -> EventChange:
    return lambda event: event["data"]["authenticationContext"]["user"].update({name: value})


def _without(path: Callable[[Event], dict[str, Any]], name: str) -> EventChange:
    def change(event: Event) -> None:
        del path(event)[name]

    return change


def _fault(id: str, what: str, change: EventChange, why: str, **more: Any) -> BodyFault:  # noqa: A002 - as the field
    return BodyFault(
        id=id, title=f"refuses {what}", sends=f"the good event with {what}", why=why, change=change, **more
    )


_TYPES: Final = (
    _fault("B40", "another type name", _top("type", "microsoft.graph.authenticationEvent.other"), _ANOTHER_EVENT),
    _fault("B41", "no type", _without(lambda event: event, "type"), _ANOTHER_EVENT),
    _fault(
        "B42",
        "the type of another event",
        _top("type", "microsoft.graph.authenticationEvent.attributeCollectionStart"),
        _ANOTHER_EVENT,
    ),
    _fault(
        "B43",
        "another data type",
        _data("@odata.type", "microsoft.graph.onOtpSendCalloutData"),
        _ANOTHER_EVENT,
        bad='"@odata.type":"microsoft.graph.onOtpSendCalloutData"',
        good='"@odata.type":"microsoft.graph.onTokenIssuanceStartCalloutData"',
    ),
    _fault("B44", "no data type", _without(lambda event: event["data"], "@odata.type"), _ANOTHER_EVENT),
    _fault("B45", "no data", _without(lambda event: event, "data"), _WRONG_TYPE),
    _fault("B46", "null as data", _top("data", None), _WRONG_TYPE),
    _fault("B47", "a list as data", _top("data", []), _WRONG_TYPE),
    _fault("B48", "no source", _without(lambda event: event, "source"), _WRONG_TYPE),
    _fault("B49", "a number as source", _top("source", 1), _WRONG_TYPE),
)

_IDS: Final = (
    _fault("B50", "no tenant id", _without(lambda event: event["data"], "tenantId"), _NO_ID),
    _fault("B51", "the zero GUID as tenant id", _data("tenantId", _ZERO), _NO_ID),
    _fault("B52", "a tenant id that is no GUID", _data("tenantId", "contoso"), _NO_ID),
    _fault("B53", "a number as tenant id", _data("tenantId", 1), _WRONG_TYPE),
    _fault("B54", "no listener id", _without(lambda event: event["data"], "authenticationEventListenerId"), _NO_ID),
    _fault("B55", "the zero GUID as listener id", _data("authenticationEventListenerId", _ZERO), _NO_ID),
    _fault("B56", "no extension id", _without(lambda event: event["data"], "customAuthenticationExtensionId"), _NO_ID),
    _fault("B57", "the zero GUID as extension id", _data("customAuthenticationExtensionId", _ZERO), _NO_ID),
    _fault("B58", "an extension id that is no GUID", _data("customAuthenticationExtensionId", "mine"), _NO_ID),
    _fault("B59", "no correlation id", _without(lambda e: e["data"]["authenticationContext"], "correlationId"), _NO_ID),
    _fault("B60", "a correlation id that is no GUID", _context("correlationId", "one"), _NO_ID),
)

_FOREIGN: Final = (
    BodyFault(
        id="B62",
        title="forbids an event of another tenant",
        sends="the good event with another tenant's id",
        why="The token is for one tenant; claims of another tenant's users are not the caller's to ask for.",
        change=_data("tenantId", _ELSEWHERE),
        statuses=_FORBIDDEN,
        fix=_FIX_FOREIGN,
    ),
    BodyFault(
        id="B63",
        title="forbids an event of an extension that is not its own",
        sends="the good event with another extension's id",
        why="Every administrator of extensions in the tenant could point one at this endpoint.",
        change=_data("customAuthenticationExtensionId", _ELSEWHERE),
        statuses=_FORBIDDEN,
        fix=_FIX_FOREIGN,
        level="should",
        source="ours: Claims__AllowedExtensionIds; without that setting every extension is allowed",
    ),
)

_SHAPES: Final = (
    _fault("B65", "no authentication context", _without(lambda e: e["data"], "authenticationContext"), _WRONG_TYPE),
    _fault("B66", "a string as authentication context", _data("authenticationContext", "none"), _WRONG_TYPE),
    _fault("B67", "a list as user", _context("user", []), _WRONG_TYPE),
    _fault("B68", "a string as user", _context("user", "ada"), _WRONG_TYPE),
    _fault(
        "B69",
        "a user without id",
        _without(lambda e: e["data"]["authenticationContext"]["user"], "id"),
        "Claims of nobody in particular would be somebody's.",
    ),
    _fault("B70", "a number as user id", _user("id", 1), _WRONG_TYPE),
    _fault("B71", "a list as client", _context("client", []), _WRONG_TYPE),
    _fault("B72", "a number as display name", _user("displayName", 1), _WRONG_TYPE, level="should"),
)

register_faults(_TYPES, source="entra-docs custom-claims-provider-reference.md; the .NET trigger requires each")
register_faults(_IDS, source=f"entra-docs custom-claims-provider-reference.md; {_SDK}")
register_faults(_FOREIGN, source="entra-docs custom-claims-provider-reference.md: tenantId is the extension's tenant")
register_faults(_SHAPES, source="entra-docs custom-claims-provider-reference.md")
