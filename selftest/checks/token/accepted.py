"""T150 to T169: valid tokens. An endpoint that is too strict locks users out just as a broken one does."""

from functools import partial
from typing import Final, Unpack

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.expectations import must_answer
from selftest.checks.forged_tokens import ABSENT, TokenForge, TokenMaker
from selftest.checks.registry import ISSUER, CheckOutcome, CheckTexts, check

_REFERENCE: Final = "entra-docs access-token-claims-reference.md"
_SIGN_INS: Final = "Entra sends this; refusing it fails every sign-in."
_NEW: Final = "Entra adds members without notice; an endpoint that refuses them fails every sign-in from that day on."
_FIX_IGNORE: Final = "Ignore members that do not affect the decision. See claims/token/validator.py."


def _accepts(
    id: str,  # noqa: A002 - the name of the field
    title: str,
    *,
    sends: str,
    token: TokenMaker,
    **texts: Unpack[CheckTexts],
) -> None:
    async def run(env: CheckEnvironment) -> CheckOutcome:
        return await must_answer(env, env.request(token(TokenForge(env))))

    explain = f"Sends {sends}, signed with the tenant's key, and the valid event.\nExpected: 200."
    check(id, title, explain=explain, needs=ISSUER, **texts)(run)


_believes = partial(_accepts, source=_REFERENCE, why=_SIGN_INS, fix=_FIX_IGNORE)
_believes(
    "T150",
    "accepts Entra's v2.0 token",
    level="convention",
    sends="the callout's token with ver 2.0",
    token=lambda forge: forge.with_claims("2.0"),
    source="entra-docs custom-extension-overview.md",
    fix=(
        "Compare each setting with the registration: authority, audience, caller. `explain 1003005` has the next steps."
    ),
)
_believes(
    "T151",
    "accepts Entra's v1.0 token for the client id",
    level="convention",
    sends="the callout's token with ver 1.0 and the client id as aud",
    token=lambda forge: forge.with_claims("1.0"),
    why="An API whose accessTokenAcceptedVersion is 1 or null receives v1.0 tokens; null is the default.",
    fix="Read the v1.0 metadata, too, and select by ver. See claims/token/validator.py.",
)
_believes(
    "T152",
    "accepts Entra's v1.0 token for the application id URI",
    level="convention",
    sends="the callout's token with ver 1.0 and the api:// URI as aud",
    token=lambda forge: forge.with_claims("1.0", aud=forge.env.tenant.application_id_uri),
    why="In v1.0 tokens the audience is the value that the request named, and the extension names the URI.",
    fix="Configure the application id URI as a second audience for v1.0 tokens.",
)
_believes(
    "T154",
    "accepts a token with roles",
    level="sign-in",
    sends="a valid token with an app role in roles",
    token=lambda forge: forge.with_claims(roles=["CustomClaims.Read"]),
    why="An administrator may assign the event service an app role; sign-ins must continue to work.",
)
_believes(
    "T155",
    "accepts a token with unknown claims",
    level="sign-in",
    sends="a valid token with three unknown claims",
    token=lambda forge: forge.with_claims(xms_new="1", acrs=["p1"], nested={"a": [1, None]}),
    why=_NEW,
)
_believes(
    "T156",
    "accepts a token with unknown header members",
    level="hardening",
    sends="a valid token with two unknown header members",
    token=lambda forge: forge.with_header(nonce="0", new={"a": 1}),
    why=_NEW,
    source="RFC 7515 section 4: members that are not understood must be ignored",
)
_believes(
    "T157",
    "accepts a token without typ",
    level="hardening",
    sends="a valid token without typ in its header",
    token=lambda forge: forge.with_header(typ=ABSENT),
    source="RFC 7515 section 4.1.9: optional",
)
_believes(
    "T158",
    "accepts an expiry with a decimal fraction",
    level="hardening",
    sends="a valid token whose exp is a number with a fraction",
    token=lambda forge: forge.with_claims(exp=forge.now_s + 1800.5),
    source="RFC 7519 section 2: NumericDate may have a fraction",
)
_believes(
    "T159",
    "accepts a token marked as an app's (idtyp)",
    level="sign-in",
    sends="a valid token with idtyp app",
    token=lambda forge: forge.with_claims(idtyp="app"),
    source="entra-docs optional-claims-reference.md (idtyp)",
    why="It is an optional claim that the API's owner may enable.",
)
_believes(
    "T160",
    "accepts a token issued half a minute in the future",
    level="hardening",
    sends="a token whose iat and nbf are 30 s in the future",
    token=lambda forge: forge.with_claims(nbf=forge.now_s + 30, iat=forge.now_s + 30),
    source="RFC 7519 section 4.1.5: a small leeway for clock skew",
    why="Clocks differ; without leeway the first seconds of every token fail.",
    fix="Allow a leeway of about a minute. See claims/token/rules.py.",
)


@check(
    "T162",
    "accepts the Bearer scheme in any capitalization",
    level="hardening",
    source="RFC 9110 section 11.1: the scheme is case-insensitive",
    why="Clients and proxies may write bearer or BEARER; the standard allows it.",
    fix="Compare the scheme without regard to case. See claims/header.py.",
    explain="Sends the valid request with `Authorization: bearer …`.\nExpected: 200.",
    good="Authorization: bearer eyJ…",
)
async def accepts_lower_case_scheme(env: CheckEnvironment) -> CheckOutcome:
    """Send the scheme in lower case."""
    return await must_answer(env, env.good_request().with_header("Authorization", f"bearer {env.good_token()}"))
