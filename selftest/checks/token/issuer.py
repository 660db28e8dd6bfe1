"""T80 to T99: who issued the token, for whom, and for which tenant."""

from typing import Final

from selftest.checks.forged_tokens import ABSENT, Forge
from selftest.checks.token.refused import Attack, good_v1, register_attacks

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


def _issuer(forge: Forge) -> str:
    return forge.bench.entra.mint.issuer("2.0")


_ISSUER: Final = (
    Attack(
        id="T80",
        title="refuses another tenant's issuer",
        sends="a token whose iss is the other tenant's",
        why=_OTHER_TENANT,
        token=lambda forge: forge.with_claims(iss=forge.bench.entra.other_issuer),
        fix=_FIX_ISS,
    ),
    Attack(
        id="T81",
        title="refuses the v1.0 issuer in a v2.0 token",
        sends="a v2.0 token whose iss is the one of the v1.0 metadata",
        why=_V1_ONLY,
        token=lambda forge: forge.with_claims(iss=forge.bench.entra.mint.issuer("1.0")),
        fix=_FIX_ISS,
    ),
    Attack(
        id="T82",
        title="refuses the v2.0 issuer in a v1.0 token",
        sends="a v1.0 token whose iss is the one of the v2.0 metadata",
        why=_V1_ONLY,
        token=lambda forge: forge.with_claims("1.0", iss=_issuer(forge)),
        control=good_v1,
        fix=_FIX_ISS,
    ),
    Attack(
        id="T83",
        title="refuses an issuer with a slash more",
        sends="a token whose iss has a slash at the end",
        why="Whoever trims before comparing compares something else than what was signed.",
        token=lambda forge: forge.with_claims(iss=f"{_issuer(forge)}/"),
        fix=_FIX_ISS,
        source="RFC 7519 section 2: StringOrURI values are compared as case-sensitive strings",
    ),
    Attack(
        id="T84",
        title="refuses an issuer in upper case",
        sends="a token whose iss is in upper case",
        why="Whoever folds case before comparing compares something else than what was signed.",
        token=lambda forge: forge.with_claims(iss=_issuer(forge).upper()),
        fix=_FIX_ISS,
        source="RFC 7519 section 2: StringOrURI values are compared as case-sensitive strings",
    ),
    Attack(
        id="T85",
        title="refuses a token without an issuer",
        sends="a token without iss",
        why="Libraries check what is there; what is missing passes unless it is required.",
        token=lambda forge: forge.with_claims(iss=ABSENT),
        fix=_FIX_ISS,
    ),
    Attack(
        id="T86",
        title="refuses a list of issuers",
        sends="a token whose iss is a list that holds the right one",
        why="iss is one string; code that asks whether one is `in` the other takes the list.",
        token=lambda forge: forge.with_claims(iss=[_issuer(forge)]),
        fix=_FIX_ISS,
    ),
)

_AUDIENCE: Final = (
    Attack(
        id="T88",
        title="refuses a token for another API",
        sends="a token whose aud is another API's client id",
        why=_OTHER_API,
        token=lambda forge: forge.with_claims(aud=forge.bench.tenant.other_resource.app_id),
        fix=_FIX_AUD,
    ),
    Attack(
        id="T89",
        title="refuses a list of audiences",
        sends="a token whose aud is a list that holds ours beside another",
        why=f"{_OTHER_API} Entra's access tokens have one audience.",
        token=lambda forge: forge.with_claims(
            aud=[forge.bench.tenant.audience_app_id, forge.bench.tenant.other_resource.app_id]
        ),
        fix=_FIX_AUD,
        bad='{"aud":["<ours>","<other>"]}',
        good='{"aud":"<ours>"}',
    ),
    Attack(
        id="T90",
        title="refuses a token without an audience",
        sends="a token without aud",
        why="Libraries check what is there; what is missing passes unless it is required.",
        token=lambda forge: forge.with_claims(aud=ABSENT),
        fix=_FIX_AUD,
    ),
    Attack(
        id="T91",
        title="refuses an empty audience",
        sends='a token whose aud is ""',
        why="An endpoint whose setting was left empty would believe it.",
        token=lambda forge: forge.with_claims(aud=""),
        fix=_FIX_AUD,
    ),
    Attack(
        id="T92",
        title="refuses its own address as audience",
        sends="a token whose aud is the URL of the endpoint",
        why="Entra never writes it; some emulators do, and teach endpoints to accept it.",
        token=lambda forge: forge.with_claims(aud=forge.bench.url),
        fix=_FIX_AUD,
    ),
    Attack(
        id="T93",
        title="refuses the application id URI in a v2.0 token",
        sends="a v2.0 token whose aud is the API's application id URI",
        why=_V1_ONLY,
        token=lambda forge: forge.with_claims(aud=forge.bench.tenant.application_id_uri),
        fix=_FIX_AUD,
        source="entra-docs access-token-claims-reference.md: in v2.0 tokens aud is always the client id",
        bad='{"ver":"2.0","aud":"api://…"}',
        good='{"ver":"2.0","aud":"<client id>"}',
    ),
    Attack(
        id="T94",
        title="refuses an audience that only starts like its own",
        sends="a token whose aud is our client id with more behind it",
        why=_OTHER_API,
        token=lambda forge: forge.with_claims(aud=f"{forge.bench.tenant.audience_app_id}.example"),
        fix=_FIX_AUD,
    ),
)

_TENANT: Final = (
    Attack(
        id="T96",
        title="refuses another tenant's id",
        sends="a token of our issuer whose tid is the other tenant's",
        why=_OTHER_TENANT,
        token=lambda forge: forge.with_claims(tid=forge.bench.tenant.other_tenant_id),
        fix=_FIX_TID,
    ),
    Attack(
        id="T97",
        title="refuses a token without a tenant id",
        sends="a token without tid",
        why="Libraries check what is there; what is missing passes unless it is required.",
        token=lambda forge: forge.with_claims(tid=ABSENT),
        fix=_FIX_TID,
    ),
)

register_attacks(_ISSUER, source="entra-docs custom-extension-overview.md (iss); RFC 8725 section 3.8")
register_attacks(_AUDIENCE, source="entra-docs access-token-claims-reference.md (aud); RFC 8725 section 3.9")
register_attacks(_TENANT, source="entra-docs access-token-claims-reference.md (tid); claims-validation.md")
