"""For each contract check, one planted fault that makes it fail."""

import gzip
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.checks.bench.environment import CheckEnvironment
from selftest.entra.server import EntraServer
from tests.selftest.checks.planted_fault import (
    Incoming,
    Outgoing,
    PlantedFault,
    answers,
    claims,
    refusals,
    replies,
    reply_json,
)


def _header(name: str, value: str | None) -> PlantedFault:
    return replies(lambda answer: answer.with_header(name, value))


def _slow(step_s: float) -> PlantedFault:
    """Advance the stopwatch at each reading; an exchange reads it three times more."""

    def slow(env: CheckEnvironment) -> CheckEnvironment:
        ticks = itertools.count()
        return replace(env, stopwatch=lambda: next(ticks) * step_s)

    return PlantedFault(env=slow)


def _at(path: str, status: int = 200) -> PlantedFault:
    """Answer with this status at a path."""
    return PlantedFault(
        after=lambda request, answer: replace(answer, status=status) if request.path.endswith(path) else answer
    )


def _body(change: Callable[[bytes], bytes]) -> PlantedFault:
    return replies(lambda answer: replace(answer, body=change(answer.body)))


def _twice(body: bytes) -> bytes:
    return body.replace(b'"data":', b'"data":{},"data":', 1)


def _told(text: Callable[[Incoming], str]) -> Callable[[Incoming, Outgoing], Outgoing]:
    return lambda request, answer: replace(answer, body=answer.body + text(request).encode())


def _not_json(_: Incoming, answer: Outgoing) -> Outgoing:
    return replace(answer.with_header("Content-Type", "text/html"), body=b"<h1>401</h1>")


_STACK = 'Traceback (most recent call last):\n  File "app.py", line 1'

REPLY = {
    "C01": answers(500, lambda request: request.token.payload.get("ver") == "2.0"),
    "C02": _header("Content-Type", "text/json"),
    "C03": reply_json(lambda reply: reply["data"].pop("@odata.type")),
    "C04": reply_json(lambda reply: reply["data"]["actions"].append(reply["data"]["actions"][0])),
    "C05": reply_json(lambda reply: reply["data"]["actions"][0].update({"@odata.type": "other"})),
    "C06": reply_json(lambda reply: reply["data"]["actions"][0].update(claims=None)),
    "C07": claims(Level=3),
    "C08": reply_json(lambda reply: reply["data"]["actions"][0]["claims"].update({"": "x"})),
    "C09": claims(Long="x" * 3073),
    "C10": claims(Long="é" * 1480),
    "C12": _body(_twice),
    "C13": _body(lambda body: b"\xef\xbb\xbf" + body),
    "C14": reply_json(lambda reply: reply["data"].update(actions=[])),
    "C15": answers(500, lambda request: request.token.payload.get("ver") == "2.0"),
}

HTTP = {
    "C20": _header("Cache-Control", "private"),
    "C21": replies(
        lambda answer: replace(answer.with_header("Content-Encoding", "gzip"), body=gzip.compress(answer.body))
    ),
    "C22": replies(lambda answer: replace(answer.with_header("Location", "/elsewhere"), status=307)),
    "C23": _header("Set-Cookie", "ARRAffinity=1"),
    "C24": _header("Access-Control-Allow-Origin", "*"),
    "C26": _slow(0.667),
    "C27": _slow(0.334),
    "C28": PlantedFault(
        after=lambda request, answer: replace(answer, status=200) if request.method == "GET" else answer
    ),
    "C29": _at("nothing-is-here"),
    "C30": _header("Server-Timing", None),
    "C31": refusals(401, lambda _, answer: answer.with_header("Server-Timing", "token;dur=0.1")),
}

REFUSALS = {
    "C40": refusals(401, lambda _, answer: answer.with_header("WWW-Authenticate", None)),
    "C41": refusals(401, _not_json),
    "C42": refusals(401, lambda _, answer: answer.with_header("Cache-Control", None)),
    "C43": refusals(401, _told(lambda request: str(request.token.header.get("kid")))),
    "C44": refusals(401, _told(lambda request: str(request.token.payload.get("aud")))),
    "C45": refusals(400, _told(lambda request: str(request.json.get("type")))),
    "C46": refusals(400, _told(lambda request: request.body[:20].decode())),
    "C47": refusals(401, _told(lambda _: _STACK)),
    "C48": refusals(400, _told(lambda _: _STACK)),
    "C49": refusals(401, _told(lambda request: str(request.token.payload.get("exp")))),
    "C50": refusals(403, _told(lambda _: DEFAULT_TENANT.tenant_id)),
    "C51": answers(500, lambda request: request.token.raw == "garbage"),
    "C52": answers(500, lambda request: request.body == b"[]"),
    "C53": answers(400, lambda request: request.header("content-type") == "text/plain"),
    "C54": answers(500, lambda request: len(request.body) > 64 * 1024),
    "C55": answers(400, lambda request: request.json["data"]["tenantId"] == DEFAULT_TENANT.other_tenant_id),
}


