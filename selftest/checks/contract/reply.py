"""C01 to C19: the reply to a valid event, read as Entra reads it."""

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawResponse
from selftest.checks.contract.reply_rules import (
    action_type,
    claims_object,
    content_type,
    data_type,
    minted,
    names,
    no_mark,
    one_action,
    one_meaning,
    size_within,
    values,
)
from selftest.checks.expectations import ResponseRule, must_answer, must_keep
from selftest.checks.registry import CheckOutcome, check
from selftest.contract import (
    MAX_CLAIMS_BYTES,
    PROVIDE_CLAIMS_ACTION,
    RESPONSE_DATA_TYPE,
    SAFE_CLAIMS_BYTES,
)


def _no_claims(response: RawResponse) -> str | None:
    return None if claims_object(response) is None else "the reply has no claims object to read; C06 fails"


def _keeps(check_id: str, expected: str, rule: ResponseRule, *, unreadable: ResponseRule = lambda _: None) -> None:
    """Register a rule of the reply.

    Args:
        check_id: The check's id.
        expected: What a valid endpoint does.
        rule: Returns what is wrong, or None.
        unreadable: Returns why a reply cannot be judged, or None.
    """

    async def run(env: CheckEnvironment) -> CheckOutcome:
        return await must_keep(env, expected, rule, unreadable=unreadable)

    check(check_id, expected=expected)(run)


_keeps("C02", "Content-Type: application/json", content_type)
_keeps("C03", f"data.@odata.type is {RESPONSE_DATA_TYPE}", data_type)
_keeps("C04", "a list of one action", one_action)
_keeps("C05", f"the action's @odata.type is {PROVIDE_CLAIMS_ACTION}", action_type)
_keeps("C06", "claims is an object", claims_object)
_keeps("C07", "every claim is a string or an array of strings", values, unreadable=_no_claims)
_keeps("C08", "no empty name", names, unreadable=_no_claims)
for _id, _limit_bytes in (("C09", MAX_CLAIMS_BYTES), ("C10", SAFE_CLAIMS_BYTES)):
    _keeps(_id, f"at most {_limit_bytes} bytes of UTF-8", size_within(_limit_bytes), unreadable=_no_claims)
_keeps("C12", "JSON in UTF-8 without duplicate members", one_meaning)
_keeps("C13", "no EF BB BF before the document", no_mark)
_keeps("C14", "no code that Entra would log", minted)


@check("C01")
async def answers_200(env: CheckEnvironment) -> CheckOutcome:
    """Send the documented event; why it is refused, if it is, was found out before any check ran."""
    return await must_answer(env, env.good_request())


@check("C15", stage="end")
async def still_answers(env: CheckEnvironment) -> CheckOutcome:
    """Send the documented event once more."""
    return await must_answer(env, env.good_request())
