"""Protects the page against other hosts' names, other sites' forms and injected markup.

A page of any site can make a browser send requests to 127.0.0.1. Three properties distinguish the page's own requests.
The ``Host`` header is one of the two names under which the page is served, so DNS rebinding fails. A form comes from
the page's own origin, as the browser states in ``Origin`` and ``Sec-Fetch-Site``. And it contains a token that only a
reader of the page knows. The response's Content Security Policy lets nothing run or load except what is served here.

Source: Fetch Metadata Request Headers; RFC 6454 section 7; CSP Level 3; OWASP CSRF Prevention (synchronizer token).
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from selftest.signin.browser_sessions import is_cross_site

FORM_FIELD: Final = "page_token"

_POLICY: Final = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "; ".join(f"{directive} {value}" for directive, value in _POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    # Not no-referrer: the browser would send Origin: null with a form, and the origin is checked.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class PageRefused(Exception):
    """Raised for a request that is not the page's own."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Guard:
    """Checks that requests are the page's own.

    Attributes:
        page_token: The token in the page's forms, new with each start.
    """

    def __init__(self, port: int) -> None:
        self.page_token = secrets.token_urlsafe(32)
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    def check_request(self, request: web.Request) -> None:
        """Check any request.

        Raises:
            PageRefused: It has another host name (421), or is part of another site's page (403).
        """
        if request.headers.getall("Host", []) not in [[host] for host in self._hosts]:
            raise PageRefused(421, "The Host header names another site; open the address that the playground printed.")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if site not in {"none", "same-origin"} and request.headers.get("Sec-Fetch-Mode") != "navigate":
            raise PageRefused(403, "The request comes from another site's page.")

    def check_form(self, request: web.Request, form: Mapping[str, object]) -> None:
        """Check a posted form.

        Raises:
            PageRefused: It comes from another site, or from a page of an earlier start.
        """
        if is_cross_site(request, self._origins):
            raise PageRefused(403, "The form comes from another site.")
        given = form.get(FORM_FIELD)
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), self.page_token.encode()):
            raise PageRefused(403, "The form is from another page or from an earlier start: reload the page.")
