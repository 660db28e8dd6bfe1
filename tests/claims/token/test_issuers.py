"""Keys by issuer: a token is good only if the document of its own issuer publishes the key that signed it."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from claims.errors import KeysUnavailable, RequestError, TokenRefused
from claims.measurements import Measurements
from claims.settings.authority import Authority
from claims.token.keys import SigningKeys
from claims.token.validator import TokenValidator
from selftest.entra.signing import SigningKeyPair, generate_signing_key, sign_compact
from tests.claims.site import (
    AUTHORITY,
    ISSUERS,
    NOW_S,
    TENANT_ID,
    Clock,
    Site,
    good_token,
    settings,
    token_header,
    token_payload,
)

CIAM = f"https://contoso.ciamlogin.com/{TENANT_ID}"
CIAM_ISSUER = f"https://{TENANT_ID}.ciamlogin.com/{TENANT_ID}/v2.0"
#: Keys of login.microsoftonline.com and of ciamlogin.com.
PAIR = (generate_signing_key(), generate_signing_key())


@dataclass
class Tenant:
    """An external tenant with both of its metadata documents, and a validator that trusts both."""

    workforce: Site
    external: Site
    keys: SigningKeys
    validator: TokenValidator
    clock: Clock

    async def outcome(self, token: str) -> str:
        """Return ``accepted`` or the code of the refusal."""
        try:
            await self.validator.validate(token, Measurements(budget_ms=60_000, clock=self.clock))
        except RequestError as error:
            return error.code
        return "accepted"


@pytest.fixture
async def tenant(clock: Clock) -> AsyncIterator[Tenant]:
    """Return a tenant whose documents publish different issuers."""
    workforce = Site()
    external = Site(authority=CIAM, issuers={"2.0": CIAM_ISSUER, "1.0": f"{CIAM}/"})

    async def get(url: str) -> bytes:
        return await (external if url.startswith(CIAM) else workforce)(url)

    authorities = [Authority(AUTHORITY, TENANT_ID), Authority(CIAM, TENANT_ID)]
    keys = SigningKeys(authorities, get, clock=clock, sleep=clock.sleep)
    yield Tenant(workforce, external, keys, TokenValidator(settings(), keys, wall_clock=lambda: NOW_S), clock)
    await keys.aclose()


def _token(key: SigningKeyPair, issuer: str) -> str:
    return sign_compact({"typ": "JWT", "alg": "RS256", "kid": key.kid}, token_payload(iss=issuer), key)


@pytest.mark.parametrize("with_issuer", [False, True], ids=["no issuer members", "issuer members"])
@pytest.mark.parametrize("order", list(itertools.permutations([0, 1])), ids=str)
async def test_each_document_s_key_signs_for_its_own_issuer(
    order: tuple[int, int], tenant: Tenant, *, with_issuer: bool
) -> None:
    """Two different keys under one id: a token is accepted exactly when its own document's key signed it."""
    pair = [replace(PAIR[index], kid="shared") for index in order]
    issuers = [ISSUERS["2.0"], CIAM_ISSUER]
    for site, key, issuer in zip([tenant.workforce, tenant.external], pair, issuers, strict=True):
        site.keys.published[:] = [{**key.jwk(), **({"issuer": issuer} if with_issuer else {})}]
    for (at, issuer), (signer, key) in itertools.product(enumerate(issuers), enumerate(pair)):
        assert await tenant.outcome(_token(key, issuer)) == ("accepted" if at == signer else "signature")


@pytest.mark.parametrize("with_issuer", [False, True], ids=["no issuer members", "issuer members"])
async def test_shared_keys_sign_for_both_issuers(tenant: Tenant, *, with_issuer: bool) -> None:
    """The same key in both documents: login.microsoftonline.com publishes a subset of ciamlogin.com's keys."""
    shared, own = PAIR
    issuer = {"issuer": ISSUERS["2.0"]} if with_issuer else {}
    tenant.workforce.keys.published[:] = [{**shared.jwk(), **issuer}]
    issuer = {"issuer": CIAM_ISSUER} if with_issuer else {}
    tenant.external.keys.published[:] = [{**key.jwk(), **issuer} for key in (shared, own)]
    assert await tenant.outcome(_token(shared, ISSUERS["2.0"])) == "accepted"
    assert await tenant.outcome(_token(shared, CIAM_ISSUER)) == "accepted"
    assert await tenant.outcome(_token(own, CIAM_ISSUER)) == "accepted"
    assert await tenant.outcome(_token(own, ISSUERS["2.0"])) == "key_unknown"


