"""The emulated Entra as an HTTP server on the loopback interface.

It serves metadata, signing keys and client-credentials tokens, counts every request, and fails or delays its responses
on demand. It listens on no other interface and refuses a request whose ``Host`` is not a loopback name, so that a web
page cannot reach it through DNS rebinding. The route that changes its state requires the secret that ``entra``
writes into a file of its user (`selftest.entra.lease`), which a web page cannot read.
"""

import asyncio
import hmac
import secrets
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from selftest.base.loopback import is_from_web_page, is_this_machine
from selftest.base.sample_tenant import DEFAULT_TENANT, Tenant
from selftest.base.serve import HOST, listen_tls, serve, start_runner
from selftest.entra import key_store
from selftest.entra.hostile_keys import HostileKey, attacker_key, malformed_keys, publish_first, well_formed_keys
from selftest.entra.key_store import KeyStore, process_keys
from selftest.entra.metadata import metadata_document
from selftest.entra.oauth_error import OAuthError
from selftest.entra.signing import KeySet
from selftest.entra.token_endpoint import NO_STORE, error_response, issue
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.entra.token_request import read_form

#: Pages of any origin may read the published documents, as at Entra.
_ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*"}

type _Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class EntraServer:
    """One emulated tenant; an async context manager that listens while it is entered.

    Args:
        tenant: The ids of the tenant.
        port: The port on 127.0.0.1; 0 takes a free port.
        clock: Wall-clock seconds since 1970, for the tokens.
        store: The private keys of the tenant; None for those of this process.
        tls: The TLS context with which the port is served; None for http.

    Attributes:
        store: The private keys of the tenant.
        keys: The keys it signs with and publishes; hostile entries may be added at any time.
        hits: Requests by kind: ``metadata_v1``, ``metadata_v2``, ``keys_v1``, ``keys_v2``, ``token``, ``attacker``.
        outage: While true, metadata and keys respond with 503.
        delay_s: The delay of metadata and keys, in seconds.
        on_keys_read: Called when the keys are read.
        control_secret: The bearer token of the route that rotates the keys.
    """

    def __init__(
        self,
        tenant: Tenant = DEFAULT_TENANT,
        *,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        store: KeyStore | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.tenant = tenant
        self.store = store or process_keys()
        self.keys = KeySet(self.store.rsa(key_store.TENANT))
        self.hits: Counter[str] = Counter()
        self.outage = False
        self.delay_s = 0.0
        self.on_keys_read: Callable[[], None] = lambda: None
        self.control_secret = secrets.token_urlsafe(32)
        self._port = port
        self._port_tls = tls
        self._clock = clock
        self._mint: TokenMint | None = None
        self._runner: web.AppRunner | None = None
        self._secure: list[asyncio.Server] = []

    @property
    def base_url(self) -> str:
        """Return scheme, host and port, without a trailing slash."""
        return f"{'http' if self._port_tls is None else 'https'}://{HOST}:{self._port}"

    @property
    def port(self) -> int:
        """Return the port that is listened on; 0 before the server is entered if any free one was asked for."""
        return self._port

    @property
    def well_formed(self) -> tuple[HostileKey, ...]:
        """Return the odd entries that every library can read."""
        return well_formed_keys(self.store, other_issuer=self.other_issuer)

    @property
    def malformed(self) -> tuple[HostileKey, ...]:
        """Return the odd entries that some libraries cannot read."""
        return malformed_keys(self.store)

    @property
    def keys_read(self) -> int:
        """Return how often a key document was read."""
        return self.hits["keys_v1"] + self.hits["keys_v2"]

    @property
    def authority_url(self) -> str:
        """Return the value for the endpoint's AuthorityUrl setting."""
        return f"{self.base_url}/{self.tenant.tenant_id}"

    @property
    def other_issuer(self) -> str:
        """Return the issuer of the other tenant."""
        return f"{self.base_url}/{self.tenant.other_tenant_id}/v2.0"

    @property
    def extension_ids(self) -> tuple[str, ...]:
        """Return the ids of the extensions that call the endpoint."""
        return (self.tenant.extension_id,)

    @property
    def mint(self) -> TokenMint:
        """Return the mint.

        Raises:
            RuntimeError: The server does not listen yet, so that the issuer is unknown.
        """
        if self._mint is None:
            raise RuntimeError("enter the EntraServer before minting: the issuer contains its port")
        return self._mint

    def mint_at(self, base_url: str) -> TokenMint:
        """Return the mint of one address that the server listens on."""
        return TokenMint(self.tenant, f"{base_url}/{self.tenant.tenant_id}", self.keys, self._clock)

    async def __aenter__(self) -> Self:
        # attacker_key() takes up to 150 ms the first time; made here, it cannot stall a request later.
        attacker_key()
        await self.resume()
        self._mint = self.mint_at(self.base_url)
        return self

    async def resume(self) -> None:
        """Listen, at the start and after `pause`.

        Raises:
            OSError: The port is taken.
        """
        if self._port_tls is None:
            self._runner, self._port = await serve(self._app(), self._port)
            return
        self._runner = await start_runner(self._app())
        try:
            self._port = await self.listen(self._port, self._port_tls)
        except BaseException:
            await self.pause()
            raise

    async def pause(self) -> None:
        """Close the ports and every connection, so that another process can listen on them."""
        for server in self._secure:
            server.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        while self._secure:
            server = self._secure.pop()
            server.abort_clients()
            await server.wait_closed()

    def publish_spare(self) -> None:
        """Publish a spare key beside the one that signs, so that a later check can withdraw it."""
        self.keys.published.append(self.store.rsa(key_store.SPARE).jwk())

    def publish_well_formed(self) -> None:
        """Publish the odd entries that every library can read, before the tenant's keys."""
        publish_first(self.keys, self.well_formed)

    def publish_malformed(self) -> None:
        """Publish the odd entries that some libraries cannot read, before the tenant's keys."""
        publish_first(self.keys, self.malformed)

    async def listen(self, port: int, context: ssl.SSLContext) -> int:
        """Listen on one more port of the loopback interface, with https, and return the port.

        Raises:
            RuntimeError: The server has not been entered.
            OSError: The port is taken.
        """
        if self._runner is None or self._runner.server is None:
            raise RuntimeError("enter the EntraServer before it listens on another port")
        server = await listen_tls(self._runner, port, context)
        self._secure.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.pause()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[_only_loopback_names])
        app.add_routes(self.routes(f"/{self.tenant.tenant_id}"))
        app.add_routes(
            [web.post("/rotate", self._rotate), web.route("*", "/attacker/{path:.*}", self._attacker)],
        )
        return app

    def routes(self, root: str) -> list[web.RouteDef]:
        """Return the tenant's routes, below its path."""
        return [
            *self.published_routes(root),
            web.post(f"{root}/oauth2/v2.0/token", self._token),
            web.post(f"{root}/oauth2/token", self._token),
        ]

    def published_routes(self, root: str) -> list[web.RouteDef]:
        """Return the routes of metadata and keys."""
        return [
            web.get(f"{root}/v2.0/.well-known/openid-configuration", self._metadata("2.0")),
            web.get(f"{root}/.well-known/openid-configuration", self._metadata("1.0")),
            web.get(f"{root}/discovery/v2.0/keys", self._key_document("2.0")),
            web.get(f"{root}/discovery/keys", self._key_document("1.0")),
        ]

    def mint_of(self, request: web.Request) -> TokenMint:
        """Return the mint for a request: here always the same; `selftest.signin.server` has one for each port."""
        del request  # there is one address
        return self.mint

    def metadata(self, mint: TokenMint, version: EntraVersion) -> dict[str, Any]:
        """Return the metadata document of one version."""
        return metadata_document(mint, version)

    def _metadata(self, version: EntraVersion) -> _Handler:
        async def handle(request: web.Request) -> web.Response:
            if (failure := await self._published(f"metadata_v{version[0]}")) is not None:
                return failure
            return web.json_response(self.metadata(self.mint_of(request), version), headers=_ANY_ORIGIN)

        return handle

    def _key_document(self, version: EntraVersion) -> _Handler:
        async def handle(request: web.Request) -> web.Response:
            if (failure := await self._published(f"keys_v{version[0]}")) is not None:
                return failure
            self.on_keys_read()
            issuer = self.mint_of(request).issuer("2.0") if version == "2.0" else None
            return web.json_response(self.keys.jwks(issuer=issuer), headers=_ANY_ORIGIN)

        return handle

    async def _published(self, kind: str) -> web.Response | None:
        """Count a request for a published document; return a response if it has to fail."""
        self.hits[kind] += 1
        if self.delay_s > 0:
            await asyncio.sleep(self.delay_s)
        if not self.outage:
            return None
        return web.json_response({"error": "temporarily_unavailable"}, status=503)

    async def _token(self, request: web.Request) -> web.Response:
        self.hits["token"] += 1
        try:
            reply = issue(self.mint, await read_form(request), request.headers.get("Authorization"))
        except OAuthError as error:
            return error_response(error)
        return web.json_response(reply, headers=NO_STORE)

    async def _rotate(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.control_secret}".encode()):
            return web.json_response({"error": "invalid_token"}, status=401, headers={"WWW-Authenticate": "Bearer"})
        # Generating a key takes up to 150 ms, and requests that are being measured must not wait for it.
        await asyncio.to_thread(self.keys.prepare_rotation)
        return web.json_response({"kid": self.keys.rotate().kid})

    async def _attacker(self, request: web.Request) -> web.Response:
        """Serve the target of a token's ``jku``, and count who trusts the attacker: an endpoint, not a web page."""
        self.hits["attacker"] += not is_from_web_page(request.headers)
        return web.json_response({"keys": [attacker_key().jwk()]})


@web.middleware
async def _only_loopback_names(request: web.Request, handler: _Handler) -> web.StreamResponse:
    if not _is_loopback(request.headers.get("Host", "")):
        message = "the Host header is not a loopback address; use 127.0.0.1 or localhost"
        return web.json_response({"error": "misdirected_request", "error_description": message}, status=421)
    return await handler(request)


def _is_loopback(host_header: str) -> bool:
    try:
        return is_this_machine(f"http://{host_header}")
    except ValueError:
        return False
