"""What each outcome in the endpoint's log line means, and what to do next.

The codes are those of ``claims/``; a test compares them with this table. A detail is shown only for outcomes whose
detail the endpoint itself writes, from settings, limits and shortened ids: a provider may write any text.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class OutcomeMeaning:
    """The meaning of one outcome, or of several similar ones.

    Attributes:
        says: What happened, as the end of a sentence.
        way_on: A command, without ``python -m selftest``.
        detailed: Whether the line's detail may be shown.
    """

    codes: tuple[str, ...]
    says: str
    way_on: str
    detailed: bool = False


_DIRECT_CALL: Final = "token --call https://HOST"
_TABLE: Final = (
    OutcomeMeaning(("claims",), "it sent the provider's claims", "check C"),
    OutcomeMeaning(
        ("omitted",), "its provider failed and it sent the default claims (Claims__OnFailure=omit)", "check F"
    ),
    OutcomeMeaning(
        ("stale",), "its provider failed and it sent the user's last good claims (Claims__OnFailure=stale)", "check F"
    ),
    OutcomeMeaning(
        ("audience",),
        "the token is for another API: AuthenticationEvents__AudienceAppId is not the app registration that the "
        "extension's resourceId names",
        _DIRECT_CALL,
        detailed=True,
    ),
    OutcomeMeaning(
        ("issuer", "key_issuer"),
        "the token's issuer is not the one of AuthenticationEvents__AuthorityUrl: another tenant, or in External "
        "ID the other host (Claims__AdditionalAuthorityUrls)",
        _DIRECT_CALL,
        detailed=True,
    ),
    OutcomeMeaning(("tenant",), "the token is from another tenant", _DIRECT_CALL, detailed=True),
    OutcomeMeaning(
        ("caller",),
        "the caller is not Entra's event service: a direct test, or an unknown caller; Entra itself sends "
        "99045fe1-7639-4a75-9d4a-577b6ca3810f",
        _DIRECT_CALL,
        detailed=True,
    ),
    OutcomeMeaning(
        ("not_an_app_token",),
        "a user's token or an id token was sent, not the one that Entra gets for itself",
        _DIRECT_CALL,
        detailed=True,
    ),
    OutcomeMeaning(
        ("key_unknown", "signature"),
        "the token is signed with a key that the configured authority does not publish: another tenant, a roll "
        "minutes ago, or in External ID the other host (Claims__AdditionalAuthorityUrls)",
        _DIRECT_CALL,
    ),
    OutcomeMeaning(
        ("expired", "not_yet_valid", "issued_in_future"),
        "the token's times and the host's clock disagree by more than a minute",
        _DIRECT_CALL,
        detailed=True,
    ),
    OutcomeMeaning(
        ("token_missing", "authorization_malformed"),
        "no bearer token arrived: something in front of the app removed the Authorization header, or it was not a "
        "call of Entra",
        "check T01 --url https://HOST --deployed",
    ),
    OutcomeMeaning(
        (
            *("token_segments", "token_alphabet", "token_base64", "token_not_canonical", "token_header"),
            *("token_payload", "token_too_large", "algorithm", "token_type", "key_id", "version"),
            *("header_crit", "header_b64", "header_zip", "header_jku", "header_jwk", "header_x5u", "header_x5c"),
            *("exp_malformed", "nbf_malformed", "iat_malformed"),
        ),
        "the token is not an access token of Entra",
        _DIRECT_CALL,
        detailed=True,
    ),
    OutcomeMeaning(
        ("event_tenant", "event_extension"),
        "the event is of another tenant or extension: Claims__AllowedExtensionIds does not name the extension "
        "that the listener calls",
        "doctor",
        detailed=True,
    ),
    OutcomeMeaning(
        ("body_json", "body_too_large", "event_member", "event_type", "content_type", "content_encoding"),
        "the body is not the documented event: something in front of the app changed it, or another kind of "
        "event calls this URL",
        "check B --url https://HOST --deployed",
        detailed=True,
    ),
    OutcomeMeaning(
        ("keys_not_loaded",),
        "it had no signing keys: it had just started, or cannot reach AuthenticationEvents__AuthorityUrl",
        "check C91 --url https://HOST --deployed",
    ),
    OutcomeMeaning(
        ("provider_late",), "its provider did not finish within Claims__BudgetMs", "explain 1003005", detailed=True
    ),
    OutcomeMeaning(
        ("overloaded",),
        "there were more concurrent sign-ins than Claims__MaxConcurrent allows",
        "check C88",
        detailed=True,
    ),
    OutcomeMeaning(
        ("provider_error", "provider_cancelled", "unexpected"),
        "its provider raised an exception; the line's detail names the place",
        "check F",
    ),
    OutcomeMeaning(
        (*("claims_shape", "claims_unicode", "claims_size"), *("claim_name", "claim_value")),
        "its provider returned claims that a token cannot have; the line's detail names the claim",
        "check C07 C09",
    ),
    OutcomeMeaning(
        (
            *("downstream_status", "downstream_shape", "downstream_too_large", "downstream_too_many"),
            *("downstream_unreachable", "downstream_next_link"),
        ),
        "the data source behind its provider returned an unusable reply; the line's detail says how",
        "check F",
    ),
    OutcomeMeaning(
        (
            *("downstream_token_unavailable", "downstream_token_backing_off", "downstream_token_closed"),
            "downstream_token_claims_challenge",
        ),
        "it got no token for the data source behind its provider: check Claims__Credential and its permissions",
        "check F",
    ),
)

OUTCOMES: Final = {code: outcome for outcome in _TABLE for code in outcome.codes}
_UNKNOWN: Final = OutcomeMeaning((), "its log has a code that this version does not know", "check C")


def outcome_of(code: str) -> OutcomeMeaning:
    """Return what an outcome means; a provider's own code is an unknown one."""
    return OUTCOMES.get(code, _UNKNOWN)
