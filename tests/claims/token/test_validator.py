"""The token validator: what Entra sends is accepted, everything else is refused by the rule meant for it."""

import json
import sys

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from claims.errors import KeysUnavailable, TokenRefused
from claims.measurements import Measurements
from claims.settings.authority import Authority
from claims.token.key_document import REFRESH_S
from claims.token.keys import SigningKeys
from claims.token.rules import LEEWAY_S
from claims.token.validator import TokenValidator
from selftest.base.base64url import encode_base64url
from selftest.entra.signing import sign_compact
from tests.claims.site import (
    APPLICATION_ID_URI,
    AUTHORITY,
    ISSUERS,
    NOW_S,
    TENANT_ID,
    Clock,
    Site,
    good_token,
    settings,
    settle,
    token_header,
    token_payload,
)
from tests.claims.token.hostile import HOSTILE, Hostile


async def _validate(token: str, keys: SigningKeys, clock: Clock, **changes: str) -> None:
    validator = TokenValidator(settings(**changes), keys, wall_clock=lambda: NOW_S)
    await validator.validate(token, _measured(clock))


def _measured(clock: Clock) -> Measurements:
    return Measurements(budget_ms=60_000, clock=clock)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
async def test_accepts_the_callout_token(version: str, site: Site, keys: SigningKeys, clock: Clock) -> None:
    """Entra's own token is accepted in both versions."""
    await _validate(good_token(site.keys, version), keys, clock)


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
async def test_refuses(case: Hostile, site: Site, keys: SigningKeys, clock: Clock) -> None:
    """A hostile token is refused, by the rule that it breaks."""
    with pytest.raises(TokenRefused) as refused:
        await _validate(case.forge(site.keys), keys, clock)
    assert refused.value.code == case.code


async def test_accepts_the_uri_audience_in_version_1(site: Site, keys: SigningKeys, clock: Clock) -> None:
    """A v1.0 token may carry the application id URI, when it is configured and only then."""
    token = good_token(site.keys, "1.0", aud=APPLICATION_ID_URI)
    await _validate(token, keys, clock)
    with pytest.raises(TokenRefused, match="audience"):
        await _validate(token, keys, clock, Claims__ApplicationIdUri="")


async def test_accepts_what_it_need_not_understand(site: Site, keys: SigningKeys, clock: Clock) -> None:
    """Members that mean nothing here do not stop a sign-in: Entra may add some tomorrow."""
    header = token_header(site.keys, nonce="n", x5t="t", typ="at+jwt")
    payload = token_payload(roles=["x"], idtyp="app", uti="u", azpacr="2", exp=NOW_S + 60.5)
    await _validate(sign_compact(header, payload, site.keys.current), keys, clock)
    await _validate(sign_compact(token_header(site.keys, typ=None), payload, site.keys.current), keys, clock)


@pytest.mark.parametrize(
    "times",
    [{"exp": NOW_S - LEEWAY_S + 1}, {"nbf": NOW_S + LEEWAY_S}, {"iat": NOW_S + LEEWAY_S}],
    ids=lambda times: next(iter(times)),
)
async def test_allows_clocks_to_differ(times: dict[str, float], site: Site, keys: SigningKeys, clock: Clock) -> None:
    """A token within the leeway is accepted."""
    await _validate(good_token(site.keys, "2.0", **times), keys, clock)


async def test_accepts_additional_callers_only_when_named(site: Site, keys: SigningKeys, clock: Clock) -> None:
    """A direct test's own application is a caller only by setting."""
    app_id = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
    token = good_token(site.keys, azp=app_id)
    with pytest.raises(TokenRefused, match="caller"):
        await _validate(token, keys, clock)
    await _validate(token, keys, clock, Claims__AdditionalCallerAppIds=app_id)


