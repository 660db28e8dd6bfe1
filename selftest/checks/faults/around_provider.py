"""F101 to F110: faults around the app's own provider, with the policy and the budget that the command was given.

The provider answers for the member of every other check, so that a stub of its data source that knows the member is
enough. In contrast to F01 to F91 nothing is known of its claims: they are compared with those from just before.
"""

from dataclasses import dataclass
from typing import Any, Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.log_lines import logged
from selftest.checks.bench.probe import RawResponse
from selftest.checks.bench.variant import GIVEN, AppVariant
from selftest.checks.expectations import claims_of
from selftest.checks.faults.injected import MESSAGE, correlation_id_with
from selftest.checks.faults.setup import claims_before, judged_in_time
from selftest.checks.faults.wanted import WantedResponse, complaints, wanted_by_policy
from selftest.checks.registry import STARTED, CheckFunction, CheckOutcome, check
from selftest.judge.received_reply import ReceivedReply
from selftest.judge.verdict import judge
from selftest.play.app_log import records_of

_STALLED: Final = "loop_stalled_ms"


@dataclass(frozen=True, slots=True)
class ProviderFault:
    """One fault of a provider and its expected effect.

    Attributes:
        number: The check's number; never reused.
        fault: Its name in ``selftest.checks.faults.injected``.
        code: The code that must be logged; empty if the claims are sent as usual.
    """

    number: int
    fault: str
    code: str


ROWS: Final = (
    ProviderFault(101, "late", "provider_late"),
    ProviderFault(102, "hanging", "provider_late"),
    ProviderFault(103, "raising", "provider_error"),
    ProviderFault(104, "exiting", "provider_error"),
    ProviderFault(105, "cancelled", "provider_cancelled"),
    ProviderFault(106, "shapeless", "claims_shape"),
    ProviderFault(107, "unnamed", "claim_name"),
    ProviderFault(108, "valueless", "claim_value"),
    ProviderFault(109, "huge", "claims_size"),
    ProviderFault(110, "blocking", ""),
)


def _wanted(row: ProviderFault, variant: AppVariant, good: dict[str, Any], came: object) -> WantedResponse:
    """Return what is expected, of claims that nobody else knows.

    Those that are sent as usual have the same names as before, and the default claims of ``omit`` any.
    """
    if not row.code:
        claims = came if isinstance(came, dict) and came.keys() == good.keys() else good
        return WantedResponse(status=200, shown="claims", claims=claims, codes=(), budget_ms=variant.budget_ms)
    return wanted_by_policy(variant.policy, {row.code}, variant.budget_ms, omitted=came, good=good)


def _reply(response: RawResponse) -> ReceivedReply:
    return ReceivedReply(status=response.status, content_type=response.header("Content-Type"), body=response.body)


def _found(row: ProviderFault, response: RawResponse, records: list[dict[str, Any]], lines: list[str]) -> list[str]:
    """Return what is wrong besides status, claims and code."""
    wrong = []
    if response.status == 200 and not judge(_reply(response)).minted:
        wrong.append("Entra would not accept the response")
    if MESSAGE in response.body.decode(errors="replace") or any(MESSAGE in line for line in lines):
        wrong.append("the exception's message is in the response or in the log")
    if row.fault == "blocking" and not any(record.get(_STALLED) for record in records):
        wrong.append(f"no {_STALLED} in the request's line")
    return wrong


async def _played(row: ProviderFault, env: CheckEnvironment, variant: AppVariant) -> tuple[RawResponse, list[str]]:
    """Play the fault once and return the response with everything that is wrong with it."""
    good = await claims_before(env)
    correlation_id = correlation_id_with(row.fault)
    response, lines = await logged(env, env.good_request(env.event(correlation_id)), correlation_id=correlation_id)
    records = [*records_of(lines, correlation_id)]
    wanted = _wanted(row, variant, good, claims_of(response))
    return response, [*complaints(response, records, wanted), *_found(row, response, records, lines)]


def _judged(row: ProviderFault) -> CheckFunction:
    async def run(env: CheckEnvironment) -> CheckOutcome:
        variant = env.variant or GIVEN
        expected = f"{_wanted(row, variant, {}, {}).words()} (Claims__OnFailure={variant.policy})"
        return await judged_in_time(lambda: _played(row, env, variant), expected, variant.budget_ms)

    return run


for _row in ROWS:
    check(f"F{_row.number}", needs=STARTED, variant=GIVEN, logged=_row.code or _STALLED)(_judged(_row))
