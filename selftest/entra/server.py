"""The emulated Entra as an HTTP server on the loopback interface.

It answers what an endpoint fetches (metadata, keys) and what a tool asks for (a client-credentials token), counts every
request, and fails or dawdles on demand. It never listens on another interface, and a request whose ``Host`` is not a
loopback name is refused, so that a web page cannot reach it under a name of its own (DNS rebinding).
"""

import asyncio
import ipaddress
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web
from yarl import URL

from selftest.base.sample_tenant import DEFAULT_TENANT, Tenant
from selftest.base.serve import HOST, serve
from selftest.entra.hostile_keys import attacker_key
from selftest.entra.metadata import metadata_document
from selftest.entra.oauth_error import OAuthError
from selftest.entra.signing import KeySet
from selftest.entra.token_endpoint import issue
from selftest.entra.token_mint import TokenMint, TokenVersion

#: What is published may be read by a page of any origin, as at Entra.
_ANY_PAGE: Final = {"Access-Control-Allow-Origin": "*"}

#: A delayed answer is dropped this long after the server is told to stop.
_SHUTDOWN_TIMEOUT_S: Final = 0.1

type _Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class EntraServer:
    """One emulated tenant; an async context manager that listens while it is entered.

    Args:
        tenant: Which ids it plays.
        port: Where to listen on 127.0.0.1; 0 takes a free port.
        clock: Wall-clock seconds since 1970, for the tokens.

    Attributes:
        keys: The keys it signs with and publishes; hostile entries may be added at any time.
        mint: Its tokens; there from the moment it listens, because the issuer holds the port.
        hits: Requests by kind: ``metadata_v1``, ``metadata_v2``, ``keys_v1``, ``keys_v2``, ``token``, ``attacker``.
        outage: While true, metadata and keys answer 503.
        delay_s: How long metadata and keys wait before they answer, in seconds.
    """

    def __init__(
        self, tenant: Tenant = DEFAULT_TENANT, *, port: int = 0, clock: Callable[[], float] = time.time
    ) -> None:
        self.tenant = tenant
        self.keys = KeySet()
        self.hits: Counter[str] = Counter()
        self.outage = False
        self.delay_s = 0.0
        self._port = port
        self._clock = clock
        self._mint: TokenMint | None = None
        self._runner: web.AppRunner | None = None
        self._secure: list[asyncio.Server] = []

    @property
    def base_url(self) -> str:
        """Give scheme, host and port, without a slash at the end."""
        return f"http://{HOST}:{self._port}"

    @property
    def authority_url(self) -> str:
        """Give what the endpoint's AuthorityUrl setting has to be."""
        return f"{self.base_url}/{self.tenant.tenant_id}"

    @property
    def other_issuer(self) -> str:
        """Give the issuer of the tenant that is not ours."""
        return f"{self.base_url}/{self.tenant.other_tenant_id}/v2.0"

    @property
    def mint(self) -> TokenMint:
        """Give the mint.

        Raises:
            RuntimeError: Before the server listens: the issuer is not known yet.
        """
        if self._mint is None:
            raise RuntimeError("enter the EntraServer before minting: its issuer holds the port it listens on")
        return self._mint

    def mint_at(self, base_url: str) -> TokenMint:
        """Make the mint of one address that the server listens on."""
        return TokenMint(self.tenant, f"{base_url}/{self.tenant.tenant_id}", self.keys, self._clock)

    async def __aenter__(self) -> Self:
        # attacker_key() takes up to 150 ms the first time; made here, it cannot stall a request later.
        attacker_key()
        self._runner, self._port = await serve(self._app(), self._port)
        self._mint = self.mint_at(self.base_url)
        return self

    async def listen(self, port: int, context: ssl.SSLContext) -> int:
        """Listen on one more port of the loopback interface, by https, and give it.

        Raises:
            RuntimeError: Before the server is entered.
            OSError: The port is taken.
        """
        if self._runner is None or self._runner.server is None:
            raise RuntimeError("enter the EntraServer before it listens on another port")
        # aiohttp's own site has no bound on TLS's farewell, and a client that keeps its connection never says it.
        server = await asyncio.get_running_loop().create_server(
            self._runner.server, HOST, port, ssl=context, ssl_shutdown_timeout=_SHUTDOWN_TIMEOUT_S
        )
        self._secure.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._secure:
            server.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        while self._secure:
            server = self._secure.pop()
            server.abort_clients()
            await server.wait_closed()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[_only_loopback_names])
        app.add_routes(self.routes(f"/{self.tenant.tenant_id}"))
        app.add_routes(
            [web.post("/rotate", self._rotate), web.route("*", "/attacker/{path:.*}", self._attacker)],
        )
        return app

    def routes(self, root: str) -> list[web.RouteDef]:
        """Give the tenant's own routes, below its path."""
        return [
            *self.published_routes(root),
            web.post(f"{root}/oauth2/v2.0/token", self._token),
            web.post(f"{root}/oauth2/token", self._token),
        ]

    def published_routes(self, root: str) -> list[web.RouteDef]:
        """Give the routes of metadata and keys."""
        return [
            web.get(f"{root}/v2.0/.well-known/openid-configuration", self._metadata("2.0")),
            web.get(f"{root}/.well-known/openid-configuration", self._metadata("1.0")),
            web.get(f"{root}/discovery/v2.0/keys", self._key_document("2.0")),
            web.get(f"{root}/discovery/keys", self._key_document("1.0")),
        ]

    def mint_of(self, request: web.Request) -> TokenMint:
        """Give the mint of the address that a request came by."""
        del request  # one address here
        return self.mint

    def metadata(self, mint: TokenMint, version: TokenVersion) -> dict[str, Any]:
        """Give the metadata document of one version."""
        return metadata_document(mint, version)

    def _metadata(self, version: TokenVersion) -> _Handler:
        async def handle(request: web.Request) -> web.Response:
            if (failure := await self._published(f"metadata_v{version[0]}")) is not None:
                return failure
            return web.json_response(self.metadata(self.mint_of(request), version), headers=_ANY_PAGE)

        return handle

    def _key_document(self, version: TokenVersion) -> _Handler:
        async def handle(request: web.Request) -> web.Response:
            if (failure := await self._published(f"keys_v{version[0]}")) is not None:
                return failure
            issuer = self.mint_of(request).issuer("2.0") if version == "2.0" else None
            return web.json_response(self.keys.jwks(issuer=issuer), headers=_ANY_PAGE)

        return handle

    async def _published(self, kind: str) -> web.Response | None:
        """Count a request for a published document; give the answer when it has to fail."""
        self.hits[kind] += 1
        if self.delay_s > 0:
            await asyncio.sleep(self.delay_s)
        if not self.outage:
            return None
        return web.json_response({"error": "temporarily_unavailable"}, status=503)

    async def _token(self, request: web.Request) -> web.Response:
        self.hits["token"] += 1
        headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        try:
            reply = issue(self.mint, await read_form(request), request.headers.get("Authorization"))
        except OAuthError as error:
            if error.challenge:
                headers["WWW-Authenticate"] = 'Basic realm="emulated Entra"'
            return web.json_response(error.as_json(), status=error.status, headers=headers)
        return web.json_response(reply, headers=headers)

    async def _rotate(self, _: web.Request) -> web.Response:
        # Making a key takes up to 150 ms, which requests that are being measured must not wait for.
        await asyncio.to_thread(self.keys.prepare_rotation)
        return web.json_response({"kid": self.keys.rotate().kid})

    async def _attacker(self, _: web.Request) -> web.Response:
        """Serve what a token's ``jku`` points at: whoever fetches it trusts the attacker."""
        self.hits["attacker"] += 1
        return web.json_response({"keys": [attacker_key().jwk()]})


async def read_form(request: web.Request) -> list[tuple[str, str]]:
    """Read a form with its repeats.

    Raises:
        OAuthError: The body is none.
    """
    try:
        form = await request.post()
    except (LookupError, UnicodeDecodeError, ValueError) as error:
        raise OAuthError("invalid_request", "the body is not a form in UTF-8", aadsts=900144) from error
    return [(name, value) for name, value in form.items() if isinstance(value, str)]


@web.middleware
async def _only_loopback_names(request: web.Request, handler: _Handler) -> web.StreamResponse:
    if not _is_loopback(request.headers.get("Host", "")):
        message = "the Host header names no loopback address; ask 127.0.0.1 or localhost"
        return web.json_response({"error": "misdirected_request", "error_description": message}, status=421)
    return await handler(request)


def _is_loopback(host_header: str) -> bool:
    try:
        host = URL(f"http://{host_header}").host or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
