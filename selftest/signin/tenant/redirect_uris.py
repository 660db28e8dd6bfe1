"""Which registered redirect URI a request means, and where the answer goes.

Comparison is character by character. The one exception is the documented one: on ``http`` with ``localhost`` or
``127.0.0.1`` the port does not count, because a native app takes whichever is free. The page states it for every
platform, so it holds for every platform here.

Source: entra-docs ``reply-url.md`` (localhost exceptions, trailing slash); RFC 8252 7.3 and 8.3.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from selftest.signin.tenant.directory import App, RedirectUri

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1"})


def match(app: App, given: str) -> RedirectUri | None:
    """Find the registered URI that a request's ``redirect_uri`` is; None where it is none of them."""
    exact = next((known for known in app.redirect_uris if known.uri == given), None)
    return exact or next((known for known in app.redirect_uris if same_uri(known, given)), None)


def same_uri(registered: RedirectUri, given: str) -> bool:
    """Say whether a URI is the registered one: to the letter, or on http loopback but for the port."""
    wanted = _without_port(given)
    return registered.uri == given or (wanted is not None and _without_port(registered.uri) == wanted)


def spa_origins(apps: Iterable[App]) -> frozenset[str]:
    """Give the origins of every single-page app; the loopback ones without their port."""
    return frozenset(
        _origin_key(_origin(known.uri)) for app in apps for known in app.redirect_uris if known.kind == "spa"
    )


def is_spa_origin(apps: Iterable[App], origin: str) -> bool:
    """Say whether a page of this origin may read the token endpoint's answers."""
    return _origin_key(origin) in spa_origins(apps)


def with_response(uri: str, fields: Mapping[str, str], *, fragment: bool) -> str:
    """Add an answer to a redirect URI. One without a path gets its slash, as at Entra."""
    parts = urlsplit(uri)
    path = parts.path or ("/" if parts.scheme in {"http", "https"} else "")
    answer = urlencode(fields)
    if fragment:
        return urlunsplit(parts._replace(path=path, fragment=answer))
    return urlunsplit(parts._replace(path=path, query=f"{parts.query}&{answer}" if parts.query else answer))


def _without_port(uri: str) -> str | None:
    """Give an http loopback URI without its port; None for every other URI."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    # What is compared is what was written: a user name or an odd spelling of the host never matches.
    plain = parts.netloc == (f"{parts.hostname}:{port}" if port is not None else parts.hostname)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or not plain:
        return None
    return urlunsplit(parts._replace(netloc=parts.hostname, path="" if parts.path == "/" else parts.path))


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _origin_key(origin: str) -> str:
    return _without_port(origin) or origin
