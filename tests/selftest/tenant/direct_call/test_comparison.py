"""Each claim beside what the endpoint expects: the rows agree with what the endpoint does."""

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selftest.base.cannot_run import CannotRun
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.hostile_keys import attacker_key
from selftest.entra.server import EntraServer
from selftest.entra.signing import sign_compact
from selftest.entra.token_mint import ABSENT
from selftest.tenant.direct_call.comparison import compare
from selftest.tenant.direct_call.expectations import Expectations, expectations, find_settings
from selftest.tenant.direct_call.published import Published, is_as_safe, read_published
from selftest.tenant.direct_call.token_text import decode
from selftest.tenant.direct_call.verdict import conclude
from tests.selftest.scripted_server import Script, answer, scripted_server, silence

OTHER = "0d0d0d0d-0000-4000-8000-00000000000d"
APP = DEFAULT_TENANT.audience_app_id


def expected_at(entra: EntraServer, **settings: str) -> Expectations:
    """Give what an endpoint of this emulated tenant expects."""
    return expectations({"AuthenticationEvents__AuthorityUrl": entra.authority_url, **settings}, "a test")


async def states(
    entra: EntraServer, token: str, *, now_s: float | None = None, version: str = "2.0", **settings: str
) -> dict[str, str]:
    """Compare a token, and give each row's state where it is not ok."""
    expected = expected_at(entra, **settings)
    published = await read_published(expected.authority_urls, version)
    rows = compare(decode(token), expected, published, now_s or time.time())
    assert all(row.why for row in rows if row.state != "ok")
    return {row.name: row.state for row in rows if row.state != "ok"}


async def test_callers_own_token_is_as_expected(entra: EntraServer) -> None:
    """What Entra itself sends differs in nothing."""
    assert await states(entra, entra.mint.callout_token()) == {}


async def test_direct_tests_token_differs_in_its_caller_alone(entra: EntraServer) -> None:
    """The API's own token has the API as its caller; with the setting that lets it in, nothing is left."""
    token = entra.mint.client_credentials_token(APP)

    assert await states(entra, token) == {"azp": "note"}
    assert await states(entra, token, Claims__AdditionalCallerAppIds=APP) == {}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"aud": OTHER}, {"aud": "differs"}),
        ({"aud": DEFAULT_TENANT.application_id_uri}, {"aud": "differs"}),
        ({"aud": [APP]}, {"aud": "differs"}),
        ({"iss": "https://login.example/x/v2.0"}, {"iss": "differs"}),
        ({"tid": OTHER}, {"tid": "differs"}),
        ({"azp": OTHER}, {"azp": "note"}),
        ({"azp": ABSENT}, {"azp": "differs"}),
        ({"ver": "3.0"}, {"ver": "differs"}),
        ({"ver": ABSENT}, {"ver": "differs"}),
        ({"scp": "access_as_user"}, {"idtyp": "differs"}),
        ({"idtyp": "user"}, {"idtyp": "differs"}),
        ({"idtyp": "app"}, {}),
        ({"exp": 1}, {"exp": "differs"}),
        ({"exp": "soon"}, {"exp": "differs"}),
        ({"exp": 10**400}, {"exp": "differs"}),
        ({"nbf": 10**11, "exp": 10**11 + 1}, {"exp": "differs"}),
    ],
)
async def test_one_claim_changed_is_one_row(entra: EntraServer, changes: dict[str, Any], found: dict[str, str]) -> None:
    """Each fault shows in its own row, and nowhere else."""
    assert await states(entra, entra.mint.callout_token(**changes)) == found


async def test_version_1_token(entra: EntraServer) -> None:
    """The older form is accepted, with a remark, and its audience may be the URI."""
    token = entra.mint.callout_token("1.0", aud=DEFAULT_TENANT.application_id_uri)

    assert await states(entra, token, version="1.0") == {"ver": "note"}
    other = await states(entra, token, version="1.0", Claims__ApplicationIdUri="api://localhost/other")
    assert other == {"ver": "note", "aud": "differs"}


async def test_foreign_and_altered_signatures(entra: EntraServer) -> None:
    """A key that is not published, one that did not sign, and another algorithm differ."""
    mint = entra.mint
    key = attacker_key()
    unknown = sign_compact({**mint.header(), "kid": "nobody's"}, mint.claims(), key)
    forged = sign_compact(mint.header(), mint.claims(), key)
    renamed = sign_compact({**mint.header(), "alg": "RS384"}, mint.claims(), mint.keys.current)

    assert await states(entra, unknown) == {"kid": "differs"}
    assert await states(entra, forged) == {"kid": "differs"}
    assert await states(entra, renamed) == {"alg": "differs"}


async def test_second_document_is_looked_at(entra: EntraServer) -> None:
    """The key of one tenant document is found although the first one named has it not."""
    async with EntraServer() as other:
        other.keys.rotate()
        token = other.mint.callout_token()
        assert await states(entra, token) == {"kid": "differs", "iss": "differs"}
        assert await states(entra, token, Claims__AdditionalAuthorityUrls=other.authority_url) == {}


