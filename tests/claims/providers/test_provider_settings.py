"""The settings of a provider."""

import pytest

from claims.errors import SettingsError
from claims.settings.reader import ProviderSettings, is_local, url_problem


@pytest.mark.parametrize(
    "url", ["https://api.example.com/a/b", "http://127.0.0.1:8080/x", "http://localhost", "http://[::1]:1/"]
)
def test_good_urls(url: str) -> None:
    """Https anywhere, http on this machine."""
    assert url_problem(url, in_azure=False) is None
    assert is_local(url) == url.startswith("http:")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://exämple.com", "plain ASCII"),
        ("https://a b", "plain ASCII"),
        ("ftp://example.com", "https://<host>"),
        ("https://", "https://<host>"),
        ("https://example.com:0", "https://<host>"),
        ("https://example.com:port", "https://<host>"),
        ("https://[::1", "https://<host>"),
        ("http://example.com", "must be https"),
        ("https://user@example.com", "user name"),
        ("https://example.com?code=1", "a query"),
        ("https://example.com#x", "a fragment"),
    ],
)
def test_bad_urls(url: str, why: str) -> None:
    """Anything else is told."""
    assert why in str(url_problem(url, in_azure=False))


def test_http_is_refused_in_azure() -> None:
    """On loopback too: there is nothing of ours to listen there."""
    assert url_problem("http://127.0.0.1:1", in_azure=True) == (
        "must be https (http is for a loopback host, outside Azure)"
    )
    assert ProviderSettings({"WEBSITE_SITE_NAME": "x"}).in_azure


def test_problems_are_told_together() -> None:
    """Each problem starts with the setting's name; what stands beside a secret is not shown."""
    settings = ProviderSettings({"N": "12x", "M": "0", "L": "a, ,b", "U": "http://h.example/"})
    assert settings.number("N", 1, low=1, high=99) == 0
    settings.number("M", 1, low=1, high=99)
    assert settings.number("absent", 7, low=1, high=99) == 7
    assert settings.names("L") == {"a", "b"}
    settings.required("R")
    settings.check_url("S", "http://secret.example", secret=True)
    assert settings.url("U", "https://d") == "http://h.example"
    with pytest.raises(SettingsError) as failed:
        settings.require_good()
    assert [problem.split()[0] for problem in failed.value.problems] == ["N", "M", "R", "S", "U"]
    assert "secret.example" not in str(failed.value)


def test_good_settings_pass() -> None:
    """Without problems nothing happens."""
    settings = ProviderSettings({"T": " x "})
    assert (settings.text("T"), settings.text("D", "d"), settings.url("U", "https://d/")) == ("x", "d", "https://d")
    settings.require_good()