async def test_both_documents_may_publish_one_issuer(tenant: Tenant) -> None:
    """Then the keys of both sign for it."""
    tenant.workforce.issuers["2.0"] = CIAM_ISSUER
    tenant.workforce.keys.published[:] = [PAIR[0].jwk()]
    tenant.external.keys.published[:] = [PAIR[1].jwk()]
    for key in PAIR:
        assert await tenant.outcome(_token(key, CIAM_ISSUER)) == "accepted"
    assert await tenant.outcome(_token(PAIR[0], ISSUERS["2.0"])) == "issuer"


async def test_only_the_issuer_s_document_is_asked_again(tenant: Tenant) -> None:
    """An unknown key id forces a load of the document that could have it, and of no other."""
    assert await tenant.outcome(good_token(tenant.workforce.keys)) == "accepted"
    assert not tenant.external.hits
    assert await tenant.outcome(_token(PAIR[0], ISSUERS["2.0"])) == "key_unknown"
    assert set(tenant.workforce.hits.values()) == {2}
    assert not tenant.external.hits


async def test_one_document_down(tenant: Tenant) -> None:
    """Its issuer's tokens cannot be judged, the other's are, and a stranger's issuer is refused at once."""
    tenant.external.down = True
    token = _token(tenant.external.keys.current, CIAM_ISSUER)
    with pytest.raises(KeysUnavailable) as unavailable:
        await tenant.validator.validate(token, Measurements(budget_ms=60_000, clock=tenant.clock))
    assert unavailable.value.detail.endswith("version 2.0: FetchError: status 503")
    assert await tenant.outcome(good_token(tenant.workforce.keys)) == "accepted"
    assert await tenant.outcome(_token(PAIR[0], ISSUERS["2.0"].replace("1", "2"))) == "issuer"


async def test_a_document_that_may_have_the_issuer_is_waited_for(tenant: Tenant) -> None:
    """Before its first load a document can turn out to publish any issuer of its authority."""
    tenant.workforce.stall = asyncio.Event()
    asking = asyncio.create_task(tenant.outcome(_token(PAIR[0], CIAM_ISSUER)))
    tenant.external.keys.published[:] = [PAIR[1].jwk()]
    await asyncio.sleep(0)
    tenant.workforce.issuers["2.0"] = CIAM_ISSUER
    tenant.workforce.keys.published[:] = [PAIR[0].jwk()]
    tenant.workforce.stall.set()
    assert await asking == "accepted"


@pytest.mark.parametrize(
    ("issuer", "shown"),
    [
        ("https://sts.windows.net/22222222-2222-4222-8222-222222222222/", True),
        ("https://login.microsoftonline.com/22222222-2222-4222-8222-222222222222/v2.0", True),
        ("https://{0}.ciamlogin.com/{0}/v2.0".format("22222222-2222-4222-8222-222222222222"), True),
        ("https://login.microsoftonline.com/22222222-2222-4222-8222-222222222222/v2.0/", False),
        ("https://login.microsoftonline.com/22222222-2222-4222-8222-222222222222/v2.0\n", False),
        ("https://login.microsoftonline.com/mail@contoso.com/v2.0", False),
        ("https://login.microsoftonline.com/22222222-2222-4222-8222-222222222222?a=b", False),
        ("https://LOGIN.microsoftonline.com/22222222-2222-4222-8222-222222222222/", False),
        (f"https://{'a' * 51}/22222222-2222-4222-8222-222222222222/", False),
        ("http://login.microsoftonline.com/22222222-2222-4222-8222-222222222222/", False),
        ("https://l\N{CYRILLIC SMALL LETTER O}gin.example/22222222-2222-4222-8222-222222222222/", False),
        ("", False),
        ("x" * 10_000, False),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_unverified_issuer_in_the_log(issuer: str, shown: bool, keys: SigningKeys) -> None:  # noqa: FBT001
    """An issuer that nobody signed is shown whole only in the form that Entra's have."""
    with pytest.raises(TokenRefused) as refused:
        await keys.find("2.0", issuer, "any", wait_s=0)
    assert (f"got '{issuer}'" in refused.value.detail) is shown
    assert len(refused.value.detail) < 320
    assert ISSUERS["2.0"] in refused.value.detail


async def test_issuer_must_be_a_string(tenant: Tenant) -> None:
    """What is not a string chooses no document."""
    for issuer in (["a"], {"a": 1}, 7, True):
        token = sign_compact(token_header(tenant.workforce.keys), token_payload(iss=issuer), PAIR[0])
        assert await tenant.outcome(token) == "issuer"
    assert not tenant.workforce.hits
