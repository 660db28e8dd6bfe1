"""T80 to T99: who issued the token, for whom, and for which tenant."""

from functools import partial
from typing import Final

from selftest.checks.forged_tokens import ABSENT, TokenForge
from selftest.checks.token.refused import attack, good_v1

_FIX_ISS: Final = (
    "Compare iss exactly with the issuer that the metadata document of the token's version publishes; never build it, "
    "never compare a prefix. claims/token/rules.py shows it."
)
_FIX_AUD: Final = (
    "Compare aud exactly with the API's client id (in v1.0 also its application id URI), as one string. "
    "claims/token/rules.py shows it."
)
_FIX_TID: Final = "Compare tid with the configured tenant, beside the issuer. claims/token/rules.py shows it."
_OTHER_TENANT: Final = "Every tenant's tokens come from Entra too; without this, an attacker's own tenant is enough."
_OTHER_API: Final = "A token that was meant for another API, and that its owner holds, would open this one."
_V1_ONLY: Final = "A rule for one version that leaks into the other widens both."


def _issuer(forge: TokenForge) -> str:
    return forge.env.entra.mint.issuer("2.0")


_issuer_attack = partial(
    attack, source="entra-docs custom-extension-overview.md (iss); RFC 8725 section 3.8", fix=_FIX_ISS
)
_issuer_attack(
    "T80",
    "refuses another tenant's issuer",
    sends="a token whose iss is the other tenant's",
    why=_OTHER_TENANT,
    token=lambda forge: forge.with_claims(iss=forge.env.entra.other_issuer),
)
_issuer_attack(
    "T81",
    "refuses the v1.0 issuer in a v2.0 token",
    sends="a v2.0 token whose iss is the one of the v1.0 metadata",
    why=_V1_ONLY,
    token=lambda forge: forge.with_claims(iss=forge.env.entra.mint.issuer("1.0")),
)
_issuer_attack(
    "T82",
    "refuses the v2.0 issuer in a v1.0 token",
    sends="a v1.0 token whose iss is the one of the v2.0 metadata",
    why=_V1_ONLY,
    token=lambda forge: forge.with_claims("1.0", iss=_issuer(forge)),
    control=good_v1,
)
_issuer_attack(
    "T83",
    "refuses an issuer with a slash more",
    sends="a token whose iss has a slash at the end",
    why="Whoever trims before comparing compares something else than what was signed.",
    token=lambda forge: forge.with_claims(iss=f"{_issuer(forge)}/"),
    source="RFC 7519 section 2: StringOrURI values are compared as case-sensitive strings",
)
_issuer_attack(
    "T84",
    "refuses an issuer in upper case",
    sends="a token whose iss is in upper case",
    why="Whoever folds case before comparing compares something else than what was signed.",
    token=lambda forge: forge.with_claims(iss=_issuer(forge).upper()),
    source="RFC 7519 section 2: StringOrURI values are compared as case-sensitive strings",
)
_issuer_attack(
    "T85",
    "refuses a token without an issuer",
    sends="a token without iss",
    why="Libraries check what is there; what is missing passes unless it is required.",
    token=lambda forge: forge.with_claims(iss=ABSENT),
)
_issuer_attack(
    "T86",
    "refuses a list of issuers",
    sends="a token whose iss is a list that holds the right one",
    why="iss is one string; code that asks whether one is `in` the other takes the list.",
    token=lambda forge: forge.with_claims(iss=[_issuer(forge)]),
)


_audience_attack = partial(
    attack, source="entra-docs access-token-claims-reference.md (aud); RFC 8725 section 3.9", fix=_FIX_AUD
)
_audience_attack(
    "T88",
    "refuses a token for another API",
    sends="a token whose aud is another API's client id",
    why=_OTHER_API,
    token=lambda forge: forge.with_claims(aud=forge.env.tenant.other_resource.app_id),
)
_audience_attack(
    "T89",
    "refuses a list of audiences",
    sends="a token whose aud is a list that holds ours beside another",
    why=f"{_OTHER_API} Entra's access tokens have one audience.",
    token=lambda forge: forge.with_claims(
        aud=[forge.env.tenant.audience_app_id, forge.env.tenant.other_resource.app_id]
    ),
    bad='{"aud":["<ours>","<other>"]}',
    good='{"aud":"<ours>"}',
)
_audience_attack(
    "T90",
    "refuses a token without an audience",
    sends="a token without aud",
    why="Libraries check what is there; what is missing passes unless it is required.",
    token=lambda forge: forge.with_claims(aud=ABSENT),
)
_audience_attack(
    "T91",
    "refuses an empty audience",
    sends='a token whose aud is ""',
    why="An endpoint whose setting was left empty would believe it.",
    token=lambda forge: forge.with_claims(aud=""),
)
_audience_attack(
    "T92",
    "refuses its own address as audience",
    sends="a token whose aud is the URL of the endpoint",
    why="Entra never writes it; some emulators do, and teach endpoints to accept it.",
    token=lambda forge: forge.with_claims(aud=forge.env.url),
)
_audience_attack(
    "T93",
    "refuses the application id URI in a v2.0 token",
    sends="a v2.0 token whose aud is the API's application id URI",
    why=_V1_ONLY,
    token=lambda forge: forge.with_claims(aud=forge.env.tenant.application_id_uri),
    source="entra-docs access-token-claims-reference.md: in v2.0 tokens aud is always the client id",
    bad='{"ver":"2.0","aud":"api://…"}',
    good='{"ver":"2.0","aud":"<client id>"}',
)
_audience_attack(
    "T94",
    "refuses an audience that only starts like its own",
    sends="a token whose aud is our client id with more behind it",
    why=_OTHER_API,
    token=lambda forge: forge.with_claims(aud=f"{forge.env.tenant.audience_app_id}.example"),
)


_tenant_attack = partial(
    attack, source="entra-docs access-token-claims-reference.md (tid); claims-validation.md", fix=_FIX_TID
)
_tenant_attack(
    "T96",
    "refuses another tenant's id",
    sends="a token of our issuer whose tid is the other tenant's",
    why=_OTHER_TENANT,
    token=lambda forge: forge.with_claims(tid=forge.env.tenant.other_tenant_id),
)
_tenant_attack(
    "T97",
    "refuses a token without a tenant id",
    sends="a token without tid",
    why="Libraries check what is there; what is missing passes unless it is required.",
    token=lambda forge: forge.with_claims(tid=ABSENT),
)
