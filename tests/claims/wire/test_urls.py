"""URLs: one meaning for every parser, or refused."""

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from claims.wire.urls import Url, is_loopback, is_plain_http, parse_service_url, same_origin


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://API.Example.com:443/A/b", "https://api.example.com/A/b"),
        ("HTTPS://api.example.com:/a", "https://api.example.com/a"),
        ("https://api.example.com:0443", "https://api.example.com"),
        ("https://api.example.com:8443/", "https://api.example.com:8443/"),
        ("https://api.example.com:80", "https://api.example.com:80"),
        ("http://127.0.0.1:80/x", "http://127.0.0.1/x"),
        ("http://LocalHost:8080", "http://localhost:8080"),
        ("http://[0:0:0:0:0:0:0:1]:8400/x", "http://[::1]:8400/x"),
        ("https://[2001:DB8::A]/", "https://[2001:db8::a]/"),
        ("https://10.0.0.1/a@b", "https://10.0.0.1/a@b"),
        ("https://xn--lgin-sqa.example", "https://xn--lgin-sqa.example"),
    ],
)
def test_normal_form(text: str, normal: str) -> None:
    """Scheme and host are in lower case, the default port is dropped, the path stays as it is."""
    url = parse_service_url(text, in_azure=False)
    assert str(url) == normal
    assert Url.parse(normal) == url
    assert is_plain_http(normal) == text.lower().startswith("http:")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("https://exämple.com", "plain ASCII"),
        ("https://a b", "plain ASCII"),
        ("https://a\n", "plain ASCII"),
        ("", "https://<host>"),
        ("example.com/x", "https://<host>"),
        ("ftp://example.com", "https://<host>"),
        ("https:example.com", "https://<host>"),
        ("https://", "https://<host>"),
        ("https:///x", "https://<host>"),
        ("https://example.com:port", "https://<host>"),
        ("https://[::1", "https://<host>"),
        ("https://[::1]x/", "https://<host>"),
        ("https://user@example.com", "user name"),
        ("https://user:word@example.com/x", "user name"),
        ("https://example.com\\@evil.example/x", "backslash"),
        ("https://example.com/x\\y", "backslash"),
        ("https://[::g]", "https://<host>"),
        ("https://[1.2.3.4]", "valid IP address"),
        ("https://[:::]", "valid IP address"),
        ("https://2130706433/", "valid IP address"),
        ("https://127.1", "valid IP address"),
        ("https://0x7f000001", "valid IP address"),
        ("https://a.0x", "valid IP address"),
        ("https://256.0.0.1", "valid IP address"),
        ("https://a..b", "valid host name"),
        ("https://example.com./", "valid host name"),
        ("https://-a.example", "valid host name"),
        ("https://" + "a" * 64, "valid host name"),
        ("https://" + "a." * 127, "valid host name"),
        ("https://" + "a." * 126 + "aa", "valid host name"),
        ("https://example.com:0", "port from 1 to 65535"),
        ("https://example.com:65536", "port from 1 to 65535"),
        ("http://example.com", "must be https"),
        ("http://127.0.0.1.example", "must be https"),
        ("https://example.com?code=1", "query"),
        ("https://example.com/?", "query"),
        ("https://example.com/x#", "fragment"),
    ],
)
def test_refused(text: str, why: str) -> None:
    """Everything else has a reason, which does not quote the URL."""
    with pytest.raises(ValueError, match=why) as refused:
        parse_service_url(text, in_azure=False)
    assert "evil" not in str(refused.value)


def test_http_is_refused_in_azure() -> None:
    """On loopback too: nothing of this project listens there."""
    with pytest.raises(ValueError, match="outside Azure"):
        parse_service_url("http://127.0.0.1:1", in_azure=True)


_URLISH = st.one_of(
    st.text(),
    st.from_regex(r"\A(https?|HTTPS)://[a-zA-Z0-9.\[\]:@%\\/?#_-]*\Z"),
)


@given(_URLISH)
@example("https://[::1")
@example("https://[v1.a]/")
@example("https://a:99999999/")
@example("HTTP://A?[")
def test_any_text_parses_or_is_a_value_error(text: str) -> None:
    """No text raises anything but ``ValueError``, and what parses means the same to the parsers that use it."""
    try:
        url = Url.parse(text)
    except ValueError:
        return
    split, fetched = urlsplit(text), URL(text)
    assert url.host == (str(ipaddress.IPv6Address(split.hostname)) if "[" in split.netloc else split.hostname)
    assert Url.parse(str(url)) == url
    if "%" not in url.host:
        assert (fetched.scheme, fetched.port) == (url.origin.partition(":")[0], URL(url.origin).port)
        assert URL(url.origin).host == fetched.host or ":" in url.host


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://graph.microsoft.com/v1.0", "https://GRAPH.microsoft.com:443/v1.0?$skip=1", True),
        ("https://graph.microsoft.com", "http://graph.microsoft.com", False),
        ("https://graph.microsoft.com", "https://graph.microsoft.com:8443", False),
        ("https://graph.microsoft.com", "https://graph.microsoft.com@evil.example", False),
        ("https://graph.microsoft.com", "https://[::1", False),
    ],
)
def test_same_origin(one: str, other: str, *, same: bool) -> None:
    """Scheme, host and port count; case and a default port do not."""
    assert same_origin(one, other) is same


def test_loopback_names() -> None:
    """Only this machine is loopback, whatever a name looks like."""
    assert is_loopback("localhost")
    assert is_loopback("127.9.9.9")
    assert is_loopback("::1")
    assert not is_loopback("localhost.example")
    assert not is_loopback("10.0.0.1")
