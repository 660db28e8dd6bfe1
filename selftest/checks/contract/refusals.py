"""C40 to C59: what a refusal must and must not contain."""

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
from selftest.checks.registry import ANYWHERE, ISSUER, TOKEN, CheckOutcome, check


def _keeps(
    check_id: str,
    expected: str,
    request: RequestMaker,
    rule: ResponseRule,
    *,
    status: int | None = None,
    needs: frozenset[CheckNeed] = ANYWHERE,
) -> None:
    """Register a rule of a refusal.

    Args:
        check_id: The check's id.
        expected: What a valid endpoint does.
        request: Makes the request that is refused.
        rule: Returns what is wrong with the refusal, or None.
        status: The status of the refusals that can be judged; None for any.
        needs: See `Check`.
    """

    async def run(env: CheckEnvironment) -> CheckOutcome:
        return await must_keep(env, expected, rule, request=request(env), status=status)

    check(check_id, needs=needs, expected=expected)(run)


_keeps("C40", "WWW-Authenticate: Bearer", no_token, challenges, status=401)
_keeps("C41", '{"error": {"code", "message"}}', no_token, error_json)
_keeps("C42", "Cache-Control: no-store", no_token, not_stored)
_keeps("C43", "a refusal without the mark", marked_token, echoes)
_keeps("C44", "a refusal without the mark", marked_audience, echoes)
_keeps("C45", "a refusal without the mark", marked_body, echoes, needs=TOKEN)
_keeps("C46", "a refusal without the mark", marked_garbage, echoes, needs=TOKEN)
_keeps("C47", "a refusal without a stack trace", marked_token, has_stack)
_keeps("C48", "a refusal without a stack trace", marked_garbage, has_stack, needs=TOKEN)


@check("C49", needs=ISSUER)
async def refuses_in_the_same_words(env: CheckEnvironment) -> CheckOutcome:
    """Compare the two bodies."""
    forged = await env.send(env.request(TokenForge(env).by_attacker()))
    late = await env.send(expired(env))
    if None in (forged.status, late.status) or 200 in (forged.status, late.status):
        return skipped("two equal bodies", f"there are no two refusals to compare: {forged} and {late}")
    complaint = None if forged.body == late.body else "the bodies differ"
    return judged(late, "two equal bodies", complaint, actual="they are equal")


@check("C50")
async def names_no_tenant(env: CheckEnvironment) -> CheckOutcome:
    """Look for the configured tenant's id."""
    tenant_id = env.tenant.tenant_id.encode()

    def names_tenant(response: RawResponse) -> str | None:
        return "the body names the tenant" if tenant_id in response.body else None

    return await must_keep(
        env, "a refusal without the tenant's id", names_tenant, request=other_tenant(env), status=None
    )
