"""Every check of the validator is needed: with any one taken out, a hostile input has another outcome."""

import asyncio
from collections.abc import Callable

import pytest

from claims import header
from claims.errors import RequestError
from claims.measurements import Measurements
from claims.settings.authority import Authority, parse_metadata
from claims.token import jwks, jws, rules, validator
from claims.token.keys import SigningKeys
from claims.token.validator import TokenValidator
from selftest.entra.signing import KeySet
from tests.claims.site import AUTHORITY, NOW_S, TENANT_ID, Clock, Site, good_token, settings
from tests.claims.token.hostile import HOSTILE, token_of_a_bound_key
from tests.claims.token.hostile_documents import HOSTILE_HEADERS, HOSTILE_JWKS, HOSTILE_METADATA
from tests.claims.token.mutants import Mutant, mutants_of

CHECKS: list[Callable[..., object]] = [
    Authority.serves_keys,
    parse_metadata,
    jws.parse_compact,
    jws._decode,
    header.bearer_token,
    header.require_json,
    jwks.parse_key_set,
    jwks._may_sign,
    jwks._signing_key,
    jwks.SigningKey.signs_for,
    validator.check_header,
    validator.token_issuer,
    validator.token_version,
    validator.verify_signature,
    validator.TokenValidator.validate,
    rules.check_app_only,
    rules.check_audience,
    rules.check_caller,
    rules.check_claims,
    rules.check_key_issuer,
    rules.check_tenant,
    rules.check_times,
    rules._numeric_date,
]
MUTANTS = [mutant for check in CHECKS for mutant in mutants_of(check)]

_KEYSET = KeySet()
_TOKENS = [good_token(_KEYSET), token_of_a_bound_key(_KEYSET), *(case.forge(_KEYSET) for case in HOSTILE)]


def _outcome(action: Callable[[], object]) -> str:
    try:
        return f"returned {action()!r}"
    except RequestError as error:
        return error.code
    except Exception as error:  # noqa: BLE001 (a mutant may break in any way)
        return type(error).__name__


def _all_outcomes() -> list[str]:
    """Return the outcome of every hostile input, and of two good tokens."""
    outcomes = [_outcome(lambda call=call: call()) for call in [*HOSTILE_HEADERS, *HOSTILE_JWKS, *HOSTILE_METADATA]]  # type: ignore[misc] # the loop's own call

    async def tokens() -> list[str]:
        clock = Clock()
        keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], Site(keys=_KEYSET), clock=clock, sleep=clock.sleep)
        validating = TokenValidator(settings(), keys, wall_clock=lambda: NOW_S)
        found = []
        for forged in _TOKENS:
            measured = Measurements(budget_ms=60_000, clock=clock)
            try:
                await validating.validate(forged, measured)
                found.append("accepted")
            except RequestError as error:
                found.append(error.code)
            except Exception as error:  # noqa: BLE001 (a mutant may break in any way)
                found.append(type(error).__name__)
        await keys.aclose()
        return found

    return outcomes + asyncio.run(tokens())


HEALTHY = _all_outcomes()


def test_there_are_mutants() -> None:
    """The generator finds the checks; were it to find none, all that follows would prove nothing."""
    assert len(MUTANTS) >= 60


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_no_check_can_be_taken_out(mutant: Mutant) -> None:
    """Without this check, some hostile input has another outcome."""
    with mutant.alive():
        assert _all_outcomes() != HEALTHY
    assert _all_outcomes() == HEALTHY
