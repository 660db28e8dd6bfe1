"""The settings of the shared cache: what is accepted, and what stops the start."""

import pytest

from claims.errors import SettingsError
from claims.settings.shared_cache import CacheAddress
from tests.claims.site import settings

PASSWORD = {"Claims__SharedCacheCredential": "password", "Claims__SharedCachePassword": "secret"}
IN_AZURE = {"WEBSITE_INSTANCE_ID": "x"}


def test_without_the_setting_there_is_none() -> None:
    """Each instance has its own memory; what else is set does not matter."""
    assert settings().shared_cache is None
    assert settings(**PASSWORD).shared_cache is None


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("rediss://Cache.example:10000", "cache.example", 10000, True),
        ("REDISS://cache.example:443/", "cache.example", 443, True),
        ("redis://127.0.0.1:6379", "127.0.0.1", 6379, False),
        ("redis://localhost:80", "localhost", 80, False),
        ("redis://[::1]:6379", "::1", 6379, False),
    ],
)
def test_an_address(url: str, host: str, port: int, *, tls: bool) -> None:
    """With TLS, or plain on loopback."""
    assert settings(Claims__SharedCache=url).shared_cache == CacheAddress(host, port, tls, "managed-identity")


def test_a_password_is_never_shown() -> None:
    """Neither by the settings nor by what prints them."""
    made = settings(Claims__SharedCache="rediss://cache.example:10000", **PASSWORD).shared_cache
    assert made == CacheAddress("cache.example", 10000, tls=True, credential="password", password="secret")
    assert "secret" not in repr(made)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Claims__SharedCache": "cache.example"}, "Claims__SharedCache must be rediss://<host>:<port>"),
        ({"Claims__SharedCache": "rediss://cache.example"}, "Claims__SharedCache must be rediss://<host>:<port>"),
        ({"Claims__SharedCache": "rediss://u:secret@h:1"}, "Claims__SharedCache must be rediss://<host>:<port>"),
        ({"Claims__SharedCache": "rediss://cache.example:10000/1"}, "Claims__SharedCache must be rediss://"),
        ({"Claims__SharedCache": "rediss://cache.example:0"}, "Claims__SharedCache must have a port from 1"),
        ({"Claims__SharedCache": "rediss://c_e:1"}, "Claims__SharedCache must be https://<host>"),
        ({"Claims__SharedCache": "redis://cache.example:6379"}, "Claims__SharedCache must be rediss (redis is for"),
        ({"Claims__SharedCache": "redis://127.0.0.1:6379", **IN_AZURE}, "Claims__SharedCache must be rediss (redis"),
        (
            {"Claims__SharedCache": "rediss://cache.example:10000", "Claims__SharedCacheCredential": "password"},
            "Claims__SharedCachePassword is required by Claims__SharedCacheCredential=password",
        ),
        (
            {
                "Claims__SharedCache": "rediss://cache.example:10000",
                **PASSWORD,
                "Claims__SharedCachePassword": "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/secret)",
            },
            "Claims__SharedCachePassword is a Key Vault reference that Azure could not resolve",
        ),
        (
            {"Claims__SharedCacheCredential": "key"},
            "Claims__SharedCacheCredential must be managed-identity or password",
        ),
        (
            {"Claims__SharedCache": "rediss://cache.example:10000", **IN_AZURE},
            "Claims__SharedCacheCredential=managed-identity needs an identity, and the app has none",
        ),
    ],
    ids=lambda value: str(value)[:70],
)
def test_what_stops_the_start(changes: dict[str, str], problem: str) -> None:
    """With the setting's name, and without anything secret."""
    with pytest.raises(SettingsError) as caught:
        settings(**changes)
    assert [one for one in caught.value.problems if one.startswith(problem)], caught.value.problems
    assert "secret" not in str(caught.value)


def test_only_stale_uses_it() -> None:
    """With another policy it would only cost: that is a warning."""
    url = "rediss://cache.example:10000"
    assert settings(Claims__SharedCache=url, Claims__OnFailure="stale").warnings == ()
    assert settings(Claims__SharedCache=url).warnings == (
        "Claims__SharedCache is used by Claims__OnFailure=stale only: nothing is kept there",
    )
