"""C60 to C84: every documented event is answered, and undocumented members and values do no harm."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, Unpack

from selftest.checks.bench.environment import CheckEnvironment, EventJson
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import must_answer
from selftest.checks.registry import CheckOutcome, CheckTexts, check
from selftest.entra.payloads import VARIETIES

_REFERENCE: Final = "entra-docs custom-claims-provider-reference.md"
_LEFT_OUT: Final = "Entra omits members for some users; an endpoint that requires them locks these users out."
_TOMORROW: Final = (
    "Entra adds members and values without notice; an endpoint that refuses them fails every sign-in from that day on."
)
_FIX: Final = (
    "Require only what the reply depends on: the ids of tenant, extension and, if there is one, the user."
    " See claims/event.py."
)
#: Fixed, so that a later variety does not change the ids.
_VARIETY_IDS: Final = {
    "member": "C60",
    "hybrid": "C61",
    "guest": "C62",
    "external-local": "C63",
    "external-social": "C64",
    "saml": "C65",
    "other-resource": "C66",
}


def _context(event: EventJson) -> dict[str, Any]:
    context: dict[str, Any] = event["data"]["authenticationContext"]
    return context


def _set(name: str, value: object) -> Callable[[EventJson], None]:
    return lambda event: _context(event).update({name: value})


def _drop(name: str) -> Callable[[EventJson], None]:
    def change(event: EventJson) -> None:
        del _context(event)[name]

    return change


def _unknown_members(event: EventJson) -> None:
    event["new"] = {"a": [1, 2.5, None, True]}
    event["data"]["newId"] = "one"
    _context(event)["device"] = {"trusted": True}
    _context(event)["user"]["employeeId"] = "7"


def _names(event: EventJson) -> None:
    _context(event)["user"].update(displayName="Zoë 李雷 🦊", givenName="Zoë", surname="O\u2019Neil \u202e")


def _minimal(event: EventJson) -> None:
    context = _context(event)
    user_id = context["user"]["id"]
    event["data"]["authenticationContext"] = {"correlationId": context["correlationId"], "user": {"id": user_id}}


def _nulls(event: EventJson) -> None:
    user = _context(event)["user"]
    _context(event)["user"] = {name: value if name == "id" else None for name, value in user.items()}


def _no_app_name(event: EventJson) -> None:
    _context(event)["clientServicePrincipal"]["appDisplayName"] = ""


def _charset(good: RawRequest) -> RawRequest:
    return good.with_header("Content-Type", "application/json; charset=utf-8")


def _answers(
    id: str,  # noqa: A002 - the name of the field
    title: str,
    *,
    variety: str = "member",
    change: Callable[[EventJson], None] | None = None,
    request: Callable[[RawRequest], RawRequest] = lambda good: good,
    **texts: Unpack[CheckTexts],
) -> None:
    """Register a check that sends an event, changed or not, that must be answered 200."""

    async def run(env: CheckEnvironment) -> CheckOutcome:
        event = env.event(of=variety)
        if change is not None:
            change(event)
        return await must_answer(env, request(env.good_request(event)))

    changed = ", changed as the title says," if id not in _VARIETY_IDS.values() else ""
    explain = f"Sends the event of the variety `{variety}`{changed} with a valid token.\nExpected: 200."
    check(id, title, explain=explain, **texts)(run)


for _variety in VARIETIES:
    _answers(
        _VARIETY_IDS[_variety.id],
        f"answers for {_variety.title}",
        level="sign-in",
        variety=_variety.id,
        why=_LEFT_OUT,
        source=_variety.source,
        fix=_FIX,
    )

_changed = partial(_answers, source=_REFERENCE, fix=_FIX)
_changed(
    "C67",
    "answers without client details",
    level="hardening",
    why=_LEFT_OUT,
    change=_set("client", None),
)
_changed(
    "C68",
    "answers without the resource's service principal",
    level="hardening",
    why="A captured payload of another event has null here; the .NET trigger's model allows it.",
    source="the .NET trigger's model",
    change=_set("resourceServicePrincipal", None),
)
_changed(
    "C69",
    "answers an event without a user",
    level="hardening",
    why="Other events of the same family have no user; the .NET trigger's and Woodgrove's models allow it.",
    source="microsoft/woodgrove-auth-api Models (user is nullable)",
    change=_drop("user"),
)
_changed(
    "C70",
    "answers an event whose user is null",
    level="hardening",
    why="Other events of the same family have no user; the .NET trigger's and Woodgrove's models allow it.",
    source="microsoft/woodgrove-auth-api Models (user is nullable)",
    change=_set("user", None),
)
_changed(
    "C71",
    "ignores unknown members",
    level="sign-in",
    why=_TOMORROW,
    change=_unknown_members,
)
_changed(
    "C72",
    "accepts an unknown protocol",
    level="hardening",
    why=_TOMORROW,
    source="the .NET trigger's list of protocols has unknownFutureValue",
    change=_set("protocol", "OAUTH3.0"),
)
_changed(
    "C73",
    "accepts a request type",
    level="sign-in",
    why="It is documented for another event and may be added to this one.",
    source="entra-docs custom-extension-email-otp-send-data.md",
    change=_set("requestType", "signUp"),
)
_changed(
    "C74",
    "accepts an IPv6 address",
    level="sign-in",
    why="Woodgrove's payloads contain one; an IPv4-only parser fails for many home users.",
    source="microsoft/woodgrove-auth-api wwwroot/Help",
    change=_set("client", {"ip": "2001:db8::1", "locale": "en-gb", "market": "en-gb"}),
)
_changed(
    "C75",
    "accepts an empty application name",
    level="sign-in",
    why="Entra sends an empty name if the registration has none.",
    change=_no_app_name,
)
_changed(
    "C76",
    "accepts names in any script",
    level="sign-in",
    why="Names contain accents, emoji and marks; an encoding error locks out exactly these users.",
    source="RFC 8259 section 8.1",
    change=_names,
)
_changed(
    "C77",
    "answers the minimal event",
    level="hardening",
    why=_LEFT_OUT,
    source="ours: the ids that the .NET trigger requires, and the user's",
    change=_minimal,
)
_changed(
    "C78",
    "accepts the charset parameter UTF-8",
    level="sign-in",
    why="It states what JSON is anyway; proxies and test tools add it.",
    source="RFC 8259 section 11: the parameter has no effect",
    request=_charset,
)
_changed(
    "C79",
    "accepts null in place of an absent member",
    level="hardening",
    why="No sample contains it, but it depends only on a serializer's setting.",
    source="ours: the samples leave such members out",
    change=_nulls,
)
