"""C01 to C19: the reply to a valid event, read as Entra reads it."""

from functools import partial
from typing import Final, Unpack

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
from selftest.checks.registry import CheckOutcome, CheckTexts, check
from selftest.contract import (
    MAX_CLAIMS_BYTES,
    PROVIDE_CLAIMS_ACTION,
    RESPONSE_DATA_TYPE,
    SAFE_CLAIMS_BYTES,
)

_REFERENCE: Final = "entra-docs custom-claims-provider-reference.md"
_CODES: Final = "entra-docs custom-extension-troubleshoot.md"
_FIX_SHAPE: Final = "Build the reply in a single place. See claims/reply.py for the documented form."
_FIX_VALUES: Final = "Convert every value into a string or an array of strings before it is sent. See claims/reply.py."


def _no_claims(response: RawResponse) -> str | None:
    return None if claims_object(response) is None else "the reply has no claims object to read; C06 fails"


def _keeps(
    id: str,  # noqa: A002 - the name of the field
    title: str,
    *,
    expected: str,
    judged: ResponseRule,
    unreadable: ResponseRule = lambda _: None,
    **texts: Unpack[CheckTexts],
) -> None:
    """Register a rule of the reply.

    Args:
        id: The check's id.
        title: A statement about a valid endpoint.
        expected: What a valid endpoint does.
        judged: Returns what is wrong, or None.
        unreadable: Returns why a reply cannot be judged, or None.
        **texts: Source, reason and fix.
    """

    async def run(env: CheckEnvironment) -> CheckOutcome:
        return await must_keep(env, expected, judged, unreadable=unreadable)

    check(id, title, explain=f"Sends the valid event and reads the reply.\nExpected: {expected}.", **texts)(run)


_reply = partial(_keeps, source=_REFERENCE, fix=_FIX_SHAPE)
_reply(
    "C02",
    "declares its reply as application/json",
    level="sign-in",
    expected="Content-Type: application/json",
    why="Entra logs 1003006 and the sign-in fails.",
    judged=content_type,
    bad="Content-Type: text/json",
    good="Content-Type: application/json; charset=utf-8",
)
_reply(
    "C03",
    "names the data type of the reply",
    level="sign-in",
    expected=f"data.@odata.type is {RESPONSE_DATA_TYPE}",
    why="Entra logs 1003003 and the sign-in fails.",
    judged=data_type,
    bad='{"data":{"actions":[…]}}',
    good=f'{{"data":{{"@odata.type":"{RESPONSE_DATA_TYPE}","actions":[…]}}}}',
)
_reply(
    "C04",
    "sends exactly one action",
    level="sign-in",
    expected="a list of one action",
    why="Entra logs 1003010 (or 1003003 if it is not a list) and the sign-in fails.",
    judged=one_action,
    source=_CODES,
    bad='"actions":[]',
    good='"actions":[{…}]',
)
_reply(
    "C05",
    "names the action's type",
    level="sign-in",
    expected=f"the action's @odata.type is {PROVIDE_CLAIMS_ACTION}",
    why="Entra logs 1003012 and the sign-in fails.",
    judged=action_type,
    source=_CODES,
    good=f'{{"@odata.type":"{PROVIDE_CLAIMS_ACTION}","claims":{{…}}}}',
)
_reply(
    "C06",
    "sends the claims as an object",
    level="sign-in",
    expected="claims is an object",
    why="Entra logs 1003007 for null and 1003003 for another type, and the sign-in fails.",
    judged=claims_object,
    source=_CODES,
    bad='"claims":null',
    good='"claims":{}',
)
_reply(
    "C07",
    "sends only strings and arrays of strings",
    level="sign-in",
    expected="every claim is a string or an array of strings",
    why="Numbers, booleans, objects and null are not supported; Entra's behavior for them is not documented.",
    judged=values,
    unreadable=_no_claims,
    fix=_FIX_VALUES,
    bad='"claims":{"Level":3,"Active":true}',
    good='"claims":{"Level":"3","Active":"true"}',
)
_reply(
    "C08",
    "gives every claim a name",
    level="sign-in",
    expected="no empty name",
    why="Entra logs 1003026 and the sign-in fails.",
    judged=names,
    unreadable=_no_claims,
    source=_CODES,
    fix=_FIX_VALUES,
    bad='"claims":{"":"x"}',
)
_reply(
    "C09",
    "keeps names and values within 3072 bytes",
    level="sign-in",
    expected=f"at most {MAX_CLAIMS_BYTES} bytes of UTF-8",
    why="Entra logs 1003025 and the sign-in fails.",
    judged=size_within(MAX_CLAIMS_BYTES),
    unreadable=_no_claims,
    fix="Count the bytes before sending, and fail or drop claims by a defined rule. See claims/reply.py.",
)
_reply(
    "C10",
    "keeps names and values within 3000 bytes",
    level="hardening",
    expected=f"at most {SAFE_CLAIMS_BYTES} bytes of UTF-8",
    why="The documentation says 3 KB, which may be 3000 or 3072 bytes; only the smaller limit is safe.",
    judged=size_within(SAFE_CLAIMS_BYTES),
    unreadable=_no_claims,
    fix="Count the bytes before sending and fail, or send less by a rule. claims/reply.py shows it.",
)
_reply(
    "C12",
    "writes JSON without duplicate members",
    level="hardening",
    expected="JSON in UTF-8 without duplicate members",
    why="Which of two members with the same name counts is not documented.",
    judged=one_meaning,
    source="RFC 7493 (I-JSON)",
)
_reply(
    "C13",
    "sends no byte order mark",
    level="sign-in",
    expected="no EF BB BF before the document",
    why="Some parsers refuse it; Entra's behavior is not documented.",
    judged=no_mark,
    source="RFC 8259 section 8.1",
)
_reply(
    "C14",
    "sends a reply from which Entra mints the token",
    level="sign-in",
    expected="no code that Entra would log",
    why="If Entra logs any code, the user gets no token.",
    judged=minted,
    source=_CODES,
    fix="Run `explain` with the code.",
)


@check(
    "C01",
    "answers a valid event with 200",
    level="sign-in",
    source=f"{_REFERENCE}: 200 OK is the only status documented",
    why="Any other status is 1003002, and the sign-in fails.",
    fix=(
        "The endpoint's log has the reason: 401 is a setting (authority, audience, caller), 503 the signing "
        "keys or the provider."
    ),
    explain="Sends the documented event of a workforce member with Entra's token.\nExpected: exactly 200.",
)
async def answers_200(env: CheckEnvironment) -> CheckOutcome:
    """Send the documented event; why it is refused, if it is, was found out before any check ran."""
    return await must_answer(env, env.good_request())


@check(
    "C15",
    "still answers the valid event after all other checks",
    level="sign-in",
    source="ours: an endpoint that a stranger's request stops is out for every user",
    why="One of the requests stopped the endpoint, and no user can sign in until it is started again.",
    fix="Read the endpoint's log around the last check that was answered, and give that request an answer.",
    explain="Sends the valid event at the end of the run.\nExpected: exactly 200.",
    stage="end",
)
async def still_answers(env: CheckEnvironment) -> CheckOutcome:
    """Send the documented event once more."""
    return await must_answer(env, env.good_request())
