"""T100 to T117: the caller. The audience is not enough: every app in the tenant can request a token with it."""

from functools import partial
from typing import Final

from selftest.checks.forged_tokens import ABSENT, TokenForge
from selftest.checks.token.refused import attack, good_v1, good_v2

_FIX_CALLER: Final = (
    "Require azp in a v2.0 token and appid in a v1.0 token to be 99045fe1-7639-4a75-9d4a-577b6ca3810f, "
    "Entra's event service, and never read the other claim. See claims/token/rules.py."
)
_FIX_VERSION: Final = "Accept ver only as the string 1.0 or 2.0. See claims/token/validator.py."
_FIX_PURPOSE: Final = "Refuse claims that only a user's access token or an id token carries. See claims/token/rules.py."
_ANY_APP: Final = "Any app in the tenant can request a token with this audience; only the caller's id identifies Entra."
_OTHER_CLAIM: Final = "If either claim is accepted, the sender selects it, and neither is tied to the token's version."
_NOT_AN_APP: Final = "A user's browser holds such tokens; Entra calls as an application."


def _own_app(forge: TokenForge) -> str:
    return forge.env.entra.mint.client_credentials_token(forge.env.tenant.audience_app_id)


_caller_attack = partial(
    attack, source="entra-docs custom-extension-overview.md: azp (v2.0) or appid (v1.0) is 99045fe1-…", fix=_FIX_CALLER
)
_caller_attack(
    "T100",
    "refuses a token that another app requested for itself",
    level="security",
    sends="a client-credentials token of the user's app",
    why=_ANY_APP,
    token=lambda forge: forge.env.entra.mint.client_credentials_token(forge.env.tenant.client.app_id),
    bad='{"azp":"<any app>"}',
    good='{"azp":"99045fe1-7639-4a75-9d4a-577b6ca3810f"}',
)
_caller_attack(
    "T101",
    "refuses a token that the API requested for itself",
    level="security",
    sends="the token from Microsoft's instructions for direct tests: client credentials of the API's own registration",
    why="Anyone with the API's secret, or any app's, could read every user's claims.",
    token=_own_app,
    source="entra-docs custom-extension-troubleshoot.md describes this token; its azp is the API, not Entra",
)
_caller_attack(
    "T102",
    "refuses a v2.0 token without a caller",
    level="hardening",
    sends="a v2.0 token without azp",
    why="Libraries validate only the claims that are present; a missing one passes unless it is required.",
    token=lambda forge: forge.with_claims("2.0", azp=ABSENT),
    control=good_v2,
)
_caller_attack(
    "T103",
    "refuses appid in place of azp in a v2.0 token",
    level="hardening",
    sends="a v2.0 token with the caller in appid",
    why=_OTHER_CLAIM,
    token=lambda forge: forge.with_claims("2.0", azp=ABSENT, appid=forge.env.tenant.caller_app_id),
    control=good_v2,
)
_caller_attack(
    "T104",
    "refuses azp in place of appid in a v1.0 token",
    level="hardening",
    sends="a v1.0 token with the caller in azp",
    why=_OTHER_CLAIM,
    token=lambda forge: forge.with_claims("1.0", appid=ABSENT, azp=forge.env.tenant.caller_app_id),
    control=good_v1,
)
_caller_attack(
    "T105",
    "refuses a wrong azp together with the right appid",
    level="hardening",
    sends="a v2.0 token with another app in azp and Entra's event service in appid",
    why=_OTHER_CLAIM,
    token=lambda forge: forge.with_claims(
        "2.0", azp=forge.env.tenant.client.app_id, appid=forge.env.tenant.caller_app_id
    ),
    control=good_v2,
)


_version_attack = partial(
    attack, source="entra-docs access-token-claims-reference.md (ver); the .NET trigger's validator", fix=_FIX_VERSION
)
_version_attack(
    "T107",
    "refuses a token without a version",
    level="hardening",
    sends="a token without ver",
    why="ver selects the issuer and the caller claim; a default would let the sender select by leaving ver out.",
    token=lambda forge: forge.with_claims(ver=ABSENT),
)
_version_attack(
    "T108",
    "refuses an unknown version",
    level="hardening",
    sends="a token whose ver is 3.0",
    why="The meaning of the claims in a future version is unknown.",
    token=lambda forge: forge.with_claims(ver="3.0"),
)
_version_attack(
    "T109",
    "refuses a version that is a number",
    level="hardening",
    sends="a token whose ver is the number 2.0",
    why=(
        "An endpoint that accepts the number 2.0 also accepts 2, and another reader of the token sees a "
        "different value."
    ),
    token=lambda forge: forge.with_claims(ver=2.0),
    bad='{"ver":2.0}',
    good='{"ver":"2.0"}',
)


_purpose_attack = partial(
    attack, source="entra-docs access-token-claims-reference.md: scp is in user tokens only", fix=_FIX_PURPOSE
)
_purpose_attack(
    "T111",
    "refuses a user's access token",
    level="security",
    sends="an access token of a signed-in user for the endpoint",
    why=_NOT_AN_APP,
    token=lambda forge: forge.env.entra.mint.user_token(),
)
_purpose_attack(
    "T112",
    "refuses a token with a scope",
    level="hardening",
    sends="a valid token with the claim scp",
    why=_NOT_AN_APP,
    token=lambda forge: forge.with_claims(scp="access_as_user"),
    bad='{"scp":"access_as_user"}',
    good="(no scp)",
)
_purpose_attack(
    "T113",
    "refuses an id token",
    level="security",
    sends="an id token whose audience is the endpoint's registration",
    why="An id token tells an app which user signed in; it grants no access, and browsers hold it.",
    token=lambda forge: forge.env.entra.mint.id_token(),
    source="entra-docs id-tokens.md: not for authorization; RFC 8725 section 2.8",
)
_purpose_attack(
    "T116",
    "refuses an id token that names Entra's event service",
    level="hardening",
    sends="an id token signed with the tenant's key that has the event service's id in azp",
    why="An id token tells an app which user signed in; the right caller does not make it an access token.",
    token=lambda forge: forge.env.entra.mint.id_token(azp=forge.env.tenant.caller_app_id),
    source="entra-docs id-tokens.md: not for authorization; RFC 8725 section 2.8",
)
_purpose_attack(
    "T114",
    "refuses a token marked as a user's (idtyp)",
    level="hardening",
    sends="a valid token with idtyp user",
    why=_NOT_AN_APP,
    token=lambda forge: forge.with_claims(idtyp="user"),
    source="entra-docs optional-claims-reference.md (idtyp)",
)
_purpose_attack(
    "T115",
    "refuses Entra's token for another extension",
    level="security",
    sends="the event service's own token for another endpoint of the tenant",
    why="The owner of the other endpoint receives these tokens and could send them here.",
    token=lambda forge: forge.env.entra.mint.client_credentials_token(
        forge.env.tenant.caller_app_id, audience=forge.env.tenant.other_resource.app_id
    ),
    source="RFC 8725 section 3.9: audience",
    fix="Compare aud exactly with the API's client id. See claims/token/rules.py.",
)
