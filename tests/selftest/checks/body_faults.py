"""For each body check, one planted fault that makes it fail."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from selftest.base.sample_tenant import DEFAULT_TENANT
from tests.selftest.checks.planted_fault import Incoming, PlantedFault, answers, flat, forgives

ZERO = "00000000-0000-0000-0000-000000000000"


def _body(when: Callable[[bytes], bool]) -> PlantedFault:
    return forgives(lambda request: when(request.body))


def _holds(part: bytes) -> PlantedFault:
    return _body(lambda body: part in body)


def _media(value: str | None) -> PlantedFault:
    return forgives(lambda request: request.header("content-type") == value)


def _event(when: Callable[[dict[str, Any]], bool]) -> PlantedFault:
    """Accept an event that is read leniently; missing outer members read as empty."""

    def forgiven(request: Incoming) -> bool:
        event = request.json
        return isinstance(event, dict) and bool(event) and when(event)

    return forgives(forgiven)


def _top(name: str, when: Callable[[Any], bool]) -> PlantedFault:
    return _event(lambda event: when(event.get(name)))


def _data(name: str, when: Callable[[Any], bool]) -> PlantedFault:
    return _event(lambda event: isinstance(event.get("data"), dict) and when(event["data"].get(name)))


def _context(name: str, when: Callable[[Any], bool]) -> PlantedFault:
    return _data("authenticationContext", lambda context: isinstance(context, dict) and when(context.get(name)))


def _user(name: str, when: Callable[[Any], bool]) -> PlantedFault:
    return _context("user", lambda user: isinstance(user, dict) and when(user.get(name)))


def _absent(value: object) -> bool:
    return value is None


def _number(value: object) -> bool:
    return isinstance(value, int)


#: By the endpoint's code, in its log, for the rule that has to refuse the request.
REFUSED: dict[str, dict[str, PlantedFault]] = {
    "body_json": {
        "B01": _body(lambda body: body == b""),
        "B02": _body(lambda body: body == b"type=event"),
        "B03": _body(lambda body: body.startswith(b"{") and not body.endswith(b"}")),
        "B04": _body(lambda body: body.startswith(b"[")),
        "B05": _body(lambda body: body.startswith(b'"')),
        "B06": _body(lambda body: body == b"null"),
        "B07": _holds(b"1e999"),
        "B08": _holds(b"NaN"),
        "B09": _holds(b"Infinity"),
        "B10": _holds(b"9" * 5000),
        "B11": _holds(b'{"type":"other"'),
        "B12": _body(lambda body: body.count(b'"tenantId":') == 2),
        "B13": _holds(b"[" * 20_000),
        "B14": _holds(b"\\ud800"),
        "B15": _holds(b"a\nb"),
        "B16": _body(lambda body: body.endswith(b"{}")),
        "B20": _holds(b'"\xff"'),
        "B21": _body(lambda body: body.startswith(b"\xff\xfe")),
        "B22": _body(lambda body: body.startswith(b"\xef\xbb\xbf")),
    },
    "body_too_large": {
        "B23": _body(lambda body: len(body) > 64 * 1024),
    },
    "content_type": {
        "B30": _media("text/plain"),
        "B31": _media(None),
        "B32": _media("application/json; charset=iso-8859-1"),
        "B34": _media("application/x-www-form-urlencoded"),
    },
    "content_encoding": {
        "B33": forgives(lambda request: request.header("content-encoding") == "gzip"),
    },
    "event_type": {
        "B40": _top("type", lambda value: value == "microsoft.graph.authenticationEvent.other"),
        "B41": _top("type", _absent),
        "B42": _top("type", lambda value: str(value).endswith("attributeCollectionStart")),
        "B43": _data("@odata.type", lambda value: str(value).endswith("onOtpSendCalloutData")),
        "B44": _data("@odata.type", _absent),
    },
    "event_member": {
        "B45": _event(lambda event: "data" not in event),
        "B46": _event(lambda event: "data" in event and event["data"] is None),
        "B47": _top("data", lambda value: value == []),
        "B48": _top("source", _absent),
        "B49": _top("source", _number),
        "B50": _data("tenantId", _absent),
        "B51": _data("tenantId", lambda value: value == ZERO),
        "B52": _data("tenantId", lambda value: value == "contoso"),
        "B53": _data("tenantId", _number),
        "B54": _data("authenticationEventListenerId", _absent),
        "B55": _data("authenticationEventListenerId", lambda value: value == ZERO),
        "B56": _data("customAuthenticationExtensionId", _absent),
        "B57": _data("customAuthenticationExtensionId", lambda value: value == ZERO),
        "B58": _data("customAuthenticationExtensionId", lambda value: value == "mine"),
        "B59": _context("correlationId", _absent),
        "B60": _context("correlationId", lambda value: value == "one"),
        "B65": _data("authenticationContext", _absent),
        "B66": _data("authenticationContext", lambda value: value == "none"),
        "B67": _context("user", lambda value: value == []),
        "B68": _context("user", lambda value: value == "ada"),
        "B69": _user("id", _absent),
        "B70": _user("id", _number),
        "B71": _context("client", lambda value: value == []),
        "B72": _user("displayName", _number),
    },
    "event_tenant": {
        "B62": _data("tenantId", lambda value: value not in {None, DEFAULT_TENANT.tenant_id}),
    },
    "event_extension": {
        "B63": _data("customAuthenticationExtensionId", lambda value: value not in {None, DEFAULT_TENANT.extension_id}),
    },
    "signature": {
        "B80": answers(400, lambda request: request.json == {}),
        "B81": answers(413, lambda request: len(request.body) > 64 * 1024),
        "B82": answers(415, lambda request: request.header("content-type") == "text/plain"),
        "B83": answers(403, lambda request: request.json["data"]["tenantId"] == DEFAULT_TENANT.other_tenant_id),
    },
}

OTHERS: dict[str, PlantedFault] = {
    "B84": PlantedFault(env=lambda env: replace(env, peak_growth=lambda: lambda: 64 * 1024)),
}

BODY_FAULTS: dict[str, PlantedFault] = flat(REFUSED) | OTHERS
