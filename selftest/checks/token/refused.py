"""Checks that send a token or an Authorization header that must be refused; they differ only in what is sent."""

from collections.abc import Callable
from typing import Final, Unpack

from selftest.checks.bench.environment import CheckEnvironment, CheckNeed
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import must_refuse
from selftest.checks.forged_tokens import TokenForge, TokenMaker
from selftest.checks.registry import ISSUER, CheckOutcome, CheckTexts, check

FIX_VALIDATION: Final = (
    "Validate before reading anything else: exactly one Bearer credential, strict compact serialization, RS256 with a "
    "published key, then every claim. See claims/token/validator.py for the order."
)


def good_v2(forge: TokenForge) -> str:
    """Return a valid v2.0 token, the control of attacks that concern this version alone."""
    return forge.good("2.0")


def good_v1(forge: TokenForge) -> str:
    """Return a valid v1.0 token, the control of attacks with v1.0 tokens."""
    return forge.good("1.0")


def attack(
    id: str,  # noqa: A002 - the name of the field
    title: str,
    *,
    sends: str,
    token: TokenMaker | None = None,
    request: Callable[[RawRequest], RawRequest] | None = None,
    control: TokenMaker = TokenForge.good,
    needs: frozenset[CheckNeed] = ISSUER,
    **texts: Unpack[CheckTexts],
) -> None:
    """Register a check that sends one hostile request with a wrong token or another fault.

    Args:
        id: The check's id.
        title: A statement about a valid endpoint: "refuses …".
        sends: What the check sends, for the explanation.
        token: Makes the hostile token.
        request: Makes the hostile request from the valid one.
        control: Makes the token without the fault, which must be accepted.
        needs: Without "token", the attack is also sent if no control is possible.
        **texts: Source, reason and fix.

    Raises:
        ValueError: Both or neither of ``token`` and ``request`` are given.
    """
    if (token is None) == (request is None):
        raise ValueError(f"{id} needs either a token or a request")

    async def run(env: CheckEnvironment) -> CheckOutcome:
        forge = TokenForge(env)
        before = forge.attacker_hits()

        def fetched_key_set() -> str | None:
            fetched = forge.attacker_hits() - before
            return f"the attacker's key set was fetched {fetched} times" if fetched else None

        allowed = env.request(control(forge)) if "token" in env.have else None
        if token is not None:
            hostile = env.request(token(forge))
        else:
            assert request is not None  # noqa: S101 - checked above
            hostile = request(allowed or env.request(env.entra.mint.callout_token()))
        return await must_refuse(env, hostile, control=allowed, also=fetched_key_set)

    explain = (
        f"Sends {sends}.\nEverything else in the request is valid. The same request without the "
        f"fault is sent first and must be answered 200.\nExpected: a refusal, which is any whole response but a 200."
    )
    check(id, title, explain=explain, needs=needs, **texts)(run)
