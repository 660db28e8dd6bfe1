"""The event: what Entra says about the sign-in that waits for our claims.

Strict about what the endpoint acts on, tolerant of the rest. Members that Microsoft adds tomorrow are ignored; a member
that is documented and has the wrong type is refused, because what is wrong there is not ours to guess. Of ``user`` only
``id`` is required: Microsoft's own payload for an External ID social account has no ``userPrincipalName``.

Source: entra-docs ``custom-claims-provider-reference.md``; microsoft/woodgrove-auth-api ``wwwroot/Help``.
"""

from collections.abc import Mapping
from types import NoneType
from typing import Any, Final, NamedTuple

from claims.contract import CALLOUT_DATA_TYPE, EVENT_TYPE, is_guid
from claims.errors import BodyRefused, BodyTooLarge, EventForbidden, shorten
from claims.settings.settings import Settings
from claims.wire import strict_json

#: The largest documented payload is about 2.5 kB.
MAX_BODY_BYTES: Final = 64 * 1024
MAX_UNKNOWN: Final = 8


class Client(NamedTuple):
    """Where the user signs in from: ``ip`` is IPv4 or IPv6, ``locale`` and ``market`` are like ``en-us``."""

    ip: str | None
    locale: str | None
    market: str | None


class ServicePrincipal(NamedTuple):
    """An application in the tenant: ``app_id`` is its client id, ``id`` the object id of its service principal."""

    id: str | None
    app_id: str
    app_display_name: str | None
    display_name: str | None


class User(NamedTuple):
    """The user who signs in. Only ``id``, the object id, is always there; ``user_type`` is ``Member`` or ``Guest``."""

    id: str
    company_name: str | None
    created_date_time: str | None
    display_name: str | None
    given_name: str | None
    mail: str | None
    on_premises_sam_account_name: str | None
    on_premises_security_identifier: str | None
    on_premises_user_principal_name: str | None
    preferred_data_location: str | None
    preferred_language: str | None
    surname: str | None
    user_principal_name: str | None
    user_type: str | None


class AuthenticationContext(NamedTuple):
    """The sign-in.

    Attributes:
        correlation_id: The same in Entra's sign-in log, and in the retry of the same call.
        protocol: ``OAUTH2.0``, ``SAML``, ``WS-FED`` or one that is new.
        client_service_principal: The application that the user signs in to.
        resource_service_principal: The application that the token is for; the same one for an id token.
    """

    correlation_id: str
    protocol: str | None
    client: Client | None
    client_service_principal: ServicePrincipal | None
    resource_service_principal: ServicePrincipal | None
    user: User | None


class TokenIssuanceStart(NamedTuple):
    """The ``onTokenIssuanceStart`` event. GUIDs are in lower case.

    Attributes:
        source: ``/tenants/{tenantId}/applications/{appId}``; which application that is, is not documented.
        tenant_id: The tenant where the extension lives.
        listener_id: The event listener that fired (``executedListenerId`` in the sign-in log).
        extension_id: The custom authentication extension (``customExtensionId`` in the sign-in log).
        unknown_members: The paths of members that this endpoint does not know, at most `MAX_UNKNOWN`; their names are
            as they came.
    """

    source: str
    tenant_id: str
    listener_id: str
    extension_id: str
    context: AuthenticationContext
    unknown_members: tuple[str, ...] = ()


def parse_event(body: bytes) -> TokenIssuanceStart:
    """Parse the callout's body.

    Raises:
        BodyTooLarge: More than `MAX_BODY_BYTES`.
        BodyRefused: Not strict JSON, or not the documented event; the detail names the member.
    """
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge("body_too_large", f"at most {MAX_BODY_BYTES} bytes, got {len(body)}")
    try:
        event = strict_json.parse_object(body)
    except strict_json.StrictJsonError as error:
        raise BodyRefused("body_json", str(error)) from error
    _require(event, "type", EVENT_TYPE)
    data = _object(event, "data")
    _require(data, "@odata.type", CALLOUT_DATA_TYPE)
    context = _object(data, "authenticationContext")
    return TokenIssuanceStart(
        _required_text(event, "source"),
        _guid(data, "tenantId"),
        _guid(data, "authenticationEventListenerId"),
        _guid(data, "customAuthenticationExtensionId"),
        _context(context),
        () if _is_known(event, data, context) else tuple(_unknown(event, _KNOWN)[:MAX_UNKNOWN]),
    )


def require_configured(event: TokenIssuanceStart, settings: Settings) -> None:
    """Require the event's tenant to be the token's, which is the configured one, and its extension to be allowed.

    Raises:
        EventForbidden: Another tenant or extension.
    """
    if event.tenant_id != settings.tenant_id:
        raise EventForbidden("event_tenant", f"expected '{settings.tenant_id}', got {shorten(event.tenant_id)}")
    if settings.allowed_extension_ids and event.extension_id not in settings.allowed_extension_ids:
        raise EventForbidden("event_extension", f"expected an allowed extension, got {shorten(event.extension_id)}")


