"""Redirect URIs: exact, but for the port on loopback."""

import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.signin.tenant.directory import App, RedirectUri
from selftest.signin.tenant.redirect_uris import find_redirect_uri, is_spa_origin, with_response

REGISTERED = (
    "https://localhost/tls",
    "https://app.example/cb",
    "https://app.example/q?a=1",
    "http://localhost/cb",
    "http://127.0.0.1:5000/cb",
)
APP = App(
    key="a",
    principal=DEFAULT_TENANT.client,
    redirect_uris=(
        *(RedirectUri(uri=uri, kind="web") for uri in REGISTERED),
        RedirectUri(uri="http://localhost", kind="spa"),
        RedirectUri(uri="https://spa.example/x", kind="spa"),
        RedirectUri(uri="myapp://auth", kind="public"),
    ),
)


@pytest.mark.parametrize(
    ("given", "registered"),
    [
        *((uri, uri) for uri in REGISTERED),
        ("myapp://auth", "myapp://auth"),
        ("http://localhost:1234/cb", "http://localhost/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb"),
        ("http://localhost:65535", "http://localhost"),
        ("http://localhost:5000/", "http://localhost"),
    ],
)
def test_registered(given: str, registered: str) -> None:
    """A registered URI is found; on http loopback with any port."""
    found = find_redirect_uri(APP, given)
    assert found is not None
    assert found.uri == registered


@pytest.mark.parametrize(
    "given",
    [
        "",
        "https://app.example/CB",
        "https://app.example/cb/",
        "https://app.example/cb?",
        "https://app.example/cb#f",
        "https://app.example:443/cb",
        "https://app.example/q",
        "https://app.example/q?a=1&b=2",
        "https://app.example.evil.example/cb",
        "https://app.example@evil.example/cb",
        "http://app.example/cb",
        "https://localhost/cb",
        "https://localhost:8443/tls",
        "http://localhost/other",
        "http://localhost:1234@evil.example/cb",
        "http://user@localhost/cb",
        "http://localhost.evil.example/cb",
        "http://LOCALHOST/cb",
        "http://[::1]/cb",
        "http://127.0.0.2/cb",
        "http://localhost:99999/cb",
        "http://localhost:x/cb",
        "http://[/cb",
        "javascript:alert(1)",
        "//localhost/cb",
    ],
)
def test_not_registered(given: str) -> None:
    """Any other URI is not registered."""
    assert find_redirect_uri(APP, given) is None


@pytest.mark.parametrize(
    ("uri", "fragment", "expected"),
    [
        ("https://a.example", False, "https://a.example/?code=1"),
        ("https://a.example", True, "https://a.example/#code=1"),
        ("https://a.example/x?y=2", False, "https://a.example/x?y=2&code=1"),
        ("https://a.example/x?y=2", True, "https://a.example/x?y=2#code=1"),
        ("myapp://auth", False, "myapp://auth?code=1"),
    ],
)
def test_answer_is_added(uri: str, fragment: str, expected: str) -> None:
    """The response is appended to the URI; a URI without a path gets a slash."""
    assert with_response(uri, {"code": "1"}, fragment=bool(fragment)) == expected


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:3000", True),
        ("http://localhost", True),
        ("https://spa.example", True),
        ("https://app.example", False),
        ("http://spa.example", False),
        ("https://localhost:3000", False),
        ("null", False),
        ("", False),
    ],
)
def test_origins_of_pages(origin: str, *, allowed: bool) -> None:
    """The pages of single-page apps may read the token endpoint, no others."""
    assert is_spa_origin([APP], origin) is allowed
