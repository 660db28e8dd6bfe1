"""The event parser: every documented payload is read, everything else is refused, nothing crashes it."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from claims.errors import BodyRefused, BodyTooLarge, EventForbidden, RequestError
from claims.event import MAX_BODY_BYTES, MAX_UNKNOWN, TokenIssuanceStart, parse_event, require_configured
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.payloads import VARIETIES, Variety
from tests.claims.site import EXTENSION_ID, TENANT_ID, good_event, settings

ZERO = "00000000-0000-0000-0000-000000000000"
OTHER = "99999999-9999-4999-8999-999999999999"


class ABSENT:
    """Stands for no such member; a class, because its name is then the test's id in every process."""


def _parse(event: Any) -> TokenIssuanceStart:
    return parse_event(json.dumps(event).encode())


def _with(path: str, value: object) -> dict[str, Any]:
    """Change one member of the good event; names are separated by slashes."""
    event = good_event()
    *parents, name = path.split("/")
    place = event
    for parent in parents:
        place = place[parent]
    if value is ABSENT:
        del place[name]
    else:
        place[name] = value
    return event


CONTEXT = "data/authenticationContext"


def test_reads_every_member() -> None:
    """What Entra says is where a provider looks for it."""
    event = _parse(good_event())
    assert (event.tenant_id, event.extension_id) == (TENANT_ID, EXTENSION_ID)
    assert event.listener_id.startswith("33333333")
    assert event.source.startswith("/tenants/")
    context = event.context
    assert context.correlation_id.startswith("55555555")
    assert context.protocol == "OAUTH2.0"
    assert context.client is not None
    assert (context.client.ip, context.client.locale, context.client.market) == ("203.0.113.7", "en-us", "en-us")
    assert context.client_service_principal == context.resource_service_principal
    assert context.client_service_principal is not None
    assert context.client_service_principal.display_name == "Portal"
    assert context.user is not None
    assert (context.user.display_name, context.user.mail, context.user.surname) == ("A B", "a@example.com", None)


@pytest.mark.parametrize("variety", VARIETIES, ids=lambda variety: variety.id)
def test_reads_every_documented_payload(variety: Variety) -> None:
    """Each published kind of user and app."""
    event = _parse(variety.build(DEFAULT_TENANT, OTHER))
    assert event.context.user is not None
    assert event.context.correlation_id == OTHER
    assert event.unknown_members == ()


@pytest.mark.parametrize("name", ["client", "user", "clientServicePrincipal", "resourceServicePrincipal"])
@pytest.mark.parametrize("value", [None, ABSENT], ids=["null", "absent"])
def test_tolerates_missing_parts(name: str, value: object) -> None:
    """Null and absent mean the same: the provider sees None."""
    context = _parse(_with(f"{CONTEXT}/{name}", value)).context
    parts = {
        "client": context.client,
        "user": context.user,
        "clientServicePrincipal": context.client_service_principal,
        "resourceServicePrincipal": context.resource_service_principal,
    }
    assert parts[name] is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("new", {"a": 1}),
        ("data/new", [1]),
        (f"{CONTEXT}/requestType", "signUp"),
        (f"{CONTEXT}/protocol", "NEW"),
        (f"{CONTEXT}/protocol", ABSENT),
        (f"{CONTEXT}/client/ip", "2001:db8::1"),
        (f"{CONTEXT}/clientServicePrincipal/appDisplayName", ""),
        (f"{CONTEXT}/user/displayName", "Zoë \N{GRINNING FACE}"),
        (f"{CONTEXT}/user/country", "NL"),
        (f"{CONTEXT}/user", {"id": OTHER}),
        ("data/tenantId", TENANT_ID.upper()),
    ],
)
def test_tolerates_what_is_new_or_optional(path: str, value: object) -> None:
    """Unknown members and values that may be anything."""
    _parse(_with(path, value))


@pytest.mark.parametrize(
    ("path", "value", "unknown"),
    [
        ("new", {"secret": {"deep": 1}}, ("new",)),
        ("data/new", [1], ("data.new",)),
        (f"{CONTEXT}/requestType", "signUp", ("data.authenticationContext.requestType",)),
        (f"{CONTEXT}/user/country", "NL", ("data.authenticationContext.user.country",)),
        (f"{CONTEXT}/user/displayName", None, ()),
        (f"{CONTEXT}/client", None, ()),
    ],
)
def test_names_the_members_that_it_does_not_know(path: str, value: object, unknown: tuple[str, ...]) -> None:
    """By their path, of an unknown object only its own, and never a value."""
    assert _parse(_with(path, value)).unknown_members == unknown