def _context(context: dict[str, Any]) -> AuthenticationContext:
    return AuthenticationContext(
        _guid(context, "correlationId"),
        _text(context, "protocol"),
        _build(Client, context, "client"),
        _build(ServicePrincipal, context, "clientServicePrincipal"),
        _build(ServicePrincipal, context, "resourceServicePrincipal"),
        _build(User, context, "user"),
    )


def _build[T: (Client, ServicePrincipal, User)](kind: type[T], parent: dict[str, Any], name: str) -> T | None:
    members = parent.get(name)
    if members is None:
        return None
    if not isinstance(members, dict):
        raise _wrong(name, "an object", members)
    names, guids = _MEMBERS[kind]
    values = list(map(members.get, names))
    for place in guids:
        values[place] = _guid(members, names[place])
    if not _TEXT_TYPES.issuperset(map(type, values)):
        values = [_text(members, member) for member in names]  # refuses the one that is no text
    return kind._make(values)


def _is_known(event: Mapping[str, Any], data: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
    """Whether every member is known: the quick answer for nearly all events, without their paths."""
    return (
        _KNOWN.names.issuperset(event)
        and _DATA.names.issuperset(data)
        and _CONTEXT.names.issuperset(context)
        and _CLIENT.names.issuperset(context.get("client") or ())
        and _PRINCIPAL.names.issuperset(context.get("clientServicePrincipal") or ())
        and _PRINCIPAL.names.issuperset(context.get("resourceServicePrincipal") or ())
        and _USER.names.issuperset(context.get("user") or ())
    )


def _unknown(members: Mapping[str, Any], known: "_Known", path: str = "") -> list[str]:
    """Return the paths of the members that are not known; of an unknown object only its own."""
    found = [f"{path}{name}" for name in members if name not in known.names]
    for name, inner in known.objects:
        if isinstance(value := members.get(name), dict):
            found += _unknown(value, inner, f"{path}{name}.")
    return found


def _wrong(name: str, expected: str, actual: object) -> BodyRefused:
    kind = {NoneType: "nothing", str: "another string"}.get(type(actual), f"a value of type {type(actual).__name__}")
    return BodyRefused("event_member", f"{name}: expected {expected}, got {kind}")


def _require(parent: dict[str, Any], name: str, expected: str) -> None:
    if parent.get(name) != expected:
        raise BodyRefused("event_type", f"{name}: expected '{expected}', got {shorten(parent.get(name))}")


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise _wrong(name, "an object", value)
    return value


def _text(parent: dict[str, Any], name: str) -> str | None:
    value = parent.get(name)
    if value is None or isinstance(value, str):
        return value
    raise _wrong(name, "a string", value)


def _required_text(parent: dict[str, Any], name: str) -> str:
    value = _text(parent, name)
    if not value:
        raise _wrong(name, "a string that is not empty", value)
    return value


def _guid(parent: dict[str, Any], name: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str) or not is_guid(value):
        raise _wrong(name, "a GUID that is not zero", value)
    return value.lower()


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


_TEXT_TYPES: Final = frozenset({str, NoneType})
#: Of each kind of object the names of its members in the event, and the places of those that are GUIDs and required.
_MEMBERS: Final = {
    kind: (
        tuple(map(_camel_case, kind._fields)),
        tuple(place for place, name in enumerate(kind._fields) if kind.__annotations__[name] is str),
    )
    for kind in (Client, ServicePrincipal, User)
}


class _Known(NamedTuple):
    """The documented members of an object, and what is known of those that are objects."""

    names: frozenset[str]
    objects: tuple[tuple[str, "_Known"], ...] = ()

    @classmethod
    def of(cls, *names: str, **objects: "_Known") -> "_Known":
        return cls(frozenset((*names, *objects)), tuple(objects.items()))


_CLIENT: Final = _Known.of(*_MEMBERS[Client][0])
_PRINCIPAL: Final = _Known.of(*_MEMBERS[ServicePrincipal][0])
_USER: Final = _Known.of(*_MEMBERS[User][0])
_CONTEXT: Final = _Known.of(
    "correlationId",
    "protocol",
    client=_CLIENT,
    clientServicePrincipal=_PRINCIPAL,
    resourceServicePrincipal=_PRINCIPAL,
    user=_USER,
)
_DATA: Final = _Known.of(
    "@odata.type",
    "tenantId",
    "authenticationEventListenerId",
    "customAuthenticationExtensionId",
    authenticationContext=_CONTEXT,
)
#: Every member that is documented, with those in it.
_KNOWN: Final = _Known.of("type", "source", data=_DATA)
