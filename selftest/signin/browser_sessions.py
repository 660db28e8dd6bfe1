"""Browser sessions: who is signed in, in which browser, and that a form was ours.

There is no password, so a session proves nothing about a person. What it must not do is let another site choose: the
page's form carries a token that the browser also holds as a cookie, and a post from elsewhere is refused.

Source: RFC 9700 4.7 (cross-site request forgery); RFC 6265bis 5.6.7 (SameSite); Fetch, ``Origin``.
"""

import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from aiohttp import web

from selftest.entra.oauth_error import OAuthError

SESSION_COOKIE: Final = "emulated-entra-session"
FORM_COOKIE: Final = "emulated-entra-form"
FORM_FIELD: Final = "form_token"

_MAX_SESSIONS: Final = 1000
_MAX_COOKIE_CHARACTERS: Final = 100


@dataclass(slots=True, kw_only=True)
class Session:
    """One browser.

    Attributes:
        id: What the cookie holds.
        sid: What tokens call the session; never the cookie's value.
        people: The keys of the users who are signed in, the last one first.
    """

    id: str
    sid: str
    people: list[str] = field(default_factory=list)


class Sessions:
    """The sessions of one tenant; the ones that were not used longest go when there are too many.

    Args:
        new_id: Gives an id that nobody can guess.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def of(self, request: web.Request) -> Session:
        """Give the browser's session; a new one, not yet kept, where it has none."""
        known = self._sessions.get(request.cookies.get(SESSION_COOKIE, ""))
        return known or Session(id=self._new_id(), sid=self._new_id())

    def sign_in(self, session: Session, person: str, response: web.StreamResponse, *, secure: bool) -> None:
        """Remember who signed in, and give the browser its cookie."""
        session.people = [person, *(key for key in session.people if key != person)]
        self._sessions[session.id] = session
        self._sessions.move_to_end(session.id)
        while len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)
        _set(response, SESSION_COOKIE, session.id, secure=secure)

    def sign_out(self, session: Session, response: web.StreamResponse) -> None:
        """Forget everybody in this browser."""
        self._sessions.pop(session.id, None)
        response.del_cookie(SESSION_COOKIE, path="/")

    def form_token(self, request: web.Request) -> str:
        """Give the token for a form: the one that the browser holds, else a new one."""
        held = request.cookies.get(FORM_COOKIE, "")
        return held if 0 < len(held) <= _MAX_COOKIE_CHARACTERS else self._new_id()


def set_form_cookie(response: web.StreamResponse, token: str, *, secure: bool) -> None:
    """Give the browser the token that its form carries."""
    _set(response, FORM_COOKIE, token, secure=secure, framed=False)


def check_form(request: web.Request, form_token: str) -> None:
    """Refuse a post that did not come from our own page.

    Raises:
        OAuthError: It came from another site, or without the browser's token.
    """
    own = f"{request.scheme}://{request.host}"
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin != own
    if foreign or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise OAuthError("invalid_request", "the form was posted from another site", aadsts=900144, status=403)
    held = request.cookies.get(FORM_COOKIE, "")
    if not held or not hmac.compare_digest(held.encode(), form_token.encode()):
        raise OAuthError(
            "invalid_request",
            "the form's token is not the browser's: cookies are off, or the page is an old one; sign in again",
            aadsts=900144,
            status=403,
        )


def _set(response: web.StreamResponse, name: str, value: str, *, secure: bool, framed: bool = True) -> None:
    """Set a cookie that ends with the browser. An app's hidden frame needs SameSite=None, which only https allows."""
    same_site: Literal["None", "Lax"] = "None" if framed and secure else "Lax"
    response.set_cookie(name, value, path="/", httponly=True, secure=secure, samesite=same_site)
