"""T100 to T117: the caller. The audience is not enough: every app in the tenant can request a token with it."""

from selftest.checks.forged_tokens import ABSENT, TokenForge
from selftest.checks.token.refused import attack, good_v1, good_v2


def _another_apps(forge: TokenForge) -> str:
    return forge.env.entra.mint.client_credentials_token(forge.env.tenant.client.app_id)


def _own_apps(forge: TokenForge) -> str:
    return forge.env.entra.mint.client_credentials_token(forge.env.tenant.audience_app_id)


def _with_both_claims(forge: TokenForge) -> str:
    return forge.with_claims("2.0", azp=forge.env.tenant.client.app_id, appid=forge.env.tenant.caller_app_id)


def _for_another_endpoint(forge: TokenForge) -> str:
    tenant = forge.env.tenant
    return forge.env.entra.mint.client_credentials_token(tenant.caller_app_id, audience=tenant.other_resource.app_id)


attack("T100", _another_apps)
attack("T101", _own_apps)
attack("T102", lambda forge: forge.with_claims("2.0", azp=ABSENT), control=good_v2)
attack(
    "T103", lambda forge: forge.with_claims("2.0", azp=ABSENT, appid=forge.env.tenant.caller_app_id), control=good_v2
)
attack(
    "T104", lambda forge: forge.with_claims("1.0", appid=ABSENT, azp=forge.env.tenant.caller_app_id), control=good_v1
)
attack("T105", _with_both_claims, control=good_v2)

attack("T107", lambda forge: forge.with_claims(ver=ABSENT))
attack("T108", lambda forge: forge.with_claims(ver="3.0"))
attack("T109", lambda forge: forge.with_claims(ver=2.0))

attack("T111", lambda forge: forge.env.entra.mint.user_token())
attack("T112", lambda forge: forge.with_claims(scp="access_as_user"))
attack("T113", lambda forge: forge.env.entra.mint.id_token())
attack("T114", lambda forge: forge.with_claims(idtyp="user"))
attack("T115", _for_another_endpoint)
attack("T116", lambda forge: forge.env.entra.mint.id_token(azp=forge.env.tenant.caller_app_id))
