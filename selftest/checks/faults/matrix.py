"""F01 to F89: every fault of a dependency under every failure policy.

Each check waits until the endpoint returns claims, causes one fault, sends one event, and judges the response. The
ids of the policies are 30 apart: F03, F33 and F63 are the same fault under ``fail``, ``omit`` and ``stale``.
"""

from typing import Any, Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.log_lines import logged
from selftest.checks.bench.probe import RawResponse
from selftest.checks.bench.variant import BY_POLICY, VariantPolicy
from selftest.checks.expectations import claims_of, failed, judged
from selftest.checks.faults.rows import ROWS, FaultExpectation
from selftest.checks.faults.setup import (
    NoClaimsBeforeFault,
    downstream_and_variant,
    event_of,
    judged_in_time,
    playing,
)
from selftest.checks.faults.wanted import WantedResponse, complaints, wanted_by_policy
from selftest.checks.registry import DOWNSTREAM, Check, CheckFunction, CheckOutcome, check, register
from selftest.downstream.faults import FAULTS
from selftest.play.app_log import records_of

type _Claims = dict[str, Any]

_FIRST: Final[dict[VariantPolicy, int]] = {"fail": 0, "omit": 30, "stale": 60}
_DOES: Final[dict[VariantPolicy, str]] = {
    "fail": "fails in time",
    "omit": "omits the claims",
    "stale": "sends the last good claims",
}
_OURS: Final = "ours: Claims__OnFailure; Entra waits at most 2000 ms (customExtensionClientConfiguration)"
_FIX: Final = (
    "Limit the provider's time by the budget and apply Claims__OnFailure. See claims/provider_call.py and"
    " claims/failure_policy.py."
)
#: Differs in each response of the emulated API, so that stored claims are recognized.
_VERSION: Final = "ProfileVersion"


def _title(row: FaultExpectation, policy: VariantPolicy) -> str:
    says = FAULTS[row.fault].says
    match row.effect:
        case "claims":
            return f"sends claims while {says} ({policy})"
        case "nobody":
            return f"sends default claims while {says} ({policy})"
        case "failure":
            return f"{_DOES[policy]} while {says}"


def _why(row: FaultExpectation, policy: VariantPolicy) -> str:
    if row.effect != "failure":
        return "This is not a failure of the provider; treating it as one locks users out or sends wrong claims."
    return {
        "fail": "A late or broken response fails the sign-in without a reason.",
        "omit": "The policy lets users in without claims; a failing downstream must not lock them out.",
        "stale": "The policy prefers old claims to none; a failing downstream must not take users' access away.",
    }[policy]


def _wanted(row: FaultExpectation, policy: VariantPolicy, budget_ms: int, good: _Claims) -> WantedResponse:
    if row.effect != "failure":
        claims = good if row.effect == "claims" else {}
        return WantedResponse(status=200, shown="claims", claims=claims, codes=(), budget_ms=budget_ms)
    return wanted_by_policy(policy, row.codes, budget_ms, omitted={}, good=good)


def _refreshed(good: _Claims, response: RawResponse) -> _Claims:
    """Return the claims that the API sent for this response: those from before, except for their version."""
    came = claims_of(response)
    version = came.get(_VERSION) if isinstance(came, dict) else None
    return {**good, _VERSION: "another" if version == good.get(_VERSION) else version}


def _judged(row: FaultExpectation, policy: VariantPolicy) -> CheckFunction:
    async def run(env: CheckEnvironment) -> CheckOutcome:
        _, variant = downstream_and_variant(env)
        expected = _wanted(row, policy, variant.budget_ms, {}).words()
        return await judged_in_time(lambda: _played(row, policy, env), expected, variant.budget_ms)

    return run


async def _played(row: FaultExpectation, policy: VariantPolicy, env: CheckEnvironment) -> tuple[RawResponse, list[str]]:
    """Play the fault once and return the response with everything that is wrong with it."""
    downstream, variant = downstream_and_variant(env)
    # A new user: what other checks have left behind neither helps nor counts.
    user_id = env.new_id()
    event, correlation_id = event_of(env, user_id)
    async with playing(env, FAULTS[row.fault], user_id) as good:
        before = downstream.asked_about[user_id]
        response, lines = await logged(env, env.good_request(event), correlation_id=correlation_id)
        calls = downstream.asked_about[user_id] - before
    claims = _refreshed(good, response) if row.effect == "claims" else good
    wanted = _wanted(row, policy, variant.budget_ms, claims)
    wrong = [*complaints(response, list(records_of(lines, correlation_id)), wanted)]
    if calls > row.most_calls:
        wrong.append(f"the API was called {calls} times")
    return response, wrong


for _policy, _variant in BY_POLICY.items():
    for _row in ROWS:
        register(
            Check(
                id=f"F{_FIRST[_policy] + _row.number:02d}",
                title=_title(_row, _policy),
                level="sign-in",
                source=_OURS,
                why=_why(_row, _policy),
                fix=_FIX,
                explain=f"Sends the valid event, which must be answered with claims, and sends it again while "
                f"{FAULTS[_row.fault].says}.\nThe app runs with Claims__OnFailure={_policy}, "
                f"Claims__BudgetMs={_variant.budget_ms}.\nExpected: "
                f"{_wanted(_row, _policy, _variant.budget_ms, {}).words()}; one response, one log line. "
                "A response that is only late is requested again, at most twice.",
                needs=DOWNSTREAM,
                variant=_variant,
                run=_judged(_row, _policy),
            )
        )


@check("F89", needs=DOWNSTREAM, variant=BY_POLICY["stale"])
async def keeps_users_apart(env: CheckEnvironment) -> CheckOutcome:
    """Send the event of an unknown user."""
    _, variant = downstream_and_variant(env)
    codes = next(row.codes for row in ROWS if row.fault == "error")
    wanted = WantedResponse(status=503, shown="failed", claims=None, codes=codes, budget_ms=variant.budget_ms)
    event, correlation_id = event_of(env, env.new_id())
    try:
        async with playing(env, FAULTS["error"], env.new_id()):
            response, lines = await logged(env, env.good_request(event), correlation_id=correlation_id)
    except NoClaimsBeforeFault as error:
        return failed(error.response, wanted.words(), str(error))
    wrong = [*complaints(response, list(records_of(lines, correlation_id)), wanted)]
    return judged(response, wanted.words(), "; ".join(wrong) or None)
