"""Keeps the page to the person at this computer: other hosts' names, other sites' forms and other people's markup.

A page anywhere can make its reader's browser send requests to 127.0.0.1. Three things tell them from our own. The
``Host`` header is one of the two names that the page is served under, so a name that was rebound to this address gets
nothing. A form comes from our own origin, as the browser says in ``Origin`` and ``Sec-Fetch-Site``. And it brings the
token that only a reader of our page can know. The answer's policy lets nothing run or load but what is served here.

Source: Fetch Metadata Request Headers; RFC 6454 section 7; CSP Level 3; OWASP CSRF Prevention (synchroniser token).
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

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
    # Not no-referrer: with it a form's Origin would be null, and it is checked.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """Raised for a request that is not the reader's own.

    Attributes:
        status: of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Guard:
    """Tells the reader's requests from everybody else's.

    Args:
        port: that the page is served on.

    Attributes:
        page_token: what a form has to bring; new with each start.
    """

    def __init__(self, port: int) -> None:
        self.page_token = secrets.token_urlsafe(32)
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        self._origins = frozenset(f"http://{host}" for host in self._hosts)

    def check_request(self, request: web.Request) -> None:
        """Check what every request has to keep to.

        Raises:
            Refused: It is under another name (421), or part of another site's page (403).
        """
        if request.headers.getall("Host", []) not in [[host] for host in self._hosts]:
            raise Refused(421, "The Host header names another site; open the address that the playground printed.")
        site = request.headers.get("Sec-Fetch-Site", "none")
        if site not in {"none", "same-origin"} and request.headers.get("Sec-Fetch-Mode") != "navigate":
            raise Refused(403, "Another site's page asked for this.")

    def check_form(self, request: web.Request, form: Mapping[str, object]) -> None:
        """Check what a form has to bring.

        Raises:
            Refused: It comes from another site, or from a page of an earlier start.
        """
        origins = request.headers.getall("Origin", [])
        if any(origin not in self._origins for origin in origins):
            raise Refused(403, "The form comes from another site.")
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise Refused(403, "The form comes from another site.")
        given = form.get(FORM_FIELD)
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), self.page_token.encode()):
            raise Refused(403, "The form is not of this page, or of a playground that has ended: load the page again.")
