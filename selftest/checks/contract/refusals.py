"""C40 to C59: what a refusal must and must not contain."""

from functools import partial
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawResponse
from selftest.checks.contract.refusal_rules import (
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
from selftest.checks.contract.rule_check import keeps
from selftest.checks.expectations import challenges, judged, must_keep, skipped
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import ANYWHERE, ISSUER, TOKEN, CheckOutcome, check

_refusal: Final = partial(keeps, status=None, needs=ANYWHERE)
_refusal("C40", "WWW-Authenticate: Bearer", challenges, request=no_token, status=401)
_refusal("C41", '{"error": {"code", "message"}}', error_json, request=no_token)
_refusal("C42", "Cache-Control: no-store", not_stored, request=no_token)
_refusal("C43", "a refusal without the mark", echoes, request=marked_token)
_refusal("C44", "a refusal without the mark", echoes, request=marked_audience)
_refusal("C45", "a refusal without the mark", echoes, request=marked_body, needs=TOKEN)
_refusal("C46", "a refusal without the mark", echoes, request=marked_garbage, needs=TOKEN)
_refusal("C47", "a refusal without a stack trace", has_stack, request=marked_token)
_refusal("C48", "a refusal without a stack trace", has_stack, request=marked_garbage, needs=TOKEN)


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
