"""For each check of the failure policies, one planted fault that makes it fail.

A fault takes effect only while the downstream's or the provider's does, so that the endpoint returns claims before.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import replace

from selftest.checks.bench.variant import VariantPolicy
from selftest.checks.faults.around_provider import ROWS as AROUND
from selftest.checks.faults.injected import MESSAGE, fault_of
from selftest.checks.faults.rows import ROWS
from selftest.downstream.server import DownstreamServer
from selftest.entra.server import EntraServer
from selftest.host.serve_app import DROPPED
from tests.selftest.checks.planted_fault import Incoming, Outgoing, PlantedFault

type Make = Callable[[DownstreamServer], PlantedFault]
type Change = Callable[[Outgoing], Outgoing]


def active(downstream: DownstreamServer, request: Incoming) -> bool:
    """Whether a dependency fails, or the provider for this event."""
    if downstream.fault is not None or request.method != "POST":
        return downstream.fault is not None
    return fault_of(request.json["data"]["authenticationContext"]["correlationId"]) is not None


def spoiled(change: Change) -> Make:
    """Return a fault that changes the responses while a dependency fails."""

    def make(downstream: DownstreamServer) -> PlantedFault:
        def after(request: Incoming, answer: Outgoing) -> Outgoing:
            return change(answer) if active(downstream, request) and request.method == "POST" else answer

        return PlantedFault(after=after)

    return make


def logged(change: Callable[[dict[str, object]], list[dict[str, object]]]) -> Make:
    """Return a fault that changes the log lines while a dependency fails."""

    def make(downstream: DownstreamServer) -> PlantedFault:
        def log(line: str, request: Incoming) -> list[str]:
            return [json.dumps(each) for each in change(json.loads(line))] if active(downstream, request) else [line]

        return PlantedFault(log=log)

    return make


def _answer(status: int, shown: str, claims: dict[str, str] | None) -> Change:
    """Return another response, in time."""
    action = {"@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken", "claims": claims}
    data = {"@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData", "actions": [action]}
    body = json.dumps({"data": data} if claims is not None else {"error": {"code": "unavailable"}}).encode()
    return lambda answer: replace(answer.with_header("X-Claims-Outcome", shown), status=status, body=body)


def total_ms(spent_ms: float) -> Make:
    """Return a fault that reports this total in Server-Timing."""
    return spoiled(lambda answer: answer.with_header("Server-Timing", f"total;dur={spent_ms:.2f}"))


REFUSES = spoiled(_answer(503, "failed", None))
OMITS = spoiled(_answer(200, "omitted", {}))
INVENTS = spoiled(_answer(200, "stale", {"CustomRoles": "Reader"}))
FORBIDS = spoiled(_answer(401, "failed", None))
UNNAMED = logged(lambda line: [{**line, "failure": "unexpected", "outcome": "unexpected"}])
LATE = total_ms(10_000)

#: What each of the endpoint's duties looks like when it is not done.
_IGNORED: dict[VariantPolicy, dict[str, Make]] = {
    "fail": {"policy": OMITS, "deadline": LATE, "code": UNNAMED},
    "omit": {"policy": REFUSES, "deadline": LATE, "code": UNNAMED},
    "stale": {"policy": INVENTS, "deadline": LATE, "code": UNNAMED},
}
_DUTY = {
    **dict.fromkeys(("lateness", "hang", "trickle", "late", "hanging"), "deadline"),
    **dict.fromkeys(("huge", "malformed", "shapeless", "unnamed"), "code"),
}
#: Rows that are no failure, treated as one.
_HARMLESS = {
    "latency": LATE,
    "token-refused": REFUSES,
    "not-found": REFUSES,
    "key-rotation": FORBIDS,
    "key-outage": REFUSES,
}

#: What an endpoint does wrong with its own provider, whatever the policy.
_OF_PROVIDER = {
    "raising": logged(lambda line: [{**line, "detail": MESSAGE}]),
    "exiting": spoiled(lambda answer: replace(answer, body=answer.body + MESSAGE.encode())),
    "blocking": logged(lambda line: [{**line, "loop_stalled_ms": None}]),
}


def _without_join(_: DownstreamServer) -> PlantedFault:
    """Treat each delivery as another event."""

    async def before(request: Incoming, entra: EntraServer) -> Incoming:
        del entra
        event = request.json
        event["data"]["authenticationContext"]["correlationId"] = str(uuid.uuid4())
        return replace(request, body=json.dumps(event).encode())

    return PlantedFault(before=before)


MATRIX_FAULTS: dict[str, Make] = {
    f"F{first + row.number:02d}": _HARMLESS.get(row.fault) or duties[_DUTY.get(row.fault, "policy")]
    for first, duties in ((0, _IGNORED["fail"]), (30, _IGNORED["omit"]), (60, _IGNORED["stale"]))
    for row in ROWS
}
RETRY_FAULTS: dict[str, Make] = {"F90": _without_join, "F91": _without_join}


def _logged_at_import(_: DownstreamServer) -> PlantedFault:
    """Write the reason while no function runs, where the local host marks it, and not into the request's line."""

    def log(line: str, _: Incoming) -> list[str]:
        kept = json.loads(line)
        reason = kept.pop("detail", None) or kept.pop("settings_warnings", None)
        return [f"{DROPPED}{json.dumps({**kept, 'detail': reason, 'settings_warnings': reason})}", json.dumps(kept)]

    return PlantedFault(log=log)


REASON_FAULTS: dict[str, Make] = dict.fromkeys(("F92", "F93", "F94", "F95"), _logged_at_import)
#: By policy and check: around the app's own provider.
PROVIDER_FAULTS: dict[VariantPolicy, dict[str, Make]] = {
    policy: {f"F{row.number}": _OF_PROVIDER.get(row.fault) or duties[_DUTY.get(row.fault, "policy")] for row in AROUND}
    for policy, duties in _IGNORED.items()
}
POLICY_FAULTS: dict[str, Make] = {**MATRIX_FAULTS, "F89": INVENTS, **RETRY_FAULTS, **REASON_FAULTS}
