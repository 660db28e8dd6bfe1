"""T150 to T169: valid tokens. An endpoint that is too strict locks users out just as a broken one does."""

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.expectations import must_answer
from selftest.checks.forged_tokens import ABSENT, TokenForge, TokenMaker
from selftest.checks.registry import ISSUER, CheckOutcome, check


def _accepts(check_id: str, token: TokenMaker) -> None:
    async def run(env: CheckEnvironment) -> CheckOutcome:
        return await must_answer(env, env.request(token(TokenForge(env))))

    check(check_id, needs=ISSUER)(run)


_accepts("T150", lambda forge: forge.with_claims("2.0"))
_accepts("T151", lambda forge: forge.with_claims("1.0"))
_accepts("T152", lambda forge: forge.with_claims("1.0", aud=forge.env.tenant.application_id_uri))
_accepts("T154", lambda forge: forge.with_claims(roles=["CustomClaims.Read"]))
_accepts("T155", lambda forge: forge.with_claims(xms_new="1", acrs=["p1"], nested={"a": [1, None]}))
_accepts("T156", lambda forge: forge.with_header(nonce="0", new={"a": 1}))
_accepts("T157", lambda forge: forge.with_header(typ=ABSENT))
_accepts("T158", lambda forge: forge.with_claims(exp=forge.now_s + 1800.5))
_accepts("T159", lambda forge: forge.with_claims(idtyp="app"))
_accepts("T160", lambda forge: forge.with_claims(nbf=forge.now_s + 30, iat=forge.now_s + 30))


@check("T162")
async def accepts_lower_case_scheme(env: CheckEnvironment) -> CheckOutcome:
    """Send the scheme in lower case."""
    return await must_answer(env, env.good_request().with_header("Authorization", f"bearer {env.good_token()}"))
