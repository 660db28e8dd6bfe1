"""The claims of a token whose signature is good: is it meant for us, from the right caller, and valid now?

One function for each claim, called in one place. Each compares exactly: no prefix, no list that holds the right value
among others, no string where a number belongs.
"""

from collections.abc import Mapping
from typing import Any, Final

from claims.errors import TokenRefused, shorten, show_id
from claims.settings.authority import TokenVersion
from claims.settings.settings import Settings
from claims.token.jwks import SigningKey

#: How far the clocks may disagree. Entra and Azure keep theirs within a second; five minutes, the custom of many
#: libraries, would be most of a stolen token's useful life.
LEEWAY_S: Final = 60

#: What JSON's numbers become; a boolean's type is neither.
_NUMBERS: Final = frozenset({int, float})
#: Claims of a user's token, of an id token, or of a token bound to a key: no app that calls for itself has them.
_NOT_AN_APP_TOKEN: Final = ("scp", "nonce", "at_hash", "c_hash", "cnf")


def check_claims(
    payload: Mapping[str, Any], *, version: TokenVersion, key: SigningKey, settings: Settings, now_s: float
) -> float:
    """Check every claim of a verified payload and return when the token expires, in seconds since the epoch.

    The signature was verified with ``key``, and ``key`` comes from the document that publishes the token's ``iss``.

    Raises:
        TokenRefused: A claim is missing, malformed, or not the expected one.

    Source: entra-docs ``custom-extension-overview.md`` and ``access-token-claims-reference.md``; RFC 7519 section 4.1.
    """
    check_key_issuer(payload, key, settings.tenant_id)
    check_audience(payload, version, settings)
    check_tenant(payload, settings.tenant_id)
    check_caller(payload, version, settings.caller_app_ids)
    check_app_only(payload)
    check_times(payload, now_s)
    return float(payload["exp"])


def check_key_issuer(payload: Mapping[str, Any], key: SigningKey, tenant_id: str) -> None:
    """Require a key that may sign for the token's issuer: a published key can name the issuers that are its own.

    That the issuer is one that is trusted is known already: the key was found in its document.
    """
    if not key.signs_for(payload["iss"], tenant_id):
        raise TokenRefused("key_issuer", "expected a key of the token's issuer")


def check_audience(payload: Mapping[str, Any], version: TokenVersion, settings: Settings) -> None:
    """Require exactly our client id; a v1.0 token may carry the application id URI instead.

    Source: entra-docs ``access-token-claims-reference.md`` (``aud``).
    """
    audience = payload.get("aud")
    expected = [settings.audience_app_id]
    if version == "1.0" and settings.application_id_uri:
        expected.append(settings.application_id_uri)
    if audience not in expected:
        raise TokenRefused("audience", f"expected one of {sorted(expected)}, got {show_id(audience)}")


def check_tenant(payload: Mapping[str, Any], tenant_id: str) -> None:
    """Require the configured tenant, whatever the issuer's name suggests."""
    if payload.get("tid") != tenant_id:
        raise TokenRefused("tenant", f"expected '{tenant_id}', got {show_id(payload.get('tid'))}")


def check_caller(payload: Mapping[str, Any], version: TokenVersion, caller_app_ids: frozenset[str]) -> None:
    """Require a known caller in the claim of this version: ``azp`` in 2.0, ``appid`` in 1.0, never the other."""
    name = "azp" if version == "2.0" else "appid"
    caller = payload.get(name)
    if not isinstance(caller, str) or caller not in caller_app_ids:
        raise TokenRefused("caller", f"expected {name} to be one of {sorted(caller_app_ids)}, got {show_id(caller)}")


def check_app_only(payload: Mapping[str, Any]) -> None:
    """Refuse a user's token, an id token and a key-bound token: Entra calls as an application.

    ``idtyp`` is optional; where it is present it must be ``app``.
    """
    if not payload.keys().isdisjoint(_NOT_AN_APP_TOKEN):
        raise TokenRefused("not_an_app_token", f"expected no {next(filter(payload.__contains__, _NOT_AN_APP_TOKEN))}")
    if payload.get("idtyp", "app") != "app":
        raise TokenRefused("not_an_app_token", f"expected idtyp 'app', got {shorten(payload['idtyp'])}")


def check_times(payload: Mapping[str, Any], now_s: float) -> None:
    """Require a token that is valid now, within `LEEWAY_S`.

    Source: RFC 7519 sections 4.1.4 to 4.1.6; every access token from Entra has all three.
    """
    expires_s = _numeric_date(payload, "exp")
    not_before_s = _numeric_date(payload, "nbf")
    issued_s = _numeric_date(payload, "iat")
    if now_s >= expires_s + LEEWAY_S:
        raise TokenRefused("expired", f"expected exp after {now_s - LEEWAY_S:.0f}, got {expires_s:.0f}")
    if now_s < not_before_s - LEEWAY_S:
        raise TokenRefused("not_yet_valid", f"expected nbf before {now_s + LEEWAY_S:.0f}, got {not_before_s:.0f}")
    if now_s < issued_s - LEEWAY_S:
        raise TokenRefused("issued_in_future", f"expected iat before {now_s + LEEWAY_S:.0f}, got {issued_s:.0f}")


def _numeric_date(payload: Mapping[str, Any], name: str) -> float:
    """Return a NumericDate: a JSON number, not a string and not a boolean.

    It is finite: `claims.wire.strict_json` lets no other number through. An integer can still be beyond a double.
    """
    value: Any = payload.get(name)
    if type(value) not in _NUMBERS:
        raise TokenRefused(f"{name}_malformed", f"expected a number, got {shorten(value)}")
    try:
        seconds = float(value)
    except OverflowError as error:
        raise TokenRefused(f"{name}_malformed", "expected a number within the range of a double") from error
    if seconds < 0:
        raise TokenRefused(f"{name}_malformed", "expected a time since the epoch")
    return seconds
