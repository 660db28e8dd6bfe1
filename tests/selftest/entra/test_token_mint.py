"""The tokens of the emulated tenant."""

from typing import Any

import jwt
import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.signing import KeySet
from selftest.entra.token_mint import ABSENT, EntraVersion, TokenMint

AUTHORITY = f"http://127.0.0.1:1/{DEFAULT_TENANT.tenant_id}"
NOW_S = 1_800_000_000


@pytest.fixture
def mint() -> TokenMint:
    """Return a mint with a fixed clock and fixed randomness."""
    return TokenMint(DEFAULT_TENANT, AUTHORITY, KeySet(), lambda: NOW_S + 0.9, rng=lambda size: b"\x07" * size)


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_v2_claims(mint: TokenMint) -> None:
    """A v2.0 callout token carries the documented claims and names its caller in azp."""
    claims = _claims(mint.callout_token())
    tenant = DEFAULT_TENANT
    assert claims["aud"] == tenant.audience_app_id
    assert claims["iss"] == f"{AUTHORITY}/v2.0"
    assert claims["azp"] == tenant.caller_app_id
    assert claims["oid"] == claims["sub"] == tenant.caller_object_id
    assert (claims["tid"], claims["ver"]) == (tenant.tenant_id, "2.0")
    assert not {"appid", "appidacr", "idp", "scp", "roles", "idtyp", "nonce"} & claims.keys()


def test_v1_claims(mint: TokenMint) -> None:
    """A v1.0 callout token has the older issuer and names its caller in appid."""
    claims = _claims(mint.callout_token("1.0"))
    assert claims["aud"] == DEFAULT_TENANT.audience_app_id
    assert claims["iss"] == f"https://sts.windows.net/{DEFAULT_TENANT.tenant_id}/"
    assert claims["appid"] == DEFAULT_TENANT.caller_app_id
    assert claims["ver"] == "1.0"
    assert not {"azp", "azpacr", "scp", "roles"} & claims.keys()


@pytest.mark.parametrize(("version", "has_thumbprint"), [("1.0", True), ("2.0", False)])
def test_header(mint: TokenMint, version: EntraVersion, *, has_thumbprint: bool) -> None:
    """Only the header of a v1.0 token carries x5t."""
    header = jwt.get_unverified_header(mint.callout_token(version))
    assert (header["typ"], header["alg"], header["kid"]) == ("JWT", "RS256", mint.keys.current.kid)
    assert ("x5t" in header) == has_thumbprint


def test_lifetime(mint: TokenMint) -> None:
    """The times are whole seconds around the clock's now: 300 s back, 3900 s long."""
    claims = _claims(mint.callout_token())
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (NOW_S - 300, NOW_S - 300, NOW_S + 3600)


def test_changes_replace_and_remove(mint: TokenMint) -> None:
    """A change replaces one claim, ABSENT leaves it out, None stays as JSON null."""
    claims = _claims(mint.callout_token(aud="other", azp=ABSENT, roles=None))
    assert claims["aud"] == "other"
    assert "azp" not in claims
    assert claims["roles"] is None


def test_ids_are_unique_a_token() -> None:
    """With real randomness no two tokens are the same."""
    mint = TokenMint(DEFAULT_TENANT, AUTHORITY, KeySet(), lambda: NOW_S)
    assert _claims(mint.callout_token())["uti"] != _claims(mint.callout_token())["uti"]


def test_user_token(mint: TokenMint) -> None:
    """A user's token is for the same audience, but delegated: it has scp, and its subject is not its object id."""
    claims = _claims(mint.user_token())
    assert claims["aud"] == DEFAULT_TENANT.audience_app_id
    assert claims["scp"] == "access_as_user"
    assert claims["azp"] == DEFAULT_TENANT.client.app_id
    assert claims["sub"] != claims["oid"]


def test_user_token_may_name_the_event_service(mint: TokenMint) -> None:
    """A check may set azp to the caller, so that only scp distinguishes the token."""
    assert _claims(mint.user_token(azp=DEFAULT_TENANT.caller_app_id))["scp"] == "access_as_user"


def test_id_token(mint: TokenMint) -> None:
    """An id token has the right audience and a nonce, and authorizes nobody."""
    claims = _claims(mint.id_token())
    assert claims["aud"] == DEFAULT_TENANT.audience_app_id
    assert "nonce" in claims
    assert not {"azp", "appid", "scp"} & claims.keys()


def test_client_credentials_token(mint: TokenMint) -> None:
    """An app's own token names the app, and one app keeps one object id that is not the event service's."""
    first, second = (_claims(mint.client_credentials_token(DEFAULT_TENANT.client.app_id)) for _ in range(2))
    assert first["azp"] == DEFAULT_TENANT.client.app_id
    assert first["oid"] == first["sub"] == second["oid"]
    assert first["oid"] != DEFAULT_TENANT.caller_object_id
    assert "scp" not in first


def test_rotation_is_seen_at_the_next_token(mint: TokenMint) -> None:
    """The mint signs with the key that is current when it signs."""
    new = mint.keys.rotate()
    assert jwt.get_unverified_header(mint.callout_token())["kid"] == new.kid
