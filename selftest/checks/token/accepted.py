"""T150 to T169: what must be believed. Too strict an endpoint locks users out as surely as a broken one."""

from dataclasses import dataclass
from typing import Final

from selftest.checks.bench.environment import Bench
from selftest.checks.expectations import must_accept
from selftest.checks.forged_tokens import ABSENT, Forge, TokenMaker
from selftest.checks.registry import ISSUER, Check, Level, Outcome, Run, check, register

_REFERENCE: Final = "entra-docs access-token-claims-reference.md"
_SIGN_INS: Final = "Entra sends this; refusing it fails every sign-in."
_NEW: Final = "Entra adds members without notice; an endpoint that refuses them fails every sign-in on that day."
_FIX_IGNORE: Final = "Ignore what has no meaning for the decision. claims/token/validator.py shows it."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Good:
    id: str
    title: str
    sends: str
    token: TokenMaker
    source: str = _REFERENCE
    why: str = _SIGN_INS
    fix: str = _FIX_IGNORE
    level: Level = "must"


_ACCEPTED: Final = (
    _Good(
        id="T150",
        title="accepts Entra's v2.0 token",
        sends="the callout's token with ver 2.0",
        token=lambda forge: forge.with_claims(),
        source="entra-docs custom-extension-overview.md",
        fix="Compare each setting with the registration: authority, audience, caller. `explain 1003005` goes on.",
    ),
    _Good(
        id="T151",
        title="accepts Entra's v1.0 token for the client id",
        sends="the callout's token with ver 1.0 and the client id as aud",
        token=lambda forge: forge.with_claims("1.0"),
        why="An API whose accessTokenAcceptedVersion is 1 or null gets v1.0 tokens; null is the default.",
        fix="Read the v1.0 metadata too and choose by ver. claims/token/validator.py shows it.",
    ),
    _Good(
        id="T152",
        title="accepts Entra's v1.0 token for the application id URI",
        sends="the callout's token with ver 1.0 and the api:// URI as aud",
        token=lambda forge: forge.with_claims("1.0", aud=forge.bench.tenant.application_id_uri),
        why="In v1.0 tokens the audience is whatever the request named, and the extension names the URI.",
        fix="Configure the application id URI as a second audience for v1.0 tokens.",
    ),
    _Good(
        id="T154",
        title="accepts a token with roles",
        sends="a good token with an app role in roles",
        token=lambda forge: forge.with_claims(roles=["CustomClaims.Read"]),
        why="An administrator may assign the event service an app role; sign-ins must go on.",
    ),
    _Good(
        id="T155",
        title="accepts a token with claims that it does not know",
        sends="a good token with three claims that mean nothing",
        token=lambda forge: forge.with_claims(xms_new="1", acrs=["p1"], nested={"a": [1, None]}),
        why=_NEW,
    ),
    _Good(
        id="T156",
        title="accepts a token with header members that it does not know",
        sends="a good token with two header members that mean nothing",
        token=lambda forge: forge.with_header(nonce="0", new={"a": 1}),
        why=_NEW,
        source="RFC 7515 section 4: members that are not understood must be ignored",
    ),
    _Good(
        id="T157",
        title="accepts a token without typ",
        sends="a good token without typ in its header",
        token=lambda forge: forge.with_header(typ=ABSENT),
        source="RFC 7515 section 4.1.9: optional",
        level="should",
    ),
    _Good(
        id="T158",
        title="accepts an expiry with a fraction",
        sends="a good token whose exp is a number with a fraction",
        token=lambda forge: forge.with_claims(exp=forge.now_s + 1800.5),
        source="RFC 7519 section 2: NumericDate may have a fraction",
        level="should",
    ),
    _Good(
        id="T159",
        title="accepts a token that says it is an app's (idtyp)",
        sends="a good token with idtyp app",
        token=lambda forge: forge.with_claims(idtyp="app"),
        source="entra-docs optional-claims-reference.md (idtyp)",
        why="It is an optional claim that the API's owner may switch on.",
    ),
    _Good(
        id="T160",
        title="accepts a token whose clock is half a minute ahead",
        sends="a token whose iat and nbf are 30 s to come",
        token=lambda forge: forge.with_claims(nbf=forge.now_s + 30, iat=forge.now_s + 30),
        source="RFC 7519 section 4.1.5: a small leeway for clock skew",
        why="Two clocks never agree; without leeway the first seconds of every token fail.",
        fix="Allow a leeway of about a minute. claims/token/rules.py shows it.",
        level="should",
    ),
)


def _believes(token: TokenMaker) -> Run:
    async def run(bench: Bench) -> Outcome:
        return await must_accept(bench, bench.request(token(Forge(bench))))

    return run


for _row in _ACCEPTED:
    register(
        Check(
            id=_row.id,
            title=_row.title,
            level=_row.level,
            source=_row.source,
            why=_row.why,
            fix=_row.fix,
            explain=f"Sends {_row.sends}, signed with the tenant's key, and the good event.\nWanted: 200.",
            needs=ISSUER,
            run=_believes(_row.token),
        )
    )


@check(
    "T162",
    "accepts the scheme in any case",
    source="RFC 9110 section 11.1: the scheme is case-insensitive",
    why="Clients and proxies write bearer or BEARER; the standard says they may.",
    fix="Compare the scheme without regard to case. claims/header.py shows it.",
    explain="Sends the good request with `Authorization: bearer …`.\nWanted: 200.",
    good="Authorization: bearer eyJ…",
)
async def accepts_lower_case_scheme(bench: Bench) -> Outcome:
    """Send the scheme in lower case."""
    return await must_accept(bench, bench.good_request().with_header("Authorization", f"bearer {bench.good_token()}"))
