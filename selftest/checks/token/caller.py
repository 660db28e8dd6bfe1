"""T100 to T117: who calls. A token for the right audience is not enough: every app of the tenant can get one."""

from functools import partial
from typing import Final

from selftest.checks.forged_tokens import ABSENT, TokenForge
from selftest.checks.token.refused import attack, good_v1

_FIX_CALLER: Final = (
    "Want azp in a v2.0 token and appid in a v1.0 one to be 99045fe1-7639-4a75-9d4a-577b6ca3810f, Entra's event "
    "service, and never read the other claim. claims/token/rules.py shows it."
)
_FIX_VERSION: Final = "Accept ver as the string 1.0 or 2.0 and nothing else. claims/token/validator.py shows it."
_FIX_PURPOSE: Final = "Refuse what only a user's token or an id token carries. claims/token/rules.py shows it."
_ANY_APP: Final = (
    "Any app in the tenant can ask for a token with this audience; only the caller's id tells Entra apart."
)
_OTHER_CLAIM: Final = "Where either claim will do, the sender chooses which; neither is then tied to the version."
_NOT_AN_APP: Final = "A user's browser holds such tokens; Entra calls as an application, for itself."


def _own_app(forge: TokenForge) -> str:
    return forge.env.entra.mint.client_credentials_token(forge.env.tenant.audience_app_id)


_caller_attack = partial(
    attack, source="entra-docs custom-extension-overview.md: azp (v2.0) or appid (v1.0) is 99045fe1-…", fix=_FIX_CALLER
)
_caller_attack(
    "T100",
    "refuses a token that another app got for itself",
    sends="a client-credentials token of the user's app",
    why=_ANY_APP,
    token=lambda forge: forge.env.entra.mint.client_credentials_token(forge.env.tenant.client.app_id),
    bad='{"azp":"<any app>"}',
    good='{"azp":"99045fe1-7639-4a75-9d4a-577b6ca3810f"}',
)
_caller_attack(
    "T101",
    "refuses a token that the API got for itself",
    sends="the token of Microsoft's recipe for direct tests: client credentials of the API's own registration",
    why="Whoever has the API's secret, or any app's, could read every user's claims.",
    token=_own_app,
    source="entra-docs custom-extension-troubleshoot.md shows the recipe; its azp is the API, not Entra",
)
_caller_attack(
    "T102",
    "refuses a v2.0 token without a caller",
    sends="a v2.0 token without azp",
    why="Libraries check what is there; what is missing passes unless it is required.",
    token=lambda forge: forge.with_claims(azp=ABSENT),
)
_caller_attack(
    "T103",
    "refuses appid in place of azp in a v2.0 token",
    sends="a v2.0 token whose caller stands in appid",
    why=_OTHER_CLAIM,
    token=lambda forge: forge.with_claims(azp=ABSENT, appid=forge.env.tenant.caller_app_id),
)
_caller_attack(
    "T104",
    "refuses azp in place of appid in a v1.0 token",
    sends="a v1.0 token whose caller stands in azp",
    why=_OTHER_CLAIM,
    token=lambda forge: forge.with_claims("1.0", appid=ABSENT, azp=forge.env.tenant.caller_app_id),
    control=good_v1,
)
_caller_attack(
    "T105",
    "refuses another azp even beside the right appid",
    sends="a v2.0 token with another app in azp and Entra's event service in appid",
    why=_OTHER_CLAIM,
    token=lambda forge: forge.with_claims(azp=forge.env.tenant.client.app_id, appid=forge.env.tenant.caller_app_id),
)


_version_attack = partial(
    attack, source="entra-docs access-token-claims-reference.md (ver); the .NET trigger's validator", fix=_FIX_VERSION
)
_version_attack(
    "T107",
    "refuses a token without a version",
    sends="a token without ver",
    why="ver chooses the issuer and the caller's claim; a default would let the sender choose by silence.",
    token=lambda forge: forge.with_claims(ver=ABSENT),
)
_version_attack(
    "T108",
    "refuses an unknown version",
    sends="a token whose ver is 3.0",
    why="Nobody knows what the claims of a version mean that does not exist yet.",
    token=lambda forge: forge.with_claims(ver="3.0"),
)
_version_attack(
    "T109",
    "refuses a version that is a number",
    sends="a token whose ver is the number 2.0",
    why="Where 2.0 passes for a version, so does 2, and a reader that prints it gets another text.",
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
    sends="an access token of a signed-in user for the endpoint",
    why=_NOT_AN_APP,
    token=lambda forge: forge.env.entra.mint.user_token(),
)
_purpose_attack(
    "T112",
    "refuses a token with a scope",
    sends="a good token with the claim scp",
    why=_NOT_AN_APP,
    token=lambda forge: forge.with_claims(scp="access_as_user"),
    bad='{"scp":"access_as_user"}',
    good="(no scp)",
)
_purpose_attack(
    "T113",
    "refuses an id token",
    sends="an id token whose audience is the endpoint's registration",
    why="An id token tells an app who signed in; it authorises nobody, and browsers hold it.",
    token=lambda forge: forge.env.entra.mint.id_token(),
    source="entra-docs id-tokens.md: not for authorisation; RFC 8725 section 2.8",
)
_purpose_attack(
    "T116",
    "refuses an id token that names Entra's event service",
    sends="an id token of the tenant's key with the event service's id in azp",
    why="An id token tells an app who signed in; a right caller in it makes it no access token.",
    token=lambda forge: forge.env.entra.mint.id_token(azp=forge.env.tenant.caller_app_id),
    source="entra-docs id-tokens.md: not for authorisation; RFC 8725 section 2.8",
)
_purpose_attack(
    "T114",
    "refuses a token that says it is a user's (idtyp)",
    sends="a good token with idtyp user",
    why=_NOT_AN_APP,
    token=lambda forge: forge.with_claims(idtyp="user"),
    source="entra-docs optional-claims-reference.md (idtyp)",
)
_purpose_attack(
    "T115",
    "refuses Entra's token for another extension",
    sends="the event service's own token for another endpoint of the tenant",
    why="Whoever runs the other endpoint receives these tokens and could send them here.",
    token=lambda forge: forge.env.entra.mint.client_credentials_token(
        forge.env.tenant.caller_app_id, audience=forge.env.tenant.other_resource.app_id
    ),
    source="RFC 8725 section 3.9: audience",
    fix="Compare aud exactly with the API's client id. claims/token/rules.py shows it.",
)
