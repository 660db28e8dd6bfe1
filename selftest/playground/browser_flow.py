"""The real sign-in: the reader's browser goes to the emulator, chooses a user, and comes back here with a code.

The page is the app then. It asks for a code with PKCE, redeems it with whatever the registration asks for (a secret, or
a browser's Origin), and keeps nothing of the tokens: what they say stands in the emulator's log.

Source: RFC 6749 section 4.1; RFC 7636; OpenID Connect Core 3.1.2.1; RFC 8252 section 7.3 (loopback, any
port).
"""

import base64
import hashlib
import secrets
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp

from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import App, RedirectUri

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1"})
_MAX_PENDING: Final = 50
_SCOPE: Final = "openid profile email"
_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    app: App
    redirect_uri: str
    kind: str
    verifier: str
    correlation_id: str


class BrowserFlow:
    """Sends the reader to sign in, and takes the answer.

    Args:
        entra: where to.
        session: redeems the code.
        port: where this page listens.
    """

    def __init__(self, entra: SignInServer, session: aiohttp.ClientSession, port: int) -> None:
        self._entra = entra
        self._session = session
        self._port = port
        self._pending: OrderedDict[str, _Pending] = OrderedDict()

    def begin(self, app: App) -> str:
        """Give the address at which a sign-in to this app begins.

        Raises:
            LookupError: The app has no redirect URI that leads back here.
        """
        registered = loopback_uri(app)
        if registered is None:
            raise LookupError(f"{app.key} has no http redirect URI on localhost, so its answer cannot come here")
        state, verifier, correlation_id = secrets.token_urlsafe(24), secrets.token_urlsafe(48), str(uuid.uuid4())
        redirect_uri = _at_port(registered.uri, self._port)
        self._pending[state] = _Pending(
            app=app,
            redirect_uri=redirect_uri,
            kind=registered.kind,
            verifier=verifier,
            correlation_id=correlation_id,
        )
        while len(self._pending) > _MAX_PENDING:
            self._pending.popitem(last=False)
        query = {
            "client_id": app.client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": _SCOPE,
            "state": state,
            "nonce": secrets.token_urlsafe(16),
            "prompt": "select_account",
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "client-request-id": correlation_id,
        }
        return f"{self._entra.sign_in_authority_url}/oauth2/v2.0/authorize?{urlencode(query)}"

    async def end(self, state: str, code: str | None) -> str | None:
        """Take the answer, redeem the code if there is one, and name the sign-in's record.

        There is none where nobody signed in: the user left, or the request itself was refused. A code that is refused
        leaves the record as it is, that of a sign-in whose code was never redeemed.

        Raises:
            LookupError: No sign-in waits for this answer.
        """
        pending = self._pending.pop(state, None)
        if pending is None:
            raise LookupError("No sign-in of this playground waits for this answer.")
        if code is not None:
            await self._redeem(pending, code)
        records = reversed(self._entra.desk.log.records)
        return next((record.id for record in records if record.correlation_id == pending.correlation_id), None)

    async def _redeem(self, pending: _Pending, code: str) -> None:
        form = {
            "grant_type": "authorization_code",
            "client_id": pending.app.client_id,
            "code": code,
            "redirect_uri": pending.redirect_uri,
            "code_verifier": pending.verifier,
            "client-request-id": pending.correlation_id,
        }
        if pending.kind == "web" and pending.app.secret is not None:
            form["client_secret"] = pending.app.secret
        headers = {"Origin": _origin(pending.redirect_uri)} if pending.kind == "spa" else {}
        url = f"{self._entra.sign_in_authority_url}/oauth2/v2.0/token"
        async with self._session.post(url, data=form, headers=headers, timeout=_TIMEOUT) as response:
            await response.read()


def loopback_uri(app: App) -> RedirectUri | None:
    """Find the redirect URI by which an app's answer can come to this page."""
    if app.protocol == "saml":
        return None
    return next((known for known in app.redirect_uris if _is_loopback(known.uri)), None)


def _is_loopback(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def _at_port(uri: str, port: int) -> str:
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=f"{parts.hostname}:{port}"))


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
