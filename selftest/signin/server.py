"""The emulated Entra with people in it: everything of ``EntraServer``, and whole sign-ins.

It listens on http for the endpoint, which reads its keys there, and with a certificate on https too, because client
libraries want that of an authority. Each address is an issuer of its own: tokens that were asked for by https name the
https address. The callout's token always names the http one.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import aiohttp
from aiohttp import web

from selftest.entra.oauth_error import OAuthError
from selftest.entra.server import EntraServer, read_form
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.play.caller import Caller, caller_session
from selftest.signin.account_endpoints import end_session, instance_discovery, userinfo
from selftest.signin.authorization_request import correlation_id
from selftest.signin.authorize import USER_PATH, AuthorizeEndpoint
from selftest.signin.metadata import sign_in_members
from selftest.signin.sign_in_service import Desk
from selftest.signin.tenant.directory import Directory
from selftest.signin.tenant.redirect_uris import is_spa_origin
from selftest.signin.tls import Tls
from selftest.signin.token_grants import answer

if TYPE_CHECKING:
    from selftest.signin.saml.endpoint import SamlEndpoint

_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_PREFLIGHT_AGE_S: Final = 600
_ID_BYTES: Final = 32
_VERSIONS: Final[dict[EntraVersion, str]] = {"1.0": "/oauth2", "2.0": "/oauth2/v2.0"}

type _Handler = Callable[[web.Request], Any]


class SignInServer(EntraServer):
    """One emulated tenant that signs users in; an async context manager that listens while it is entered.

    Args:
        directory: What is in the tenant.
        port: Where to listen by http on 127.0.0.1; 0 takes a free port.
        tls: With it the server listens by https too.
        https_port: Where; 0 takes a free port.
        clock: Wall-clock seconds since 1970, for tokens and for what expires.

    ``hits`` counts ``authorize`` besides.

    Attributes:
        desk: What is issued and remembered, with the log of sign-ins; there from the moment it listens.
    """

    def __init__(
        self,
        directory: Directory,
        *,
        port: int = 0,
        tls: Tls | None = None,
        https_port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(directory.tenant, port=port, clock=clock)
        self._directory = directory
        self._now = clock
        self._tls = tls
        self._https_port = https_port
        self._https_mint: TokenMint | None = None
        self._desk: Desk | None = None
        self._stack = AsyncExitStack()
        self._aliases = (directory.tenant.tenant_id, directory.tenant.domain)

    @property
    def directory(self) -> Directory:
        """Give the tenant."""
        return self._directory if self._desk is None else self._desk.directory

    @property
    def desk(self) -> Desk:
        """Give the desk.

        Raises:
            RuntimeError: Before the server listens.
        """
        if self._desk is None:
            raise RuntimeError("enter the SignInServer first: its sign-ins name the port that it listens on")
        return self._desk

    @property
    def https_url(self) -> str | None:
        """Give scheme, host and port of the https address; None where there is none."""
        return None if self._tls is None else f"https://localhost:{self._https_port}"

    @property
    def sign_in_authority_url(self) -> str:
        """Give what an app's library calls the authority: by https where the server speaks it."""
        return f"{self.https_url or self.base_url}/{self.tenant.tenant_id}"

    @property
    def sign_in_mint(self) -> TokenMint:
        """Give the mint of that authority."""
        return self._https_mint or self.mint

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            session: aiohttp.ClientSession = await stack.enter_async_context(caller_session())
            self._desk = Desk(
                self._directory,
                lambda: self.mint,
                Caller(session),
                self._now,
                lambda: secrets.token_urlsafe(_ID_BYTES),
            )
            await super().__aenter__()
            stack.push_async_callback(super().__aexit__, None, None, None)
            if self._tls is not None:
                self._https_port = await self.listen(self._https_port, self._tls.server)
                self._https_mint = self.mint_at(f"https://localhost:{self._https_port}")
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def mint_at(self, base_url: str) -> TokenMint:
        """Make the mint of one address; an External ID tenant's issuer is not its address."""
        tenant_id = self.tenant.tenant_id
        external = f"https://{tenant_id}.ciamlogin.com/{tenant_id}/v2.0" if self.directory.external else None
        return TokenMint(self.tenant, f"{base_url}/{tenant_id}", self.keys, self._now, issuer_v2=external)

    def mint_of(self, request: web.Request) -> TokenMint:
        """Give the mint of the address that a request came by."""
        return self.sign_in_mint if request.secure else self.mint

    def metadata(self, mint: TokenMint, version: EntraVersion) -> dict[str, Any]:
        """Give the metadata document of one version, with what a sign-in needs."""
        return super().metadata(mint, version) | sign_in_members(mint, version)

    def routes(self, root: str) -> list[web.RouteDef]:
        """Give the tenant's routes, below its id and below its domain name."""
        del root  # one of the two
        routes = [web.get("/common/discovery/instance", self._instance), web.get("/signins", self._signins)]
        for alias in self._aliases:
            routes += [*self.published_routes(f"/{alias}"), *self._sign_in_routes(f"/{alias}")]
        return routes

    def _sign_in_routes(self, root: str) -> list[web.RouteDef]:
        routes = [web.route(method, f"{root}/openid/userinfo", self._userinfo) for method in ("GET", "POST")]
        routes += [
            web.get(f"{root}/saml2", self._saml),
            web.post(f"{root}/saml2/user", self._saml),
            web.get(f"{root}/federationmetadata/2007-06/federationmetadata.xml", self._saml_metadata),
        ]
        for version, path in _VERSIONS.items():
            authorize = f"{root}{path}/authorize"
            routes += [
                web.get(authorize, self._authorize(version)),
                web.post(authorize, self._authorize(version)),
                web.post(authorize + USER_PATH, self._choose(version)),
                web.post(f"{root}{path}/token", self._redeem(version)),
                web.options(f"{root}{path}/token", self._preflight),
                web.get(f"{root}{path}/logout", self._logout),
                web.post(f"{root}{path}/logout", self._logout),
            ]
        return routes

    def _authorize(self, version: EntraVersion) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.hits["authorize"] += 1
            return await AuthorizeEndpoint(self.desk, self.mint_of, version).ask(request)

        return handle

    def _choose(self, version: EntraVersion) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await AuthorizeEndpoint(self.desk, self.mint_of, version).choose(request)

        return handle

    def _redeem(self, version: EntraVersion) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.hits["token"] += 1
            headers = {**_NO_STORE, **self._cross_origin(request)}
            wanted = correlation_id(request.headers.get("client-request-id"))
            try:
                form = await read_form(request)
                wanted = correlation_id(dict(form).get("client-request-id", wanted))
                document = await answer(
                    self.desk, self.mint_of(request), form, request.headers, version=version, correlation_id=wanted
                )
            except OAuthError as error:
                if error.challenge:
                    headers["WWW-Authenticate"] = 'Basic realm="emulated Entra"'
                body = error.as_json(self.desk.trace(wanted))
                return web.json_response(body, status=error.status, headers=headers)
            return web.json_response(document, headers=headers)

        return handle

    async def _preflight(self, request: web.Request) -> web.StreamResponse:
        headers = self._cross_origin(request)
        if headers:
            headers |= {
                "Access-Control-Allow-Methods": "POST, OPTIONS",
                "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers", "content-type"),
                "Access-Control-Max-Age": str(_PREFLIGHT_AGE_S),
            }
        return web.Response(status=204, headers=headers)

    def _cross_origin(self, request: web.Request) -> dict[str, str]:
        """Let the pages of registered single-page apps read the answer, and no others."""
        origin = request.headers.get("Origin")
        if origin is None or not is_spa_origin(self.directory.apps, origin):
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}

    async def _userinfo(self, request: web.Request) -> web.StreamResponse:
        return userinfo(self.desk, self.mint_of(request), request, self._now())

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        given = request.query if request.method == "GET" else await request.post()
        return end_session(self.desk, request, {name: str(value) for name, value in given.items()})

    async def _saml(self, request: web.Request) -> web.StreamResponse:
        return await self._saml_endpoint(request).ask(request)

    async def _saml_metadata(self, request: web.Request) -> web.StreamResponse:
        return self._saml_endpoint(request).metadata()

    def _saml_endpoint(self, request: web.Request) -> "SamlEndpoint":
        # XML and its signatures are loaded when the first SAML app shows up: few tenants have one.
        from selftest.signin.saml.endpoint import SamlEndpoint  # noqa: PLC0415 - see above

        return SamlEndpoint(self.desk, self.mint_of(request))

    async def _instance(self, request: web.Request) -> web.StreamResponse:
        document = instance_discovery(request.host, self.mint_of(request).authority_url)
        return web.json_response(document, headers={"Access-Control-Allow-Origin": "*"})

    async def _signins(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self.desk.log.as_graph(), headers=_NO_STORE)
