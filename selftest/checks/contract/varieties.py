"""C60 to C84: every documented event is answered, and what is not documented does no harm."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from selftest.checks.bench.environment import Bench
from selftest.checks.bench.probe import Request
from selftest.checks.expectations import must_accept
from selftest.checks.registry import Check, Level, Outcome, Run, register
from selftest.entra.payloads import VARIETIES

_REFERENCE: Final = "entra-docs custom-claims-provider-reference.md"
_LEFT_OUT: Final = "Entra leaves members out for some users; who requires them locks those users out."
_TOMORROW: Final = "Entra adds members and values without notice; who refuses them fails every sign-in on that day."
_FIX: Final = (
    "Require only what the answer depends on: the ids of tenant, extension and, where there is one, the user. "
    "claims/event.py shows it."
)
#: A number a documented variety keeps whatever is added later.
_VARIETY_IDS: Final = {
    "member": "C60",
    "hybrid": "C61",
    "guest": "C62",
    "external-local": "C63",
    "external-social": "C64",
    "saml": "C65",
    "other-resource": "C66",
}

type Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """An event that must be answered 200: a variety, changed or not."""

    id: str
    title: str
    why: str
    source: str = _REFERENCE
    variety: str = "member"
    change: Callable[[Event], None] | None = None
    request: Callable[[Request], Request] | None = None
    level: Level = "must"


def _context(event: Event) -> dict[str, Any]:
    context: dict[str, Any] = event["data"]["authenticationContext"]
    return context


def _set(name: str, value: object) -> Callable[[Event], None]:
    return lambda event: _context(event).update({name: value})


def _drop(name: str) -> Callable[[Event], None]:
    def change(event: Event) -> None:
        del _context(event)[name]

    return change


def _unknown_members(event: Event) -> None:
    event["new"] = {"a": [1, 2.5, None, True]}
    event["data"]["newId"] = "one"
    _context(event)["device"] = {"trusted": True}
    _context(event)["user"]["employeeId"] = "7"


def _names(event: Event) -> None:
    _context(event)["user"].update(displayName="Zoë 李雷 🦊", givenName="Zoë", surname="O\u2019Neil \u202e")


def _minimal(event: Event) -> None:
    context = _context(event)
    user_id = context["user"]["id"]
    event["data"]["authenticationContext"] = {"correlationId": context["correlationId"], "user": {"id": user_id}}


def _nulls(event: Event) -> None:
    user = _context(event)["user"]
    _context(event)["user"] = {name: value if name == "id" else None for name, value in user.items()}


def _no_app_name(event: Event) -> None:
    _context(event)["clientServicePrincipal"]["appDisplayName"] = ""


def _charset(good: Request) -> Request:
    return good.with_header("Content-Type", "application/json; charset=utf-8")


_EVENTS: Final = (
    *(
        _Event(
            id=_VARIETY_IDS[variety.id],
            title=f"answers for {variety.title}",
            why=_LEFT_OUT,
            source=variety.source,
            variety=variety.id,
        )
        for variety in VARIETIES
    ),
    _Event(id="C67", title="answers without client details", why=_LEFT_OUT, change=_set("client", None)),
    _Event(
        id="C68",
        title="answers without a resource's service principal",
        why="A captured payload of another event has null there; the .NET trigger's model allows it.",
        source="the .NET trigger's model",
        change=_set("resourceServicePrincipal", None),
    ),
    _Event(
        id="C69",
        title="answers an event without a user",
        why="Other events of the same family have none; the .NET trigger's and Woodgrove's models allow it.",
        source="microsoft/woodgrove-auth-api Models (user is nullable)",
        change=_drop("user"),
    ),
    _Event(
        id="C70",
        title="answers an event whose user is null",
        why="Other events of the same family have none; the .NET trigger's and Woodgrove's models allow it.",
        source="microsoft/woodgrove-auth-api Models (user is nullable)",
        change=_set("user", None),
    ),
    _Event(id="C71", title="ignores members that it does not know", why=_TOMORROW, change=_unknown_members),
    _Event(
        id="C72",
        title="accepts a protocol that it does not know",
        why=_TOMORROW,
        source="the .NET trigger's list of protocols has unknownFutureValue",
        change=_set("protocol", "OAUTH3.0"),
    ),
    _Event(
        id="C73",
        title="accepts a request type",
        why="It is documented for another event and may come to this one.",
        source="entra-docs custom-extension-email-otp-send-data.md",
        change=_set("requestType", "signUp"),
    ),
    _Event(
        id="C74",
        title="accepts an IPv6 address",
        why="Woodgrove's payloads have one; a parser for four numbers fails for every user at home.",
        source="microsoft/woodgrove-auth-api wwwroot/Help",
        change=_set("client", {"ip": "2001:db8::1", "locale": "en-gb", "market": "en-gb"}),
    ),
    _Event(
        id="C75",
        title="accepts an empty application name",
        why="Entra sends one where the registration has none.",
        change=_no_app_name,
    ),
    _Event(
        id="C76",
        title="accepts names in every script",
        why="Users have names with accents, emoji and marks; an encoding error locks exactly those users out.",
        source="RFC 8259 section 8.1",
        change=_names,
    ),
    _Event(
        id="C77",
        title="answers the smallest event",
        why=_LEFT_OUT,
        source="ours: the ids that the .NET trigger requires, and the user's",
        change=_minimal,
    ),
    _Event(
        id="C78",
        title="accepts a charset of UTF-8",
        why="It says what JSON is anyway; proxies and test tools add it.",
        source="RFC 8259 section 11: the parameter has no effect",
        request=_charset,
    ),
    _Event(
        id="C79",
        title="accepts null where a member could be left out",
        why="No sample has it; a serialiser's setting decides it.",
        source="ours: the samples leave null members out",
        change=_nulls,
        level="should",
    ),
)


def _answers(row: _Event) -> Run:
    async def run(bench: Bench) -> Outcome:
        event = bench.event(of=row.variety)
        if row.change is not None:
            row.change(event)
        good = bench.good_request(event)
        return await must_accept(bench, good if row.request is None else row.request(good))

    return run


for _row in _EVENTS:
    register(
        Check(
            id=_row.id,
            title=_row.title,
            level=_row.level,
            source=_row.source,
            why=_row.why,
            fix=_FIX,
            explain=f"Sends the event of the variety `{_row.variety}`"
            f"{', changed as the title says,' if _row.change or _row.request else ''} with a good token.\nWanted: 200.",
            run=_answers(_row),
        )
    )
