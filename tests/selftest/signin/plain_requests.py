"""A client of the emulated Entra without a library: it sends valid and invalid requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from yarl import URL

from selftest.signin.oidc.authorization_codes import s256
from selftest.signin.server import SignInServer
from tests.clients.browser import form_of

VERIFIER = "v" * 64
ORDERS = "openid offline_access api://orders.sample.example/orders.read"


class Clock:
    """A clock in seconds since 1970 that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an authorization request ended with.

    Attributes:
        status: Of the response.
        location: Where the app is sent back to, without the answer; empty for a page.
        fields: The parameters for the app.
        text: The page.
        fragment: Whether the parameters are in the fragment.
        headers: Of the response.
    """

    status: int
    location: str
    fields: dict[str, str]
    text: str
    fragment: bool
    headers: dict[str, str]


class Asking:
    """A browser and an app in one.

    Args:
        entra: The emulated Entra.
        session: With cookies.
    """

    def __init__(self, entra: SignInServer, session: aiohttp.ClientSession) -> None:
        self.entra = entra
        self.session = session

    @property
    def endpoint(self) -> str:
        """Return where the endpoints of version 2.0 are."""
        return f"{self.entra.authority_url}/oauth2/v2.0"

    def request(self, app: str = "portal", /, **changes: str | None) -> dict[str, str]:
        """Return a good authorization request; a change of None leaves a parameter out."""
        registered = self.entra.directory.app_named(app)
        assert registered is not None
        good: dict[str, str | None] = {
            "client_id": registered.client_id,
            "redirect_uri": registered.redirect_uris[0].uri if registered.redirect_uris else "http://localhost/",
            "response_type": "code",
            "scope": ORDERS,
            "state": "st&te",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (good | changes).items() if value is not None}

    async def get(self, fields: dict[str, str], *, version: str = "v2.0/") -> Answer:
        """Send an authorization request."""
        url = f"{self.entra.authority_url}/oauth2/{version}authorize?{urlencode(fields)}"
        async with self.session.get(URL(url, encoded=True), allow_redirects=False) as response:
            return await _answer(response)

    async def choose(self, page: Answer, user: str, *, headers: dict[str, str] | None = None, **form: str) -> Answer:
        """Post the page's form with a user chosen."""
        read = form_of(page.text)
        data = {**read.fields, "user": user, **form}
        url = URL(self.entra.base_url + read.action, encoded=True)
        async with self.session.post(url, data=data, headers=headers, allow_redirects=False) as response:
            return await _answer(response)

    async def sign_in(self, user: str = "ada", app: str = "portal", /, **changes: str | None) -> Answer:
        """Send a request, and choose a user on the page."""
        return await self.choose(await self.get(self.request(app, **changes)), user)

    async def token(
        self, form: Mapping[str, str | None], *, headers: dict[str, str] | None = None, version: str = "v2.0/"
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Send a token request, and give status, JSON and headers."""
        data = {name: value for name, value in form.items() if value is not None}
        url = f"{self.entra.authority_url}/oauth2/{version}token"
        async with self.session.post(url, data=data, headers=headers) as response:
            return response.status, await response.json(), dict(response.headers)

    def redemption(self, code: str, app: str = "portal", /, **changes: str | None) -> dict[str, str | None]:
        """Return a good redemption of a code."""
        registered = self.entra.directory.app_named(app)
        assert registered is not None
        return {
            "grant_type": "authorization_code",
            "client_id": registered.client_id,
            "client_secret": registered.secret,
            "redirect_uri": registered.redirect_uris[0].uri,
            "code": code,
            "code_verifier": VERIFIER,
            **changes,
        }

    async def tokens(self, user: str = "ada", app: str = "portal", /, **changes: str | None) -> dict[str, Any]:
        """Sign in and redeem the code."""
        answer = await self.sign_in(user, app, **changes)
        status, document, _ = await self.token(self.redemption(answer.fields["code"], app))
        assert status == 200, document
        return document


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    parts = urlsplit(response.headers.get("Location", ""))
    return Answer(
        status=response.status,
        location=parts._replace(query="", fragment="").geturl(),
        fields=dict(parse_qsl(parts.fragment or parts.query)),
        text=await response.text(),
        fragment=bool(parts.fragment),
        headers=dict(response.headers),
    )