async def test_key_of_another_issuer(site: Site, keys: SigningKeys, clock: Clock) -> None:
    """A published key that names an issuer signs for that issuer alone; a placeholder stands for the tenant."""
    jwk = site.keys.current.jwk()
    site.keys.published[:] = [{**jwk, "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}]
    await _validate(good_token(site.keys), keys, clock)
    with pytest.raises(TokenRefused, match="key_issuer"):
        await _validate(good_token(site.keys, "1.0"), keys, clock)


async def test_a_token_is_verified_once_and_judged_every_time(site: Site, keys: SigningKeys, clock: Clock) -> None:
    """What was good is refused when its time is over, when its key is withdrawn, and with any other signature."""
    started_s = clock.now_s
    validator = TokenValidator(settings(), keys, wall_clock=lambda: NOW_S + clock.now_s - started_s)
    token, measured = good_token(site.keys), _measured(clock)
    for seen in (False, True):
        await validator.validate(token, measured)
        assert measured.cache_hits["signature"] is seen
    with pytest.raises(TokenRefused, match="signature"):
        await validator.validate(token[:-8] + "A" * 8, measured)
    clock.now_s += 2 * REFRESH_S
    with pytest.raises(TokenRefused, match="expired"):
        await validator.validate(token, measured)


async def test_a_withdrawn_key_ends_its_tokens(site: Site, keys: SigningKeys, clock: Clock) -> None:
    """A token that was verified before is nothing once its key is no longer published."""
    validator = TokenValidator(settings(), keys, wall_clock=lambda: NOW_S)
    token = good_token(site.keys)
    await validator.validate(token, _measured(clock))
    await settle()
    withdrawn = site.keys.current.kid
    site.keys.rotate()
    site.keys.retire(withdrawn)
    await clock.tick(REFRESH_S)
    with pytest.raises(TokenRefused, match="key_unknown"):
        await validator.validate(token, _measured(clock))


async def test_a_key_replaced_under_its_id_ends_its_tokens(site: Site, keys: SigningKeys, clock: Clock) -> None:
    """What counts is the key and not its name."""
    validator = TokenValidator(settings(), keys, wall_clock=lambda: NOW_S)
    token = good_token(site.keys)
    await validator.validate(token, _measured(clock))
    await settle()
    replaced = site.keys.current.kid
    other = site.keys.rotate()
    site.keys.published[:] = [{**other.jwk(), "kid": replaced}]
    await clock.tick(REFRESH_S)
    with pytest.raises(TokenRefused, match="signature"):
        await validator.validate(token, _measured(clock))


async def test_tokens_of_others_are_not_kept(site: Site, keys: SigningKeys, clock: Clock) -> None:
    """A token that is well signed for somebody else is verified each time, and crowds nobody out."""
    validator = TokenValidator(settings(), keys, wall_clock=lambda: NOW_S)
    token, measured = good_token(site.keys, aud="another"), _measured(clock)
    for _ in range(2):
        with pytest.raises(TokenRefused, match="audience"):
            await validator.validate(token, measured)
        assert measured.cache_hits["signature"] is False


async def test_without_keys_nothing_is_judged(site: Site, keys: SigningKeys, clock: Clock) -> None:
    """Before any keys are loaded a token is neither good nor bad."""
    site.down = True
    with pytest.raises(KeysUnavailable):
        await _validate(good_token(site.keys), keys, clock)


async def test_version_without_keys(site: Site, keys: SigningKeys, clock: Clock) -> None:
    """A version whose document is not to be had is unavailable, whatever the other one has."""
    site.issuers["1.0"] = "https://elsewhere.example/"
    await _validate(good_token(site.keys), keys, clock)
    with pytest.raises(KeysUnavailable):
        await _validate(good_token(site.keys, "1.0", iss=ISSUERS["1.0"]), keys, clock)


_SITE = Site()
_GOOD = good_token(_SITE.keys)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=5,
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(index=st.integers(0, len(_GOOD) - 1), character=st.characters())
async def test_no_changed_character_is_accepted(index: int, character: str, clock: Clock) -> None:
    """A token with any one character replaced, inserted or cut out is refused."""
    for token in (_GOOD[:index] + character + _GOOD[index + 1 :], _GOOD[:index] + character + _GOOD[index:]):
        if token != _GOOD:
            await _refused(token, clock)
    await _refused(_GOOD[:index] + _GOOD[index + 1 :], clock)


_MEANINGFUL = ["aud", "iss", "tid", "ver", "azp", "iat", "nbf", "exp"]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(name=st.sampled_from(_MEANINGFUL), value=_JSON)
@example(name="exp", value=1e300)
@example(name="exp", value=10**400)
async def test_no_changed_claim_is_accepted(name: str, value: object, clock: Clock) -> None:
    """A correctly signed token whose claim has any other value is refused, unless it is a time that is still valid."""
    payload = token_payload() | {name: value}
    if payload[name] == token_payload()[name] and not isinstance(value, bool | float):
        return
    if name in {"iat", "nbf", "exp"} and isinstance(value, int | float) and not isinstance(value, bool):
        valid = value > NOW_S - LEEWAY_S if name == "exp" else 0 <= value <= NOW_S + LEEWAY_S
        if valid and value <= sys.float_info.max:
            return
    await _refused(sign_compact(token_header(_SITE.keys), payload, _SITE.keys.current), clock)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(name=st.sampled_from(["alg", "kid", "typ", "crit", "jwk"]), value=_JSON)
async def test_no_changed_header_is_accepted(name: str, value: object, clock: Clock) -> None:
    """A token whose header says anything else is refused, though its signature is good."""
    header = token_header(_SITE.keys) | {name: value}
    if header[name] == token_header(_SITE.keys).get(name, "") or (name == "typ" and str(value).lower() == "at+jwt"):
        return
    await _refused(sign_compact(header, token_payload(), _SITE.keys.current), clock)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(parts=st.lists(st.binary(max_size=60), min_size=1, max_size=5))
async def test_no_random_token_is_accepted(parts: list[bytes], clock: Clock) -> None:
    """Random bytes in any number of segments are refused and raise nothing else."""
    await _refused(".".join(encode_base64url(part) for part in parts), clock)
    await _refused(
        ".".join([_GOOD.split(".")[0], *(encode_base64url(json.dumps(part.hex()).encode()) for part in parts)]), clock
    )


async def _refused(token: str, clock: Clock) -> None:
    keys = _keys_in(clock)
    with pytest.raises(TokenRefused):
        await _validate(token, keys, clock)
    await keys.aclose()


def _keys_in(clock: Clock) -> SigningKeys:
    return SigningKeys([Authority(AUTHORITY, TENANT_ID)], _SITE, clock=clock, sleep=clock.sleep)