def test_an_object_that_is_null_has_no_unknown_members() -> None:
    """Beside a member that is not known."""
    event = _with(f"{CONTEXT}/client", None)
    event["new"] = 1
    assert _parse(event).unknown_members == ("new",)


def test_names_of_unknown_members_are_bounded() -> None:
    """However many there are."""
    event = good_event()
    event["data"] |= {f"new{number}": number for number in range(1000)}
    assert len(_parse(event).unknown_members) == MAX_UNKNOWN


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((path, ABSENT) for path in ("type", "source", "data", "data/@odata.type", CONTEXT, f"{CONTEXT}/user/id")),
        *((path, None) for path in ("type", "source", "data", CONTEXT)),
        ("type", "microsoft.graph.authenticationEvent.attributeCollectionStart"),
        ("type", "MICROSOFT.GRAPH.AUTHENTICATIONEVENT.TOKENISSUANCESTART"),
        ("type", ["microsoft.graph.authenticationEvent.tokenIssuanceStart"]),
        ("data/@odata.type", ""),
        ("data/@odata.type", "#microsoft.graph.onTokenIssuanceStartCalloutData"),
        ("source", ""),
        ("source", 7),
        ("data", []),
        (CONTEXT, "x"),
        *(
            (path, value)
            for path in (
                "data/tenantId",
                "data/authenticationEventListenerId",
                "data/customAuthenticationExtensionId",
                f"{CONTEXT}/correlationId",
                f"{CONTEXT}/user/id",
                f"{CONTEXT}/clientServicePrincipal/appId",
            )
            for value in (ABSENT, None, ZERO, 7, "x", OTHER + "x", "../" + OTHER)
        ),
        (f"{CONTEXT}/user", []),
        (f"{CONTEXT}/user", "x"),
        (f"{CONTEXT}/client", []),
        (f"{CONTEXT}/user/mail", 7),
        (f"{CONTEXT}/client/ip", {}),
    ],
    ids=str,
)
def test_refuses(path: str, value: object) -> None:
    """A documented member that is missing or has another type or value."""
    with pytest.raises(BodyRefused) as refused:
        _parse(_with(path, value))
    assert refused.value.status == 400


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"null", b'"a"', b"\xff", b'{"type":1,"type":2}', b"[" * 60_000])
def test_refuses_what_is_no_object(body: bytes) -> None:
    """Not JSON, or not an object."""
    with pytest.raises(BodyRefused, match="body_json"):
        parse_event(body)


def test_size_is_capped_before_parsing() -> None:
    """A body over the cap is refused by its length."""
    padded = json.dumps(good_event()).encode().ljust(MAX_BODY_BYTES)
    parse_event(padded)
    with pytest.raises(BodyTooLarge):
        parse_event(padded + b" ")


@pytest.mark.parametrize("path", ["data/tenantId", "data/customAuthenticationExtensionId"])
def test_configured_tenant_and_extension(path: str) -> None:
    """An event of another tenant or extension is forbidden, and without a list any extension will do."""
    require_configured(_parse(good_event()), settings())
    event = _parse(_with(path, OTHER))
    with pytest.raises(EventForbidden):
        require_configured(event, settings())
    if "Extension" in path:
        require_configured(event, settings(Claims__AllowedExtensionIds=""))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([OTHER, ZERO, TENANT_ID]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=10), children, max_size=3),
    max_leaves=6,
)


def _paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = [found for name in value for found in _paths(value[name], (*path, name))] if isinstance(value, dict) else []
    return [path, *below] if path else below


@hypothesis_settings(max_examples=400)
@given(path=st.sampled_from(_paths(good_event())), value=_JSON)
def test_any_member_may_be_anything(path: tuple[str, ...], value: object) -> None:
    """Whatever stands in a member's place, the event is read or refused with a 4xx."""
    event = copy.deepcopy(good_event())
    place = event
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    try:
        assert isinstance(_parse(event), TokenIssuanceStart)
    except RequestError as error:
        assert 400 <= error.status < 500


@given(body=st.binary(max_size=500))
def test_any_bytes(body: bytes) -> None:
    """Any body is refused with a 4xx, never anything else."""
    with pytest.raises(BodyRefused):
        parse_event(body)
