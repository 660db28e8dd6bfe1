"""Who issues downstream tokens, on loopback: Entra's token endpoint over TLS, App Service's identity endpoint.

The client-secret grant is the emulated Entra's own code. The grants by assertion are checked here against RFC 7523 and
what Entra documents of the assertion's header.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import trustme
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.oauth_error import OAuthError
from selftest.entra.signing import KeySet
from selftest.entra.token_endpoint import issue
from selftest.entra.token_mint import TokenMint

TENANT_ID = DEFAULT_TENANT.tenant_id
CLIENT_ID = DEFAULT_TENANT.client.app_id
CLIENT_SECRET = DEFAULT_TENANT.client_secret
SCOPE = f"{DEFAULT_TENANT.application_id_uri}/.default"
RESOURCE = DEFAULT_TENANT.application_id_uri
IDENTITY_HEADER = "the header that App Service makes up"

type Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Issuer:
    """What was asked, and what goes wrong.

    Attributes:
        asked: the fields of each request for a token, in order.
        paths: the path of every request.
        faults: what answers the next requests instead, first to last.
        life_s: how long the tokens of the identity endpoint are good for.
        public_key: whose assertions are accepted; None accepts any text.
    """

    asked: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    life_s: int = 86_400
    public_key: RSAPublicKey | None = None
    https_url: str = ""
    http_url: str = ""
    ca_file: str = ""
    mint: TokenMint = field(init=False)

    @property
    def environ(self) -> dict[str, str]:
        """Give azure-identity's settings for this authority and this app."""
        return {
            "AZURE_AUTHORITY_HOST": self.https_url,
            "AZURE_TENANT_ID": TENANT_ID,
            "AZURE_CLIENT_ID": CLIENT_ID,
        }

    @property
    def client_options(self) -> dict[str, Any]:
        """Give the options with which azure-core trusts this server."""
        return {"connection_verify": self.ca_file}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request."""
        self.paths.append(request.path)
        fields = {name: str(value) for name, value in {**request.query, **await request.post()}.items()}
        self.asked.append(fields)
        if self.faults:
            return await self.faults.pop(0)(request)
        if request.path == "/msi/token":
            return self._identity(request)
        if request.path != f"/{TENANT_ID}/oauth2/v2.0/token":
            return web.json_response({"error": "not_found"}, status=404)
        if "client_assertion" in fields:
            return self._by_assertion(fields)
        try:
            return web.json_response(issue(self.mint, list(fields.items()), request.headers.get("Authorization")))
        except OAuthError as error:
            return web.json_response(error.as_json(), status=error.status)

    def _identity(self, request: web.Request) -> web.Response:
        if request.headers.get("X-IDENTITY-HEADER") != IDENTITY_HEADER:
            return web.json_response({"statusCode": 401, "message": "no such header"}, status=401)
        if request.query["api-version"] != "2019-08-01" or request.query["resource"] != RESOURCE:
            return web.json_response({"statusCode": 400, "message": "no such version or resource"}, status=400)
        return web.json_response(
            {
                "access_token": self._token(),
                "expires_on": str(int(time.time()) + self.life_s),
                "resource": RESOURCE,
                "token_type": "Bearer",
                "client_id": request.query.get("client_id", "66666666-6666-4666-8666-666666666666"),
            }
        )

    def _by_assertion(self, fields: dict[str, str]) -> web.Response:
        assert fields["grant_type"] == "client_credentials"
        assert fields["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert fields["scope"] == SCOPE
        if self.public_key is not None:
            claims = jwt.decode(
                fields["client_assertion"],
                self.public_key,
                algorithms=["PS256"],
                audience=f"{self.https_url}/{TENANT_ID}/oauth2/v2.0/token",
                options={"require": ["exp", "iss", "sub", "jti"]},
            )
            assert claims["iss"] == claims["sub"] == fields["client_id"] == CLIENT_ID
            assert jwt.get_unverified_header(fields["client_assertion"])["x5t#S256"]
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": self._token()})

    def _token(self) -> str:
        return self.mint.client_credentials_token(CLIENT_ID, audience=DEFAULT_TENANT.audience_app_id)


@contextlib.asynccontextmanager
async def running_issuer(directory: Path) -> AsyncIterator[Issuer]:
    """Listen on two free ports, with a certificate of an authority that exists for this test alone."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    issuer = Issuer(ca_file=str(directory / "ca.pem"))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", issuer.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    issuer.https_url, issuer.http_url = (
        f"{scheme}://127.0.0.1:{address[1]}"
        for scheme, address in zip(("https", "http"), runner.addresses, strict=True)
    )
    issuer.mint = TokenMint(DEFAULT_TENANT, f"{issuer.https_url}/{TENANT_ID}", KeySet(), time.time)
    try:
        yield issuer
    finally:
        await runner.cleanup()


def answer(status: int, body: bytes = b"{}", content_type: str = "application/json", **headers: str) -> Fault:
    """Answer so; a header's name has ``_`` for ``-``."""

    async def fault(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers={"Content-Type": content_type, **named})

    return fault


async def hang(_: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.sleep(30)
    return web.Response(status=503)


async def reset(request: web.Request) -> web.StreamResponse:
    """Break the connection."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=503)


async def trickle(request: web.Request) -> web.StreamResponse:
    """Answer for ever, a byte at a time."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.005)
    return response
