"""T80 to T99: the token's issuer, audience and tenant."""

from selftest.checks.forged_tokens import ABSENT, TokenForge
from selftest.checks.token.refused import attack, good_v1, good_v2


def _issuer(forge: TokenForge) -> str:
    return forge.env.entra.mint.issuer(forge.env.version)


def _anothers(forge: TokenForge) -> str:
    """Return a token that Entra issues in another tenant."""
    return forge.with_claims(iss=forge.env.entra.other_issuer, tid=forge.env.tenant.other_tenant_id)


def _for_two(forge: TokenForge) -> str:
    tenant = forge.env.tenant
    return forge.with_claims(aud=[tenant.audience_app_id, tenant.other_resource.app_id])


attack("T80", _anothers)
attack("T81", lambda forge: forge.with_claims("2.0", iss=forge.env.entra.mint.issuer("1.0")), control=good_v2)
attack("T82", lambda forge: forge.with_claims("1.0", iss=forge.env.entra.mint.issuer("2.0")), control=good_v1)
attack("T83", lambda forge: forge.with_claims(iss=f"{_issuer(forge)}/"))
attack("T84", lambda forge: forge.with_claims(iss=_issuer(forge).upper()))
attack("T85", lambda forge: forge.with_claims(iss=ABSENT))
attack("T86", lambda forge: forge.with_claims(iss=[_issuer(forge)]))

attack("T88", lambda forge: forge.with_claims(aud=forge.env.tenant.other_resource.app_id))
attack("T89", _for_two)
attack("T90", lambda forge: forge.with_claims(aud=ABSENT))
attack("T91", lambda forge: forge.with_claims(aud=""))
attack("T92", lambda forge: forge.with_claims(aud=forge.env.url))
attack("T93", lambda forge: forge.with_claims("2.0", aud=forge.env.tenant.application_id_uri), control=good_v2)
attack("T94", lambda forge: forge.with_claims(aud=f"{forge.env.tenant.audience_app_id}.example"))

attack("T96", lambda forge: forge.with_claims(tid=forge.env.tenant.other_tenant_id))
attack("T97", lambda forge: forge.with_claims(tid=ABSENT))
