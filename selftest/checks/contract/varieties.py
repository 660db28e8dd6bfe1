"""C60 to C84: every documented event is answered, and undocumented members and values do no harm."""

from collections.abc import Callable
from typing import Any, Final

from selftest.checks.bench.environment import CheckEnvironment, EventJson
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import must_answer
from selftest.checks.registry import CheckOutcome, check
from selftest.entra.payloads import VARIETIES, Variety

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
    check_id: str,
    change: Callable[[EventJson], None] = lambda _: None,
    *,
    request: Callable[[RawRequest], RawRequest] = lambda good: good,
    of: Variety = VARIETIES[0],
) -> None:
    """Register a check that sends an event, changed or not, that must be answered 200.

    Args:
        check_id: The check's id.
        change: Changes the event.
        request: Changes the request.
        of: The variety of the event.
    """

    async def run(env: CheckEnvironment) -> CheckOutcome:
        event = env.event(of=of.id)
        change(event)
        return await must_answer(env, request(env.good_request(event)))

    check(check_id, variety=of.id, subject=of.title, source=of.source)(run)


for _variety in VARIETIES:
    _answers(_VARIETY_IDS[_variety.id], of=_variety)

_answers("C67", _set("client", None))
_answers("C68", _set("resourceServicePrincipal", None))
_answers("C69", _drop("user"))
_answers("C70", _set("user", None))
_answers("C71", _unknown_members)
_answers("C72", _set("protocol", "OAUTH3.0"))
_answers("C73", _set("requestType", "signUp"))
_answers("C74", _set("client", {"ip": "2001:db8::1", "locale": "en-gb", "market": "en-gb"}))
_answers("C75", _no_app_name)
_answers("C76", _names)
_answers("C77", _minimal)
_answers("C78", request=_charset)
_answers("C79", _nulls)
