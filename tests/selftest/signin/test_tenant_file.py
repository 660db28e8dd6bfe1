"""The tenant file: the sample holds what it promises, and each mistake is named with its place."""

import json
from pathlib import Path

import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.payloads import variety
from selftest.judge.codes import CODES
from selftest.signin.tenant.directory import Directory
from selftest.signin.tenant.file import TenantFileError, read_tenant_file

GOOD = """
[apps.api]
client_id = "22222222-2222-4222-8222-222222222222"
[apps.web]
client_id = "33333333-3333-4333-8333-333333333333"
redirect_uris.web = ["http://localhost/cb"]
[users.ada]
id = "44444444-4444-4444-8444-444444444444"
[extensions.claims]
id = "55555555-5555-4555-8555-555555555555"
app = "api"
target_url = "http://127.0.0.1:7071/api/onTokenIssuanceStart"
[listeners.claims]
id = "66666666-6666-4666-8666-666666666666"
extension = "claims"
apps = ["web"]
"""


def _read(tmp_path: Path, text: str) -> Directory:
    path = tmp_path / "tenant.toml"
    path.write_text(text, "utf-8")
    return read_tenant_file(path)


def _complaints(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(TenantFileError) as caught:
        _read(tmp_path, text)
    prefix = f"{tmp_path / 'tenant.toml'}: "
    lines = str(caught.value).splitlines()
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]


def test_least_file(tmp_path: Path) -> None:
    """A tenant needs an app for the endpoint, a user and an extension; the rest has Graph's defaults."""
    directory = _read(tmp_path, GOOD)
    assert directory.tenant.tenant_id == DEFAULT_TENANT.tenant_id
    assert directory.tenant.audience_app_id == "22222222-2222-4222-8222-222222222222"
    (listener,) = directory.listeners
    assert (listener.timeout_ms, listener.max_retries) == (1000, 1)
    web = directory.app_named("web")
    assert web is not None
    assert directory.listener_for(web) is listener


def test_sample_keeps_the_documented_ids(sample: Directory) -> None:
    """An endpoint that is set up for the harness works with the sample tenant unchanged."""
    tenant = sample.tenant
    for name in ("tenant_id", "audience_app_id", "application_id_uri", "listener_id", "extension_id", "domain"):
        assert getattr(tenant, name) == getattr(DEFAULT_TENANT, name), name


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("ada", "member"),
        ("ben", "hybrid"),
        ("cleo", "guest"),
        ("dana", "external-local"),
        ("eli", "external-social"),
    ],
)
def test_sample_has_every_documented_user(sample: Directory, key: str, kind: str) -> None:
    """The users of the sample are the documented varieties, member for member."""
    event = variety(kind).build(DEFAULT_TENANT, "c")["data"]["authenticationContext"]
    person = sample.person(key)
    assert person is not None
    assert person.members == event["user"]
    assert person.ip == event["client"]["ip"]


def test_listener_overrides_the_extension(sample: Directory) -> None:
    """A listener's own timeout and retries hold for its apps; without them the extension's do."""
    limits = {listener.key: (listener.timeout_ms, listener.max_retries) for listener in sample.listeners}
    assert limits == {"claims": (2000, 1), "impatient": (300, 0)}


def test_policy_in_a_file_of_its_own(tmp_path: Path) -> None:
    """A policy may be Graph's JSON in a file in the same folder."""
    inner = {"Version": 1, "ClaimsSchema": [{"Source": "CustomClaimsProvider", "ID": "A", "JwtClaimType": "b"}]}
    policy = {"definition": [json.dumps({"ClaimsMappingPolicy": inner})]}
    (tmp_path / "policy.json").write_text(json.dumps(policy), "utf-16")
    text = GOOD.replace("redirect_uris.web", 'claims_mapping_policy = "policy.json"\nredirect_uris.web')
    web = _read(tmp_path, text).app_named("web")
    assert web is not None
    assert web.mapping is not None
    assert web.mapping.apply({"A": "x"}) == {"b": "x"}


