"""The sign-in with the reader's browser: it goes to the emulator, a user is chosen, and it returns with a code.

The playground acts as the app. It requests a code with PKCE and redeems it with what the registration requires (a
secret, or a page's origin). It keeps no tokens: their claims are in the emulator's log.

Source: RFC 6749 section 4.1; RFC 7636; OpenID Connect Core 3.1.2.1; RFC 8252 section 7.3 (loopback, any
port).
"""

import secrets
import uuid
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp
from cachetools import FIFOCache

from selftest.signin.oidc.authorization_codes import s256
from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import App
from selftest.signin.tenant.redirect_uris import loopback_redirect_uri, origin_of

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
    """Redirects the browser to the emulator, and redeems the code with which it returns."""

    def __init__(self, entra: SignInServer, session: aiohttp.ClientSession, port: int) -> None:
        self._entra = entra
        self._session = session
        self._port = port
        self._pending: FIFOCache[str, _Pending] = FIFOCache(_MAX_PENDING)

    def begin(self, app: App) -> str:
        """Return the URL of the authorization request for a sign-in to this app.

        Raises:
            LookupError: The app has no redirect URI that leads back to this page.
        """
        registered = loopback_redirect_uri(app)
        if registered is None:
            raise LookupError(f"{app.key} has no http redirect URI on localhost that leads back to this page")
        state, verifier, correlation_id = secrets.token_urlsafe(24), secrets.token_urlsafe(48), str(uuid.uuid4())
        parts = urlsplit(registered.uri)
        redirect_uri = urlunsplit(parts._replace(netloc=f"{parts.hostname}:{self._port}"))
        self._pending[state] = _Pending(
            app=app, redirect_uri=redirect_uri, kind=registered.kind, verifier=verifier, correlation_id=correlation_id
        )
        query = {
            "client_id": app.client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": _SCOPE,
            "state": state,
            "nonce": secrets.token_urlsafe(16),
            "prompt": "select_account",
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
            "client-request-id": correlation_id,
        }
        return f"{self._entra.sign_in_authority_url}/oauth2/v2.0/authorize?{urlencode(query)}"

    async def end(self, state: str, code: str | None) -> str | None:
        """Redeem the code, if there is one, and return the id of the sign-in's record.

        The id is None if no user signed in, because the user canceled or the request itself was refused. If the code is
        refused, the record is that of a sign-in whose code was never redeemed.

        Raises:
            LookupError: No sign-in with this state is pending.
        """
        pending = self._pending.pop(state, None)
        if pending is None:
            raise LookupError("No sign-in of this playground has this state.")
        if code is not None:
            await self._redeem(pending, code)
        records = reversed(self._entra.service.log.records)
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
        headers = {"Origin": origin_of(pending.redirect_uri)} if pending.kind == "spa" else {}
        url = f"{self._entra.sign_in_authority_url}/oauth2/v2.0/token"
        async with self._session.post(url, data=form, headers=headers, timeout=_TIMEOUT) as response:
            await response.read()