@pytest.mark.parametrize(
    "script",
    [
        answer("503 Service Unavailable"),
        answer(body=b"[]"),
        answer(body=b"{}"),
        answer(body=b'{"issuer": "x", "jwks_uri": "file:///etc/passwd"}'),
        answer(body=b"not JSON"),
        silence(),
    ],
)
async def test_documents_that_cannot_be_read_leave_it_open(entra: EntraServer, script: Script) -> None:
    """Without keys the rest is compared, the key is unknown, and the conclusion is no pass."""
    async with scripted_server([script]) as server:
        expected = expected_at(entra)
        published = await read_published([server.url], "2.0", timeout_s=0.3)
    rows = compare(decode(entra.mint.callout_token()), expected, published, time.time())

    assert {row.name: row.state for row in rows if row.state != "ok"} == {"kid": "unknown", "iss": "unknown"}
    assert published[0].problem
    assert conclude(rows, None, None).result == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("keys_url", "metadata_url", "safe"),
    [
        ("https://login.example/keys", "https://login.example/metadata", True),
        ("http://login.example/keys", "https://login.example/metadata", False),
        ("http://127.0.0.1:1/keys", "https://login.example/metadata", False),
        ("http://127.0.0.1:1/keys", "http://127.0.0.1:1/metadata", True),
        ("http://login.example/keys", "http://127.0.0.1:1/metadata", False),
        ("file:///etc/passwd", "http://127.0.0.1:1/metadata", False),
    ],
)
def test_keys_are_read_over_https(keys_url: str, metadata_url: str, *, safe: bool) -> None:
    """Whoever can change the keys on their way can sign anything."""
    assert is_as_safe(keys_url, metadata_url) is safe


def test_malformed_keys_are_left_out_and_spoil_nothing() -> None:
    """A key of another kind under the right id verifies nothing and raises nothing."""
    token = decode(sign_compact({"alg": "RS256", "kid": "k"}, {"ver": "2.0"}, attacker_key()))

    assert not token.signed_with(type("Key", (), {"key": object()})())
    assert Published(url="x", keys={}).problem == ""


@pytest.mark.parametrize(
    "text", ["", "abc", "a.b", "a.b.c", "e30.W10.x", "e30.e30.x.y.z", "é.é.é", "e30.e30.a b", "x" * 20_000, "e30.bm8.x"]
)
def test_no_token_is_an_error_that_shows_nothing_of_it(text: str) -> None:
    """A cut, encrypted or wrong text is told in one line."""
    with pytest.raises(CannotRun) as caught:
        decode(text)
    assert len(str(caught.value)) < 120


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
CLAIMS = st.sampled_from(["alg", "kid", "ver", "iss", "aud", "tid", "azp", "appid", "exp", "nbf", "idtyp", "scp"])


@example({}, {"ver": "\n"})
@given(st.dictionaries(CLAIMS, JSON), st.dictionaries(CLAIMS, JSON))
@settings(deadline=None)
def test_any_token_is_compared_or_refused(header: dict[str, Any], claims: dict[str, Any]) -> None:
    """Whatever stands in a token, each row says something printable, and nothing raises."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    expected = expectations({}, "")
    published = [Published(url="https://login.example", issuer="x", keys={})]
    rows = compare(decode(".".join([*parts, ""])), expected, published, 0.0)

    assert len(rows) == 9
    assert all(row.got.isprintable() for row in rows)
    assert conclude(rows, None, None).says


@pytest.mark.parametrize(
    ("given_settings", "says"),
    [
        ({"AuthenticationEvents__AuthorityUrl": "http://login.example/t"}, "https://<host>/<tenantId>"),
        ({"AuthenticationEvents__AuthorityUrl": "https://login.example"}, "https://<host>/<tenantId>"),
        ({"AuthenticationEvents__AuthorityUrl": f"https://login.example/{OTHER}"}, "AudienceAppId"),
        (
            {
                "AuthenticationEvents__AuthorityUrl": "https://login.example/x.org",
                "AuthenticationEvents__AudienceAppId": APP,
            },
            "Claims__TenantId",
        ),
        ({"Claims__AdditionalCallerAppIds": "me"}, "Claims__AdditionalCallerAppIds"),
        ({"AuthenticationEvents__AuthorizedPartyAppId": ""}, "AuthorizedPartyAppId"),
    ],
)
def test_settings_that_say_nothing_of_use(given_settings: dict[str, str], says: str) -> None:
    """The setting at fault is named; a real tenant is never filled up with the emulated one's ids."""
    with pytest.raises(CannotRun, match=says):
        expectations(given_settings, "")


def test_settings_come_from_the_environment_before_the_file(tmp_path: Any) -> None:
    """Core Tools let the environment win, too; a file that is none says so."""
    path = tmp_path / "local.settings.json"
    path.write_text('{"Values": {"Claims__ApplicationIdUri": "api://file", "Claims__TenantId": "t", "Other": "x"}}')
    found, origin = find_settings(path, {"Claims__ApplicationIdUri": "api://env", "HOME": "/"})

    assert (found["Claims__ApplicationIdUri"], found["Claims__TenantId"]) == ("api://env", "t")
    assert str(path) in origin
    for text in ('{"Values": []}', '{"Values": 7'):
        path.write_text(text)
        with pytest.raises(CannotRun, match=r"local\.settings"):
            find_settings(path, {})
    with pytest.raises(CannotRun, match="cannot be read"):
        find_settings(tmp_path / "absent", {})
