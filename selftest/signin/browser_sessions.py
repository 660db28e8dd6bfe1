"""Browser sessions: which users are signed in in which browser, and the protection of the sign-in form.

There are no passwords, so a session proves nothing about a person. It must only prevent another site from choosing the
user: the page's form carries a token that the browser also holds as a cookie, and a post from elsewhere is refused.

Source: RFC 9700 4.7 (cross-site request forgery); RFC 6265bis 5.6.7 (SameSite); Fetch, ``Origin``.
"""

import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, Literal

from aiohttp import web
from cachetools import LRUCache

from selftest.signin.refusals import refused

SESSION_COOKIE: Final = "emulated-entra-session"
FORM_COOKIE: Final = "emulated-entra-form"
FORM_FIELD: Final = "form_token"

_MAX_SESSIONS: Final = 1000
_MAX_COOKIE_CHARACTERS: Final = 100


@dataclass(slots=True, kw_only=True)
class BrowserSession:
    """The session of one browser.

    Attributes:
        id: The value of the cookie.
        sid: The session's id in tokens; never the cookie's value.
        people: The keys of the users who are signed in, the most recent first.
    """

    id: str
    sid: str
    people: list[str] = field(default_factory=list)


class BrowserSessions:
    """The sessions of one tenant; when there are too many, the least recently used one is dropped."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._sessions: LRUCache[str, BrowserSession] = LRUCache(_MAX_SESSIONS)

    def of(self, request: web.Request) -> BrowserSession:
        """Return the browser's session; a new one, not yet kept, if it has none."""
        known = self._sessions.get(request.cookies.get(SESSION_COOKIE, ""))
        return known or BrowserSession(id=self._new_id(), sid=self._new_id())

    def sign_in(self, session: BrowserSession, person: str, response: web.StreamResponse, *, secure: bool) -> None:
        """Keep the session with this user signed in, and set the browser's cookie."""
        session.people = [person, *(key for key in session.people if key != person)]
        self._sessions[session.id] = session
        _set_cookie(response, SESSION_COOKIE, session.id, secure=secure)

    def sign_out(self, session: BrowserSession, response: web.StreamResponse) -> None:
        """Sign out every user of this browser."""
        self._sessions.pop(session.id, None)
        response.del_cookie(SESSION_COOKIE, path="/")

    def form_token(self, request: web.Request) -> str:
        """Return the token for a form: the one in the browser's cookie, or a new one."""
        held = request.cookies.get(FORM_COOKIE, "")
        return held if 0 < len(held) <= _MAX_COOKIE_CHARACTERS else self._new_id()


def set_form_cookie(response: web.StreamResponse, token: str, *, secure: bool) -> None:
    """Set the cookie with the form's token."""
    _set_cookie(response, FORM_COOKIE, token, secure=secure, framed=False)


def check_form(request: web.Request, form_token: str) -> None:
    """Check that a form was posted from this server's page.

    Raises:
        OAuthError: It came from another site, or without the browser's token.
    """
    if is_cross_site(request, {f"{request.scheme}://{request.host}"}):
        raise refused("form-from-another-site")
    held = request.cookies.get(FORM_COOKIE, "")
    if not held or not hmac.compare_digest(held.encode(), form_token.encode()):
        raise refused("form-token")


def is_cross_site(request: web.Request, own_origins: Collection[str]) -> bool:
    """Whether the browser's headers name another origin as the sender of a form."""
    origins = request.headers.getall("Origin", [])
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    return site != "same-origin" or any(origin not in own_origins for origin in origins)


def _set_cookie(response: web.StreamResponse, name: str, value: str, *, secure: bool, framed: bool = True) -> None:
    """Set a session cookie. An app's hidden frame requires SameSite=None, which browsers allow only with https."""
    same_site: Literal["None", "Lax"] = "None" if framed and secure else "Lax"
    response.set_cookie(name, value, path="/", httponly=True, secure=secure, samesite=same_site)