def _refuses_event(when: Callable[[dict[str, Any]], bool]) -> PlantedFault:
    """Refuse events with such an authentication context."""
    return answers(400, lambda request: when(request.json["data"]["authenticationContext"]))


def _refuses_user(when: Callable[[dict[str, Any]], bool]) -> PlantedFault:
    return _refuses_event(lambda context: when(context["user"]))


VARIETIES = {
    "C60": _refuses_user(lambda user: user.get("companyName") == "Sample Ltd"),
    "C61": _refuses_user(lambda user: "onPremisesSamAccountName" in user),
    "C62": _refuses_user(lambda user: user.get("userType") == "Guest"),
    "C63": _refuses_user(lambda user: "mail" not in user),
    "C64": _refuses_user(lambda user: "userPrincipalName" not in user),
    "C65": _refuses_event(lambda context: context["protocol"] == "SAML"),
    "C66": _refuses_event(lambda context: context["clientServicePrincipal"] != context["resourceServicePrincipal"]),
    "C67": _refuses_event(lambda context: context["client"] is None),
    "C68": _refuses_event(lambda context: context["resourceServicePrincipal"] is None),
    "C69": _refuses_event(lambda context: "user" not in context),
    "C70": _refuses_event(lambda context: context["user"] is None),
    "C71": _refuses_event(lambda context: "device" in context),
    "C72": _refuses_event(lambda context: context["protocol"] == "OAUTH3.0"),
    "C73": _refuses_event(lambda context: "requestType" in context),
    "C74": _refuses_event(lambda context: ":" in context["client"]["ip"]),
    "C75": _refuses_event(lambda context: context["clientServicePrincipal"]["appDisplayName"] == ""),
    "C76": _refuses_user(lambda user: not user["displayName"].isascii()),
    "C77": _refuses_event(lambda context: "client" not in context),
    "C78": answers(415, lambda request: "charset" in (request.header("content-type") or "")),
    "C79": _refuses_user(lambda user: None in user.values()),
}


def _random_claims() -> PlantedFault:
    counter = itertools.count()
    return PlantedFault(
        after=lambda _, answer: (
            replace(answer, body=answer.body.replace(b"01/01/2000", b"%d" % next(counter)))
            if answer.status == 200
            else answer
        )
    )


def _mixed_up() -> PlantedFault:
    """Answer every second call with the body of the one before."""
    kept: list[bytes] = []

    def after(request: Incoming, answer: Outgoing) -> Outgoing:
        if answer.status != 200 or request.method != "POST":
            return answer
        kept.append(answer.body)
        return replace(answer, body=kept[-2]) if len(kept) % 2 == 0 else answer

    return PlantedFault(after=after)


def _one_at_a_time() -> PlantedFault:
    """Refuse all calls after the tenth."""
    seen: list[str] = []

    async def before(request: Incoming, _: EntraServer) -> Incoming | Outgoing:
        seen.append(request.path)
        return Outgoing(status=429, body=b"", headers=()) if len(seen) > 10 else request

    return PlantedFault(before=before)


BEHAVIOR = {
    "C85": answers(404, lambda request: "code=" in request.query),
    "C86": answers(403, lambda request: request.header("user-agent") == "unheard-of/0.1"),
    "C87": answers(500, lambda request: request.header("traceparent") == "00-zz"),
    "C88": _one_at_a_time(),
    "C89": _mixed_up(),
    "C90": _random_claims(),
    "C91": _at("health", 503),
    "C92": PlantedFault(
        after=lambda request, answer: (
            replace(answer, body=DEFAULT_TENANT.tenant_id.encode()) if request.path.endswith("health") else answer
        )
    ),
}


def _without_phases(line: str, _: Incoming) -> list[str]:
    record = json.loads(line)
    del record["phases"]
    return [json.dumps(record)]


LOG = {
    "C95": PlantedFault(log=_without_phases),
    "C96": PlantedFault(log=lambda line, _: [] if '"status":401' in line else [line]),
    "C97": PlantedFault(log=lambda line, request: [line, f"token {request.token.raw}"]),
    "C98": PlantedFault(log=lambda line, request: [line, f"user {request.body.decode()}"]),
}

CONTRACT_FAULTS: dict[str, PlantedFault] = REPLY | HTTP | REFUSALS | VARIETIES | BEHAVIOR | LOG
