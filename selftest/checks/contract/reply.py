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
from selftest.checks.contract.rule_check import keeps
from selftest.checks.expectations import must_answer
from selftest.checks.registry import CheckOutcome, check
from selftest.contract import (
    MAX_CLAIMS_BYTES,
    PROVIDE_CLAIMS_ACTION,
    RESPONSE_DATA_TYPE,
    SAFE_CLAIMS_BYTES,
)


def _no_claims(response: RawResponse) -> str | None:
    return None if claims_object(response) is None else "the reply has no claims object to read; C06 fails"


keeps("C02", "Content-Type: application/json", content_type)
keeps("C03", f"data.@odata.type is {RESPONSE_DATA_TYPE}", data_type)
keeps("C04", "a list of one action", one_action)
keeps("C05", f"the action's @odata.type is {PROVIDE_CLAIMS_ACTION}", action_type)
keeps("C06", "claims is an object", claims_object)
keeps("C07", "every claim is a string or an array of strings", values, unreadable=_no_claims)
keeps("C08", "no empty name", names, unreadable=_no_claims)
for _id, _limit_bytes in (("C09", MAX_CLAIMS_BYTES), ("C10", SAFE_CLAIMS_BYTES)):
    keeps(_id, f"at most {_limit_bytes} bytes of UTF-8", size_within(_limit_bytes), unreadable=_no_claims)
keeps("C12", "JSON in UTF-8 without duplicate members", one_meaning)
keeps("C13", "no EF BB BF before the document", no_mark)
keeps("C14", "no code that Entra would log", minted)


@check("C01")
async def answers_200(env: CheckEnvironment) -> CheckOutcome:
    """Send the documented event; why it is refused, if it is, was found out before any check ran."""
    return await must_answer(env, env.good_request())


@check("C15", stage="end")
async def still_answers(env: CheckEnvironment) -> CheckOutcome:
    """Send the documented event once more."""
    return await must_answer(env, env.good_request())
