"""The emulated Entra with users: everything that ``EntraServer`` has, and complete sign-ins.

It listens with http for the endpoint, which reads the signing keys there, and with a certificate also with https, which
client libraries require of an authority. Each address is a separate issuer: tokens that are requested with https name
the https address. The callout's token always names the http address.
"""

import secrets
import ssl
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, Self

import aiohttp
from aiohttp import web

from selftest.entra.key_store import KeyStore
from selftest.entra.oauth_error import OAuthError
from selftest.entra.server import EntraServer
from selftest.entra.token_endpoint import NO_STORE, error_response
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.entra.token_request import read_form
from selftest.play.caller import Caller, caller_session
from selftest.signin.account_endpoints import end_session, instance_discovery, sign_in_metadata, userinfo
from selftest.signin.oidc.authorization_request import correlation_id
from selftest.signin.oidc.authorize import AuthorizeEndpoint
from selftest.signin.oidc.token_grants import redeem
from selftest.signin.saml.packages import saml_fault
from selftest.signin.sign_in_service import USER_PATH, SignInService
from selftest.signin.tenant.directory import Directory
from selftest.signin.tenant.redirect_uris import is_spa_origin

if TYPE_CHECKING:
    from selftest.signin.saml.endpoint import SamlEndpoint


_PREFLIGHT_AGE_S: Final = 600
_ID_BYTES: Final = 32
_VERSIONS: Final[dict[EntraVersion, str]] = {"1.0": "/oauth2", "2.0": "/oauth2/v2.0"}

type _Handler = Callable[[web.Request], Any]


