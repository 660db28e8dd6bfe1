"""C40 to C59: what a refusal must and must not contain."""

from functools import partial
from typing import Final, Unpack

from selftest.checks.bench.environment import CheckEnvironment, CheckNeed
from selftest.checks.bench.probe import RawResponse
from selftest.checks.contract.refusal_rules import (
    RequestMaker,
    echoes,
    error_json,
    expired,
    has_stack,
    marked_audience,
    marked_body,
    marked_garbage,
    marked_token,
    no_token,
    not_stored,
    other_tenant,
)
from selftest.checks.expectations import ResponseRule, challenges, judged, must_keep, skipped
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import ANYWHERE, ISSUER, TOKEN, CheckOutcome, CheckTexts, check

_OURS: Final = "ours: the HTTP contract; OWASP API8:2023, error messages that hold stack traces"
_FIX_WORDS: Final = "Answer every error with a constant text and log the reason. See claims/errors.py."


def _keeps(
    id: str,  # noqa: A002 - the name of the field
    title: str,
    *,
    sends: str,
    expected: str,
    request: RequestMaker,
    status: int | None = None,
    complaint: ResponseRule,
    needs: frozenset[CheckNeed] = ANYWHERE,
    **texts: Unpack[CheckTexts],
) -> None:
    """Register a rule of a refusal: the refused request, its status, and the rule for the response."""

    async def run(env: CheckEnvironment) -> CheckOutcome:
        return await must_keep(env, expected, complaint, request=request(env), status=status)

    explain = f"Sends {sends} and reads the refusal.\nExpected: {expected}."
    check(id, title, explain=explain, needs=needs, **texts)(run)


_refusal = partial(_keeps, source=_OURS, fix=_FIX_WORDS)
_refusal(
    "C40",
    "challenges for a bearer token when it refuses",
    level="convention",
    sends="the event without a token",
    expected="WWW-Authenticate: Bearer",
    why="The standard requires it; without it, a client cannot distinguish a refusal from an error.",
    request=no_token,
    status=401,
    complaint=challenges,
    source="RFC 6750 section 3; RFC 9110 section 15.5.2",
    fix="Send WWW-Authenticate: Bearer with every 401.",
)
_refusal(
    "C41",
    "writes a refusal as JSON",
    level="convention",
    sends="the event without a token",
    expected='{"error": {"code", "message"}}',
    why="Tools that read the response should find the same form for every error.",
    request=no_token,
    complaint=error_json,
    source="ours: the HTTP contract",
)
_refusal(
    "C42",
    "forbids caching of a refusal",
    level="convention",
    sends="the event without a token",
    expected="Cache-Control: no-store",
    why="A cached refusal is returned after its reason is gone.",
    request=no_token,
    complaint=not_stored,
    source="RFC 9111 section 5.2.2.5",
    fix="Send Cache-Control: no-store with every answer.",
)
_refusal(
    "C43",
    "includes no part of a refused token in its response",
    level="convention",
    sends="a token with a mark in its audience, issuer, caller and key id",
    expected="a refusal without the mark",
    why="Intermediaries log responses, and messages with values help an attacker.",
    request=marked_token,
    complaint=echoes,
)
_refusal(
    "C44",
    "includes no refused claim's value in its response",
    level="convention",
    sends="a token signed with the tenant's key with a mark as audience",
    expected="a refusal without the mark",
    why="Libraries put expected and actual values into their messages; these belong in the log.",
    request=marked_audience,
    complaint=echoes,
)
_refusal(
    "C45",
    "includes no value of a refused event in its response",
    level="convention",
    sends="the valid event with a mark as type",
    expected="a refusal without the mark",
    why="Reflected input can be injected into a page or a log.",
    request=marked_body,
    complaint=echoes,
    needs=TOKEN,
)
_refusal(
    "C46",
    "includes no part of an unparsable body in its response",
    level="convention",
    sends="a body that starts with a mark and is not JSON",
    expected="a refusal without the mark",
    why="Parsers quote the text at which they fail.",
    request=marked_garbage,
    complaint=echoes,
    needs=TOKEN,
)
_refusal(
    "C47",
    "includes no stack trace when it refuses a token",
    level="hardening",
    sends="a token with a mark in its audience, issuer, caller and key id",
    expected="a refusal without a stack trace",
    why="A stack trace reveals files, versions and the rule that failed.",
    request=marked_token,
    complaint=has_stack,
)
_refusal(
    "C48",
    "includes no stack trace when it refuses a body",
    level="hardening",
    sends="a body that is not JSON",
    expected="a refusal without a stack trace",
    why="A stack trace reveals files, versions and the rule that failed.",
    request=marked_garbage,
    complaint=has_stack,
    needs=TOKEN,
)


@check(
    "C49",
    "refuses every invalid token with the same body",
    level="convention",
    source=_OURS,
    why="Different bodies for an expired and a forged token reveal how far the token got.",
    fix=_FIX_WORDS,
    explain=(
        "Sends a token signed with the attacker's key and an expired one signed with the tenant's "
        "key.\nExpected: the same body."
    ),
    needs=ISSUER,
)
async def refuses_in_the_same_words(env: CheckEnvironment) -> CheckOutcome:
    """Compare the two bodies."""
    forged = await env.send(env.request(TokenForge(env).by_attacker()))
    late = await env.send(expired(env))
    if None in (forged.status, late.status) or 200 in (forged.status, late.status):
        return skipped("two equal bodies", f"there are no two refusals to compare: {forged} and {late}")
    complaint = None if forged.body == late.body else "the bodies differ"
    return judged(late, "two equal bodies", complaint, actual="they are equal")


@check(
    "C50",
    "does not reveal its tenant when it refuses another",
    level="convention",
    source=_OURS,
    why="The response to a wrong tenant must not reveal the right one.",
    fix=_FIX_WORDS,
    explain="Sends an event of another tenant.\nExpected: a refusal without the configured tenant's id.",
)
async def names_no_tenant(env: CheckEnvironment) -> CheckOutcome:
    """Look for the configured tenant's id."""
    tenant_id = env.tenant.tenant_id.encode()

    def names_tenant(response: RawResponse) -> str | None:
        return "the body names the tenant" if tenant_id in response.body else None

    return await must_keep(
        env, "a refusal without the tenant's id", names_tenant, request=other_tenant(env), status=None
    )
