"""Checks that send a token or an Authorization header that must be refused; they differ only in what is sent."""

from collections.abc import Callable
from typing import Final

from selftest.checks.bench.environment import CheckEnvironment, CheckNeed
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import must_refuse
from selftest.checks.forged_tokens import TokenForge, TokenMaker
from selftest.checks.registry import ANYWHERE, ISSUER, CheckOutcome, check

_EXPLAIN: Final = (
    "Sends {sends}.\nEverything else in the request is valid. The same request without the fault is sent first and must"
    " be answered 200.\nExpected: a refusal, which is any whole response but a 200."
)


def good_v2(forge: TokenForge) -> str:
    """Return a valid v2.0 token, the control of attacks that concern this version alone."""
    return forge.good("2.0")


def good_v1(forge: TokenForge) -> str:
    """Return a valid v1.0 token, the control of attacks with v1.0 tokens."""
    return forge.good("1.0")


def attack(
    check_id: str,
    token: TokenMaker,
    *,
    control: TokenMaker = TokenForge.good,
    needs: frozenset[CheckNeed] = ISSUER,
) -> None:
    """Register a check that sends one wrong token.

    Args:
        check_id: The check's id.
        token: Makes the hostile token.
        control: Makes the token without the fault, which must be accepted.
        needs: Without "token", the attack is also sent if no control is possible.
    """

    async def run(env: CheckEnvironment) -> CheckOutcome:
        forge = TokenForge(env)
        before = forge.attacker_hits()

        def fetched_key_set() -> str | None:
            fetched = forge.attacker_hits() - before
            return f"the attacker's key set was fetched {fetched} times" if fetched else None

        allowed = env.request(control(forge)) if "token" in env.have else None
        return await must_refuse(env, env.request(token(forge)), control=allowed, also=fetched_key_set)

    check(check_id, needs=needs, explain=_EXPLAIN)(run)


def header_attack(check_id: str, request: Callable[[RawRequest], RawRequest]) -> None:
    """Register a check that sends one wrong request, made from the valid one, also if no control is possible."""

    async def run(env: CheckEnvironment) -> CheckOutcome:
        allowed = env.control()
        return await must_refuse(env, request(allowed or env.request(env.entra.mint.callout_token())), control=allowed)

    check(check_id, needs=ANYWHERE, explain=_EXPLAIN)(run)
