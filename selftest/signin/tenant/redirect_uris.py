"""The comparison of redirect URIs with the registered ones, and the URL with the response.

The comparison is character by character. The only exception is the documented one: with ``http`` and ``localhost`` or
``127.0.0.1`` the port is ignored, because a native app takes a free one. The documentation states this for every
platform.

Source: entra-docs ``reply-url.md`` (localhost exceptions, trailing slash); RFC 8252 7.3 and 8.3.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from selftest.signin.tenant.directory import App, RedirectUri

#: The loopback hosts that Entra accepts with http: no other address and no other spelling.
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1"})


def find_redirect_uri(app: App, given: str) -> RedirectUri | None:
    """Return the registered URI that equals a request's ``redirect_uri``; None if none does."""
    exact = next((known for known in app.redirect_uris if known.uri == given), None)
    return exact or next((known for known in app.redirect_uris if is_same_uri(known, given)), None)


def is_same_uri(registered: RedirectUri, given: str) -> bool:
    """Whether a URI is the registered one: exactly, or except for the port with http on loopback."""
    wanted = _without_port(given)
    return registered.uri == given or (wanted is not None and _without_port(registered.uri) == wanted)


def is_spa_origin(apps: Iterable[App], origin: str) -> bool:
    """Whether a page of this origin may read the token endpoint's responses."""
    registered = (origin_of(known.uri) for app in apps for known in app.redirect_uris if known.kind == "spa")
    return _origin_key(origin) in map(_origin_key, registered)


def loopback_redirect_uri(app: App) -> RedirectUri | None:
    """Return the first redirect URI of an app that is http on this machine; None without one."""
    return next((known for known in app.redirect_uris if _without_port(known.uri) is not None), None)


def with_response(uri: str, fields: Mapping[str, str], *, fragment: bool) -> str:
    """Return a redirect URI with a response added. A URI without a path gets a slash, as at Entra."""
    parts = urlsplit(uri)
    path = parts.path or ("/" if parts.scheme in {"http", "https"} else "")
    response = urlencode(fields)
    if fragment:
        return urlunsplit(parts._replace(path=path, fragment=response))
    return urlunsplit(parts._replace(path=path, query=f"{parts.query}&{response}" if parts.query else response))


def _without_port(uri: str) -> str | None:
    """Return an http loopback URI without its port; None for every other URI."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    # The comparison uses the URI as written: a user name or an unusual spelling of the host never matches.
    plain = parts.netloc == (f"{parts.hostname}:{port}" if port is not None else parts.hostname)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or not plain:
        return None
    return urlunsplit(parts._replace(netloc=parts.hostname, path="" if parts.path == "/" else parts.path))


def origin_of(uri: str) -> str:
    """Return scheme, host and port of a URI."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _origin_key(origin: str) -> str:
    return _without_port(origin) or origin
