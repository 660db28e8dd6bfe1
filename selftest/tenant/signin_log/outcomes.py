"""What each outcome in the endpoint's log line means, and what to do next.

The codes are those of ``claims/``; a test holds this table to them. A detail is shown only for the outcomes whose
detail is made by the endpoint itself, of settings, limits and shortened ids: a provider may write what it likes.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one outcome, or several that are alike, means.

    Attributes:
        says: what happened, as the end of a sentence.
        way_on: a command, without ``python -m selftest``.
        detailed: whether the line's detail may be shown.
    """

    codes: tuple[str, ...]
    says: str
    way_on: str
    detailed: bool = False


_DIRECT_CALL: Final = "token --call https://HOST"
_TABLE: Final = (
    Outcome(
        codes=("claims",),
        says="it sent the provider's claims",
        way_on="check C",
    ),
    Outcome(
        codes=("omitted",),
        says="its provider failed and it sent the default claims (Claims__OnFailure=omit)",
        way_on="check F",
    ),
    Outcome(
        codes=("stale",),
        says="its provider failed and it sent the user's last good claims (Claims__OnFailure=stale)",
        way_on="check F",
    ),
    Outcome(
        codes=("audience",),
        says="the token is for another API: AuthenticationEvents__AudienceAppId is not the app registration that the "
        "extension's resourceId names",
        way_on=_DIRECT_CALL,
        detailed=True,
    ),
    Outcome(
        codes=("issuer", "key_issuer"),
        says="the token's issuer is not the one of AuthenticationEvents__AuthorityUrl: another tenant, or in External "
        "ID the other host (Claims__AdditionalAuthorityUrls)",
        way_on=_DIRECT_CALL,
        detailed=True,
    ),
    Outcome(
        codes=("tenant",),
        says="the token is another tenant's",
        way_on=_DIRECT_CALL,
        detailed=True,
    ),
    Outcome(
        codes=("caller",),
        says="the caller is not Entra's event service: a direct test, or somebody who tries; Entra itself sends "
        "99045fe1-7639-4a75-9d4a-577b6ca3810f",
        way_on=_DIRECT_CALL,
        detailed=True,
    ),
    Outcome(
        codes=("not_an_app_token",),
        says="a user's token or an id token was sent, not the one that Entra gets for itself",
        way_on=_DIRECT_CALL,
        detailed=True,
    ),
    Outcome(
        codes=("key_unknown", "signature"),
        says="the token is signed with a key that the configured authority does not publish: another tenant, a roll "
        "minutes ago, or in External ID the other host (Claims__AdditionalAuthorityUrls)",
        way_on=_DIRECT_CALL,
    ),
    Outcome(
        codes=("expired", "not_yet_valid", "issued_in_future"),
        says="the token's times and the host's clock disagree by more than a minute",
        way_on=_DIRECT_CALL,
        detailed=True,
    ),
    Outcome(
        codes=("token_missing", "authorization_malformed"),
        says="no bearer token arrived: something in front of the app took the Authorization header, or it was no call "
        "of Entra's",
        way_on="check T01 --url https://HOST --deployed",
    ),
    Outcome(
        codes=(
            *("token_segments", "token_alphabet", "token_base64", "token_not_canonical", "token_header"),
            *("token_payload", "token_too_large", "algorithm", "token_type", "key_id", "version"),
            *("header_crit", "header_b64", "header_zip", "header_jku", "header_jwk", "header_x5u", "header_x5c"),
            *("exp_malformed", "nbf_malformed", "iat_malformed"),
        ),
        says="what was sent is no access token of Entra's",
        way_on=_DIRECT_CALL,
        detailed=True,
    ),
    Outcome(
        codes=("event_tenant", "event_extension"),
        says="the event is of another tenant or extension: Claims__AllowedExtensionIds does not name the extension "
        "that the listener calls",
        way_on="doctor",
        detailed=True,
    ),
    Outcome(
        codes=("body_json", "body_too_large", "event_member", "event_type", "content_type", "content_encoding"),
        says="the body is not the documented event: something in front of the app changed it, or another kind of "
        "event calls this URL",
        way_on="check B --url https://HOST --deployed",
        detailed=True,
    ),
    Outcome(
        codes=("keys_not_loaded",),
        says="it had no signing keys: it had just started, or cannot reach AuthenticationEvents__AuthorityUrl",
        way_on="check C91 --url https://HOST --deployed",
    ),
    Outcome(
        codes=("provider_late",),
        says="its provider did not finish within Claims__BudgetMs",
        way_on="explain 1003005",
        detailed=True,
    ),
    Outcome(
        codes=("overloaded",),
        says="more sign-ins came at once than Claims__MaxConcurrent lets in",
        way_on="check C88",
        detailed=True,
    ),
    Outcome(
        codes=("provider_error", "provider_cancelled", "unexpected"),
        says="the code of its provider raised; the line's detail names the place",
        way_on="check F",
    ),
    Outcome(
        codes=(
            *("claims_shape", "claims_unicode", "claims_size"),
            *("claim_name", "claim_value"),
        ),
        says="its provider gave claims that no token can carry; the line's detail names the claim",
        way_on="check C07 C09",
    ),
    Outcome(
        codes=(
            *("downstream_status", "downstream_shape", "downstream_too_large", "downstream_too_many"),
            *("downstream_unreachable", "downstream_next_link"),
        ),
        says="the data source behind its provider did not answer as it should; the line's detail says how",
        way_on="check F",
    ),
    Outcome(
        codes=(
            *("downstream_token_unavailable", "downstream_token_backing_off", "downstream_token_closed"),
            "downstream_token_claims_challenge",
        ),
        says="it got no token for the data source behind its provider: look at Claims__Credential and at its grants",
        way_on="check F",
    ),
)

OUTCOMES: Final = {code: outcome for outcome in _TABLE for code in outcome.codes}
_UNKNOWN: Final = Outcome(codes=(), says="it says so in a code that this version does not know", way_on="check C")


def outcome_of(code: str) -> Outcome:
    """Find what an outcome means; a provider's own code is told as one that is not known."""
    return OUTCOMES.get(code, _UNKNOWN)