@pytest.mark.parametrize("code", [code for code in CODES if isinstance(code, int)])
def test_every_code_can_be_decreed(tmp_path: Path, code: int) -> None:
    """An extension or a user may be given any documented code."""
    text = GOOD.replace('app = "api"', f'app = "api"\nfault = {code}')
    assert _read(tmp_path, text).extensions[0].fault == code


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[apps.web]\n", "[apps.web]\nclient_idd = 1\n", "[apps.web] client_idd: there is no such key here; did you"),
        ("[users.ada]\n", "[users.ada]\nemail = 'x'\n", "[users.ada] email: there is no such key here"),
        ("[users.ada]\n", "[users.ada]\nmail = 1\n", "[users.ada] mail: expected a string, got 1"),
        ("[users.ada]\n", "[users.ada]\nip = 'home'\n", "[users.ada] ip: expected an IPv4 or IPv6 address"),
        ("[apps.web]", "[tenant]\ndomain = 'a/{b}'\n[apps.web]", "[tenant] domain: expected a domain name such as"),
        ("[users.ada]\n", "[users.ada]\nfault = 42\n", "[users.ada] fault: expected one of the codes"),
        ("[users.ada]\n", "[users.ada]\nroles.nobody = []\n", "[users.ada.roles] nobody: there is no app 'nobody'"),
        ('app = "api"', 'app = "apis"', "[extensions.claims] app: there is no app 'apis'; did you mean api?"),
        ("http://127.0.0.1:7071", "ftp://h", "[extensions.claims] target_url: expected an http or https URL"),
        ('app = "api"', 'app = "api"\ntimeout_ms = 2001', "[extensions.claims] timeout_ms: expected a whole number"),
        ('app = "api"', 'app = "api"\nmax_retries = true', "[extensions.claims] max_retries: expected a whole number"),
        ('"claims"\napps', '"other"\napps', "[listeners.claims] extension: there is no extension 'other'"),
        ('["web"]', '["web", "wob"]', "[listeners.claims] apps: there is no app 'wob'; did you mean web?"),
        ('["web"]', "[]", "[listeners.claims] apps: expected the names of the apps"),
        ('"44444444-4444-4444-8444-444444444444"', '"ada"', "[users.ada] id: expected a GUID such as"),
        ("http://localhost/cb", "http://example.com/cb", "[apps.web.redirect_uris] web: http is for localhost"),
        ("http://localhost/cb", "https://x/#a", "[apps.web.redirect_uris] web: a redirect URI has no fragment"),
        ("http://localhost/cb", "https://x/a(b)", "[apps.web.redirect_uris] web: a redirect URI has no fragment"),
        ("http://localhost/cb", "myapp://x", "[apps.web.redirect_uris] web: expected an https URI"),
        ("http://localhost/cb", f"https://x/{'a' * 250}", "[apps.web.redirect_uris] web: a redirect URI has at most"),
        ("[apps.web]\n", "[apps.web]\ntoken_version = 3\n", "[apps.web] token_version: expected a whole number from 1"),
        ("[apps.web]\n", "[apps.web]\nprotocol = 'ws-fed'\n", "[apps.web] protocol: expected 'oidc' or 'saml'"),
        ("[apps.web]\n", "[apps.web]\nprotocol = 'saml'\n", "[apps.web] protocol: a SAML app requires acs_url"),
        ("[apps.web]\n", "[apps.web]\nusers = ['bob']\n", "[apps.web] users: there is no user 'bob'"),
        (
            "[apps.web]\n",
            "[apps.web]\nclaims_mapping_policy = 'absent.json'\n",
            "[apps.web] claims_mapping_policy: absent.json cannot be read",
        ),
        (
            "[apps.web]\n",
            "[apps.web]\nclaims_mapping_policy = { ClaimsSchema = [{ Source = 'CustomClaimsProvider' }] }\n",
            "[apps.web] claims_mapping_policy: ClaimsSchema[0].ID should name the returned claim",
        ),
        (
            "[apps.web]\n",
            "[apps.web]\nclaims_mapping_policy = { ClaimsSchema = [{ Value = 'a', JwtClaimtype = 'b' }] }\n",
            "[apps.web] claims_mapping_policy: ClaimsSchema[0] has no key JwtClaimtype",
        ),
        ("[apps.web]", "[tenant]\nkind = 'b2c'\n[apps.web]", "[tenant] kind: expected 'workforce' or 'external'"),
        ("[apps.web]", "[tennant]\n[apps.web]", "tennant: there is no such key here; did you mean tenant?"),
    ],
)
def test_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    """Each error has the file, the table, the key, the expected and the given value."""
    assert old in GOOD
    assert any(line.startswith(complaint) for line in _complaints(tmp_path, GOOD.replace(old, new, 1)))


def test_duplicate_ids_are_reported_with_both_places(tmp_path: Path) -> None:
    """The error for a duplicate id names both places."""
    text = GOOD.replace("33333333-3333-4333-8333-333333333333", "22222222-2222-4222-8222-222222222222")
    (line,) = _complaints(tmp_path, text)
    assert line == ("[apps.web] client_id: 22222222-2222-4222-8222-222222222222 is also the id of [apps.api] client_id")


def test_an_app_has_one_listener(tmp_path: Path) -> None:
    """An app in two listeners is an error, because Entra would call only one of them."""
    second = GOOD.partition("[listeners.claims]")[2].replace("66666666", "77777777")
    (line,) = _complaints(tmp_path, f"{GOOD}[listeners.second]{second}")
    assert line == "[listeners.second] apps: web is in [listeners.claims] already"


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    """One reading finds every mistake."""
    text = GOOD.replace('app = "api"', 'app = "x"').replace("[users.ada]\n", "[users.ada]\nmial = 'a'\n")
    assert len(_complaints(tmp_path, text)) == 2


def test_secret_is_not_repeated(tmp_path: Path) -> None:
    """An error in a secret does not contain the secret."""
    (line,) = _complaints(tmp_path, GOOD.replace("[apps.web]\n", "[apps.web]\nsecret = 12345\n"))
    assert "12345" not in line
    assert "12345" not in repr(_read(tmp_path, GOOD.replace("[apps.web]\n", "[apps.web]\nsecret = '12345'\n")))


@pytest.mark.parametrize("text", ["[apps", "a = 1\na = 2", "\ud800"])
def test_no_toml(tmp_path: Path, text: str) -> None:
    """A file that is not TOML is reported without a traceback."""
    path = tmp_path / "tenant.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(TenantFileError, match="is not TOML"):
        read_tenant_file(path)
    with pytest.raises(TenantFileError, match="cannot be read"):
        read_tenant_file(tmp_path)


@pytest.mark.parametrize("text", ["", "apps = 1", "[apps]\nweb = 2", "users = []", "[tenant]\nid = 1.5"])
def test_wrong_shapes(tmp_path: Path, text: str) -> None:
    """A file of another shape is refused with places, never with a traceback."""
    assert _complaints(tmp_path, text)
