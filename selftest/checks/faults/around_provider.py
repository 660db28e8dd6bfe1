"""F101 to F110: faults around the app's own provider, with the policy and the budget that the command was given.

The provider answers for the member of every other check, so that a stub of its data source that knows the member is
enough. In contrast to F01 to F91 nothing is known of its claims: they are compared with those from just before.
"""

from dataclasses import dataclass
from typing import Any, Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.log_lines import logged, records_of
from selftest.checks.bench.probe import RawResponse
from selftest.checks.bench.variant import GIVEN, AppVariant, VariantPolicy
from selftest.checks.expectations import claims_of, failed, judged
from selftest.checks.faults.injected import MESSAGE, correlation_id_with
from selftest.checks.faults.setup import NoClaimsBeforeFault, claims_before
from selftest.checks.faults.wanted import ClaimsOutcome, WantedResponse, complaints, lateness
from selftest.checks.registry import STARTED, Check, CheckFunction, CheckOutcome, register
from selftest.judge.received_reply import ReceivedReply
from selftest.judge.verdict import judge

_SOURCE: Final = "ours: Claims__OnFailure; Entra waits at most 2000 ms (customExtensionClientConfiguration)"
_FIX: Final = (
    "Limit the provider's time by the budget, catch whatever it raises, and apply Claims__OnFailure. "
    "See claims/provider_call.py."
)
_WHY: Final = "One mistake in the provider must not cost more than its own sign-in, nor change what the policy says."
#: A pause of the machine delays one attempt; a slow endpoint delays every attempt.
_ATTEMPTS: Final = 3
_SHOWN: Final[dict[VariantPolicy, ClaimsOutcome]] = {"fail": "failed", "omit": "omitted", "stale": "stale"}
_STALLED: Final = "loop_stalled_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFault:
    """One fault of a provider and its expected effect.

    Attributes:
        number: The check's number; never reused.
        fault: Its name in ``selftest.checks.faults.injected``.
        says: What happens, as the rest of a sentence that begins with "while".
        code: The code that must be logged; empty if the claims are sent as usual.
    """

    number: int
    fault: str
    says: str
    code: str


ROWS: Final = (
    ProviderFault(number=101, fault="late", says="the provider is late", code="provider_late"),
    ProviderFault(number=102, fault="hanging", says="the provider never returns", code="provider_late"),
    ProviderFault(number=103, fault="raising", says="the provider raises an exception", code="provider_error"),
    ProviderFault(number=104, fault="exiting", says="the provider raises SystemExit", code="provider_error"),
    ProviderFault(number=105, fault="cancelled", says="the provider raises CancelledError", code="provider_cancelled"),
    ProviderFault(number=106, fault="shapeless", says="the provider returns a list", code="claims_shape"),
    ProviderFault(number=107, fault="unnamed", says="a claim's name is a number", code="claim_name"),
    ProviderFault(number=108, fault="valueless", says="a claim's value is an object", code="claim_value"),
    ProviderFault(number=109, fault="huge", says="a claim's value is 4 MiB long", code="claims_size"),
    ProviderFault(number=110, fault="blocking", says="the provider blocks the event loop", code=""),
)


def _wanted(row: ProviderFault, variant: AppVariant, good: dict[str, Any], came: object) -> WantedResponse:
    """Return what is expected, of claims that nobody else knows.

    Those that are sent as usual have the same names as before, and the default claims of ``omit`` any.
    """
    policy = variant.policy
    if not row.code:
        claims = came if isinstance(came, dict) and came.keys() == good.keys() else good
        return WantedResponse(status=200, shown="claims", claims=claims, codes=(), budget_ms=variant.budget_ms)
    sent: dict[VariantPolicy, Any] = {"fail": None, "omit": came, "stale": good}
    return WantedResponse(
        status=503 if policy == "fail" else 200,
        shown=_SHOWN[policy],
        claims=sent[policy],
        codes={row.code},
        budget_ms=variant.budget_ms,
    )


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
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                response, wrong = await _played(row, env, variant)
            except NoClaimsBeforeFault as error:
                return failed(error.response, expected, str(error))
            late = [*lateness(response, variant.budget_ms)]
            if wrong or not late or attempt == _ATTEMPTS:
                break
        return judged(response, expected, "; ".join(wrong + late) or None)

    return run


for _row in ROWS:
    register(
        Check(
            id=f"F{_row.number}",
            title=f"{'applies its policy' if _row.code else 'names it in the log'} while {_row.says}",
            level="sign-in" if _row.code else "hardening",
            source=_SOURCE,
            why=_WHY if _row.code else "Every other sign-in waits meanwhile, and the network is blamed.",
            fix=_FIX if _row.code else "Measure how late a timer fires and log it. See claims/loop_watch.py.",
            explain=f"Starts the app as it is configured, injects the fault around its provider in the app's process, "
            f"and sends the valid event while {_row.says}.\nExpected: what Claims__OnFailure says, within "
            f"Claims__BudgetMs; one log line{f' with {_row.code}' if _row.code else f' with {_STALLED}'}; the "
            "exception's message nowhere.\nA response that is only late is requested again, at most twice.",
            needs=STARTED,
            variant=GIVEN,
            run=_judged(_row),
        )
    )
