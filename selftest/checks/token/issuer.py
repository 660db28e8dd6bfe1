"""T80 to T99: the token's issuer, audience and tenant."""

from functools import partial
from typing import Final

from selftest.checks.forged_tokens import ABSENT, TokenForge
from selftest.checks.token.refused import attack, good_v1, good_v2

_FIX_ISS: Final = (
    "Compare iss exactly with the issuer in the metadata document of the token's version; never construct"
    " it and never compare a prefix. See claims/token/rules.py."
)
_FIX_AUD: Final = (
    "Compare aud, as a single string, exactly with the API's client id (in v1.0 also with its application"
    " id URI). See claims/token/rules.py."
)
_FIX_TID: Final = "Compare tid with the configured tenant, in addition to the issuer. See claims/token/rules.py."
_OTHER_TENANT: Final = "Tokens of every tenant come from Entra; without this rule, an attacker needs only a tenant."
_OTHER_API: Final = "The owner of another API holds tokens for it and could use them here."
_V1_ONLY: Final = "A rule for one version that is applied to the other weakens both."


def _issuer(forge: TokenForge) -> str:
    return forge.env.entra.mint.issuer(forge.env.version)


_issuer_attack = partial(
    attack, source="entra-docs custom-extension-overview.md (iss); RFC 8725 section 3.8", fix=_FIX_ISS
)
_issuer_attack(
    "T80",
    "refuses another tenant's issuer",
    level="security",
    sends="a token with the other tenant's issuer as iss and its id as tid, as Entra issues it there",
    why=_OTHER_TENANT,
    token=lambda forge: forge.with_claims(iss=forge.env.entra.other_issuer, tid=forge.env.tenant.other_tenant_id),
)
_issuer_attack(
    "T81",
    "refuses the v1.0 issuer in a v2.0 token",
    level="hardening",
    sends="a v2.0 token with the issuer of the v1.0 metadata",
    why=_V1_ONLY,
    token=lambda forge: forge.with_claims("2.0", iss=forge.env.entra.mint.issuer("1.0")),
    control=good_v2,
)
_issuer_attack(
    "T82",
    "refuses the v2.0 issuer in a v1.0 token",
    level="hardening",
    sends="a v1.0 token with the issuer of the v2.0 metadata",
    why=_V1_ONLY,
    token=lambda forge: forge.with_claims("1.0", iss=forge.env.entra.mint.issuer("2.0")),
    control=good_v1,
)
_issuer_attack(
    "T83",
    "refuses an issuer with an additional slash",
    level="hardening",
    sends="a token whose iss ends with an additional slash",
    why="A validator that trims the value compares something other than what was signed.",
    token=lambda forge: forge.with_claims(iss=f"{_issuer(forge)}/"),
    source="RFC 7519 section 2: StringOrURI values are compared as case-sensitive strings",
)
_issuer_attack(
    "T84",
    "refuses an issuer in upper case",
    level="hardening",
    sends="a token whose iss is in upper case",
    why="A validator that changes case compares something other than what was signed.",
    token=lambda forge: forge.with_claims(iss=_issuer(forge).upper()),
    source="RFC 7519 section 2: StringOrURI values are compared as case-sensitive strings",
)
_issuer_attack(
    "T85",
    "refuses a token without an issuer",
    level="hardening",
    sends="a token without iss",
    why="Libraries validate only the claims that are present; a missing one passes unless it is required.",
    token=lambda forge: forge.with_claims(iss=ABSENT),
)
_issuer_attack(
    "T86",
    "refuses a list of issuers",
    level="hardening",
    sends="a token whose iss is a list that contains the right issuer",
    why="iss is a single string; code that tests with `in` accepts the list.",
    token=lambda forge: forge.with_claims(iss=[_issuer(forge)]),
)


_audience_attack = partial(
    attack, source="entra-docs access-token-claims-reference.md (aud); RFC 8725 section 3.9", fix=_FIX_AUD
)
_audience_attack(
    "T88",
    "refuses a token for another API",
    level="security",
    sends="a token with another API's client id as aud",
    why=_OTHER_API,
    token=lambda forge: forge.with_claims(aud=forge.env.tenant.other_resource.app_id),
)
_audience_attack(
    "T89",
    "refuses a list of audiences",
    level="hardening",
    sends="a token whose aud is a list of our client id and another",
    why=(
        "The owner of another API holds tokens for it and could use them here. Entra's access tokens have one audience."
    ),
    token=lambda forge: forge.with_claims(
        aud=[forge.env.tenant.audience_app_id, forge.env.tenant.other_resource.app_id]
    ),
    bad='{"aud":["<ours>","<other>"]}',
    good='{"aud":"<ours>"}',
)
_audience_attack(
    "T90",
    "refuses a token without an audience",
    level="hardening",
    sends="a token without aud",
    why="Libraries validate only the claims that are present; a missing one passes unless it is required.",
    token=lambda forge: forge.with_claims(aud=ABSENT),
)
_audience_attack(
    "T91",
    "refuses an empty audience",
    level="hardening",
    sends='a token whose aud is ""',
    why="An endpoint with an empty audience setting would accept it.",
    token=lambda forge: forge.with_claims(aud=""),
)
_audience_attack(
    "T92",
    "refuses its own URL as the audience",
    level="hardening",
    sends="a token whose aud is the URL of the endpoint",
    why="Entra never sends it; some emulators do, and endpoints are adapted to them.",
    token=lambda forge: forge.with_claims(aud=forge.env.url),
)
_audience_attack(
    "T93",
    "refuses the application id URI in a v2.0 token",
    level="hardening",
    sends="a v2.0 token whose aud is the API's application id URI",
    why=_V1_ONLY,
    token=lambda forge: forge.with_claims("2.0", aud=forge.env.tenant.application_id_uri),
    control=good_v2,
    source="entra-docs access-token-claims-reference.md: in v2.0 tokens aud is always the client id",
    bad='{"ver":"2.0","aud":"api://…"}',
    good='{"ver":"2.0","aud":"<client id>"}',
)
_audience_attack(
    "T94",
    "refuses an audience that starts with its client id",
    level="hardening",
    sends="a token whose aud is our client id followed by more text",
    why=_OTHER_API,
    token=lambda forge: forge.with_claims(aud=f"{forge.env.tenant.audience_app_id}.example"),
)


_tenant_attack = partial(
    attack, source="entra-docs access-token-claims-reference.md (tid); claims-validation.md", fix=_FIX_TID
)
_tenant_attack(
    "T96",
    "refuses another tenant's id",
    level="hardening",
    sends="a token of our issuer with the other tenant's id as tid",
    why=_OTHER_TENANT,
    token=lambda forge: forge.with_claims(tid=forge.env.tenant.other_tenant_id),
)
_tenant_attack(
    "T97",
    "refuses a token without a tenant id",
    level="hardening",
    sends="a token without tid",
    why="Libraries validate only the claims that are present; a missing one passes unless it is required.",
    token=lambda forge: forge.with_claims(tid=ABSENT),
)
