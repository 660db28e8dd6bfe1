"""Checks of one kind: a token or a header that must be refused.

They differ only in what is sent; this module makes the check around it.
"""

from collections.abc import Callable, Collection
from typing import Final, Unpack

from selftest.checks.bench.environment import CheckEnvironment, CheckNeed
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import UNAUTHORIZED, in_words, must_refuse
from selftest.checks.forged_tokens import TokenForge, TokenMaker
from selftest.checks.registry import ISSUER, CheckOutcome, CheckTexts, check

FIX_VALIDATION: Final = (
    "Validate before reading anything: exactly one Bearer credential, strict compact serialisation, RS256 with a "
    "published key, then every claim. claims/token/validator.py shows the order."
)


def good_v1(forge: TokenForge) -> str:
    """Give the control of what concerns v1.0 tokens."""
    return forge.good("1.0")


def attack(
    id: str,  # noqa: A002 - the name of the field
    title: str,
    *,
    sends: str,
    token: TokenMaker | None = None,
    request: Callable[[RawRequest], RawRequest] | None = None,
    control: TokenMaker = TokenForge.good,
    statuses: Collection[int] = UNAUTHORIZED,
    needs: frozenset[CheckNeed] = ISSUER,
    **texts: Unpack[CheckTexts],
) -> None:
    """Register a check that sends one hostile request, of which either the token or something else is wrong.

    Args:
        id: Of the check.
        title: True of a good endpoint: "refuses …".
        sends: What is sent, for the explanation.
        token: Makes the hostile token.
        request: Makes the hostile request out of the good one.
        control: Makes the token without the fault, which must be believed.
        statuses: What a refusal is.
        needs: Without "token" the attack is sent also where no control is possible.
        **texts: Source, reason and fix.

    Raises:
        ValueError: Both or neither of ``token`` and ``request`` are given.
    """
    if (token is None) == (request is None):
        raise ValueError(f"{id} needs either a token or a request to send")

    async def run(env: CheckEnvironment) -> CheckOutcome:
        forge = TokenForge(env)
        before = forge.attacker_hits()

        def nobody_fetched() -> str | None:
            fetched = forge.attacker_hits() - before
            return f"the attacker's key set was fetched {fetched} times" if fetched else None

        allowed = env.request(control(forge)) if "token" in env.have else None
        if token is not None:
            hostile = env.request(token(forge))
        else:
            assert request is not None  # noqa: S101 - checked above
            hostile = request(allowed or env.request(env.entra.mint.callout_token()))
        return await must_refuse(env, hostile, control=allowed, statuses=statuses, also=nobody_fetched)

    explain = (
        f"Sends {sends}.\nEverything else about the request is good. The same request without the "
        f"fault is sent first and must be answered 200.\nWanted: {in_words(statuses)} with WWW-Authenticate: Bearer."
    )
    check(id, title, explain=explain, needs=needs, **texts)(run)