class SignInServer(EntraServer):
    """One emulated tenant that signs users in; an async context manager that listens while it is entered.

    ``hits`` also counts ``authorize``.

    Args:
        port: The http port on 127.0.0.1; 0 takes a free port.
        tls: The TLS context with which the server also listens with https; None for http only.
        https_port: The https port; 0 takes a free port.
        store: The private keys of the tenant; None for those of this process.
    """

    def __init__(
        self,
        directory: Directory,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        https_port: int = 0,
        clock: Callable[[], float] = time.time,
        store: KeyStore | None = None,
    ) -> None:
        super().__init__(directory.tenant, port=port, clock=clock, store=store)
        self._directory = directory
        self._now = clock
        self._tls = tls
        self._https_port = https_port
        self._https_mint: TokenMint | None = None
        self._service: SignInService | None = None
        self._stack = AsyncExitStack()
        self._aliases = (directory.tenant.tenant_id, directory.tenant.domain)

    @property
    def directory(self) -> Directory:
        """Return the tenant."""
        return self._directory if self._service is None else self._service.directory

    @property
    def extension_ids(self) -> tuple[str, ...]:
        """Return the ids of every extension of the endpoint's registration: one endpoint serves them all."""
        audience = self.tenant.audience_app_id
        return tuple(known.id for known in self.directory.extensions if known.audience.client_id == audience)

    @property
    def service(self) -> SignInService:
        """Return the sign-in service, with the log of sign-ins.

        Raises:
            RuntimeError: The server does not listen yet.
        """
        if self._service is None:
            raise RuntimeError("enter the SignInServer first: its sign-ins contain its port")
        return self._service

    @property
    def https_url(self) -> str | None:
        """Return scheme, host and port of the https address; None without one."""
        return None if self._tls is None else f"https://localhost:{self._https_port}"

    @property
    def sign_in_authority_url(self) -> str:
        """Return the authority for an app's library, with https if the server has it."""
        return f"{self.https_url or self.base_url}/{self.tenant.tenant_id}"

    @property
    def sign_in_mint(self) -> TokenMint:
        """Return the mint of that authority."""
        return self._https_mint or self.mint

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            session: aiohttp.ClientSession = await stack.enter_async_context(caller_session())
            self._service = SignInService(
                self._directory, lambda: self.mint, Caller(session), self._now, lambda: secrets.token_urlsafe(_ID_BYTES)
            )
            await super().__aenter__()
            stack.push_async_callback(super().__aexit__, None, None, None)
            self._stack = stack.pop_all()
        return self

    async def resume(self) -> None:
        """Listen on both ports."""
        await super().resume()
        if self._tls is None:
            return
        try:
            self._https_port = await self.listen(self._https_port, self._tls)
        except BaseException:
            await self.pause()
            raise
        self._https_mint = self.mint_at(f"https://localhost:{self._https_port}")

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def mint_at(self, base_url: str) -> TokenMint:
        """Return the mint of one address; the issuer of an External ID tenant is not its address."""
        tenant_id = self.tenant.tenant_id
        external = f"https://{tenant_id}.ciamlogin.com/{tenant_id}/v2.0" if self.directory.external else None
        return TokenMint(self.tenant, f"{base_url}/{tenant_id}", self.keys, self._now, issuer_v2=external)

    def mint_of(self, request: web.Request) -> TokenMint:
        """Return the mint of the address that a request was sent to."""
        return self.sign_in_mint if request.secure else self.mint

    def metadata(self, mint: TokenMint, version: EntraVersion) -> dict[str, Any]:
        """Return the metadata document of one version, with the members for sign-ins."""
        return super().metadata(mint, version) | sign_in_metadata(mint, version)

    def routes(self, root: str) -> list[web.RouteDef]:
        """Return the tenant's routes, below its id and below its domain name."""
        del root  # one of the two aliases
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
            endpoint = AuthorizeEndpoint(self.service, self.mint_of, version)
            routes += [
                web.get(authorize, self._authorize(endpoint)),
                web.post(authorize, self._authorize(endpoint)),
                web.post(authorize + USER_PATH, endpoint.choose),
                web.post(f"{root}{path}/token", self._redeem(version)),
                web.options(f"{root}{path}/token", self._preflight),
                web.get(f"{root}{path}/logout", self._logout),
                web.post(f"{root}{path}/logout", self._logout),
            ]
        return routes

    def _authorize(self, endpoint: AuthorizeEndpoint) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.hits["authorize"] += 1
            return await endpoint.authorize(request)

        return handle

    def _redeem(self, version: EntraVersion) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.hits["token"] += 1
            headers = self._cross_origin(request)
            request_id = correlation_id(request.headers.get("client-request-id"))
            try:
                form = await read_form(request)
                request_id = correlation_id(dict(form).get("client-request-id", request_id))
                document = await redeem(
                    self.service,
                    self.mint_of(request),
                    form,
                    request.headers,
                    version=version,
                    correlation_id=request_id,
                )
            except OAuthError as error:
                return error_response(error, headers, self.service.trace(request_id))
            return web.json_response(document, headers={**NO_STORE, **headers})

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
        """Return the headers that let only pages of registered single-page apps read the response."""
        origin = request.headers.get("Origin")
        if origin is None or not is_spa_origin(self.directory.apps, origin):
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}

    async def _userinfo(self, request: web.Request) -> web.StreamResponse:
        return userinfo(self.service, self.mint_of(request), request, self._now())

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        given = request.query if request.method == "GET" else await request.post()
        return end_session(self.service, request, {name: str(value) for name, value in given.items()})

    async def _saml(self, request: web.Request) -> web.StreamResponse:
        return await self._saml_endpoint(request).sign_in(request)

    async def _saml_metadata(self, request: web.Request) -> web.StreamResponse:
        return self._saml_endpoint(request).metadata()

    def _saml_endpoint(self, request: web.Request) -> "SamlEndpoint":
        if (fault := saml_fault()) is not None:
            raise web.HTTPNotImplemented(text=fault)
        from selftest.signin.saml.endpoint import SamlEndpoint  # noqa: PLC0415 - see `saml_fault`

        return SamlEndpoint(self.service, self.mint_of(request))

    async def _instance(self, request: web.Request) -> web.StreamResponse:
        document = instance_discovery(request.host, self.mint_of(request).authority_url)
        return web.json_response(document, headers={"Access-Control-Allow-Origin": "*"})

    async def _signins(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(self.service.log.as_graph(), headers=NO_STORE)
