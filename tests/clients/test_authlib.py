"""Authlib signs users in by discovery alone, and checks signature, issuer, audience, nonce and times as a strict app.

With requests, on a workforce and on an External ID tenant, and over plain http on loopback too.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from authlib.integrations.requests_client import (  # type: ignore[import-untyped] # Authlib ships no types
    OAuth2Session,
    OAuthError,
)
from joserfc import jwt
from joserfc.jwk import KeySet

from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import Directory
from tests.clients.browser import Browser
from tests.clients.extension import Extension

CALLBACK = "http://127.0.0.1:5000/callback"
NONCE = "a-nonce-of-the-app"
SCOPE = "openid profile offline_access api://orders.sample.example/access_as_user"


class StrictApp:
    """An application that knows nothing but the authority's URL and its own registration."""

    def __init__(self, entra: SignInServer, authority_url: str, ca_file: str) -> None:
        url = f"{authority_url}/v2.0/.well-known/openid-configuration"
        self.metadata = requests.get(url, timeout=10, verify=ca_file).json()
        self.keys = requests.get(self.metadata["jwks_uri"], timeout=10, verify=ca_file).json()
        registered = entra.directory.app_named("portal")
        assert registered is not None
        self.client_id = registered.client_id
        self.oauth: Any = OAuth2Session(
            registered.client_id,
            registered.secret,
            scope=SCOPE,
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic",
        )

    def sign_in(self, browser: Browser, user: str) -> dict[str, Any]:
        """Sign a user in, and give the token response."""
        verifier = "v" * 64
        url, state = self.oauth.create_authorization_url(
            self.metadata["authorization_endpoint"], nonce=NONCE, code_verifier=verifier
        )
        landing = browser.open(url, user=user)
        if "error" in landing.fields:
            # What Authlib's integrations for web frameworks do before they ask for a token.
            raise OAuthError(error=landing.fields["error"], description=landing.fields["error_description"])
        answer = f"{CALLBACK}?" + urlencode(landing.fields)
        token: dict[str, Any] = self.oauth.fetch_token(
            self.metadata["token_endpoint"],
            authorization_response=answer,
            code_verifier=verifier,
            state=state,
        )
        return token

    def verified(self, token: str, audience: str) -> dict[str, Any]:
        """Verify a token with the published keys, and give its claims."""
        decoded = jwt.decode(token, KeySet.import_key_set(self.keys), algorithms=["RS256"])
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.metadata["issuer"]},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        ).validate(decoded.claims)
        return dict(decoded.claims)


@pytest.fixture(params=["workforce", "external"])
async def tenant(
    request: pytest.FixtureRequest, sample: Directory, extension: Extension, tls: ssl.SSLContext
) -> AsyncIterator[SignInServer]:
    """Return the emulated Entra as a workforce and as an External ID tenant."""
    directory = replace(sample.with_target_url(extension.url), external=request.param == "external")
    async with SignInServer(directory, tls=tls) as server:
        yield server


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_strict_app_accepts_both_tokens(
    tenant: SignInServer, browser: Browser, ca_file: str, scheme: str
) -> None:
    """Everything that a strict app verifies holds, and the custom claims are there."""
    authority_url = tenant.authority_url if scheme == "http" else tenant.sign_in_authority_url
    app = await asyncio.to_thread(StrictApp, tenant, authority_url, ca_file)
    token = await asyncio.to_thread(app.sign_in, browser, "ada")
    identity = app.verified(token["id_token"], app.client_id)
    assert identity["nonce"] == NONCE
    assert identity["custom_roles"] == ["Writer", "Editor"]
    access = app.verified(token["access_token"], "99999999-9999-4999-8999-999999999999")
    assert access["order_roles"] == ["Writer", "Editor"]
    tenant_id = tenant.tenant.tenant_id
    expected = f"https://{tenant_id}.ciamlogin.com/{tenant_id}/v2.0"
    assert app.metadata["issuer"] == (expected if tenant.directory.external else f"{authority_url}/v2.0")


async def test_refresh_rotates(tenant: SignInServer, browser: Browser, ca_file: str) -> None:
    """A refresh returns a new refresh token, and the old one is no longer valid."""
    app = await asyncio.to_thread(StrictApp, tenant, tenant.sign_in_authority_url, ca_file)
    first = await asyncio.to_thread(app.sign_in, browser, "ada")

    def refresh(token: str) -> Any:
        return app.oauth.refresh_token(app.metadata["token_endpoint"], refresh_token=token)

    second = await asyncio.to_thread(refresh, first["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    with pytest.raises(OAuthError, match="used before"):
        await asyncio.to_thread(refresh, first["refresh_token"])
    with pytest.raises(OAuthError, match="withdrawn"):
        await asyncio.to_thread(refresh, second["refresh_token"])


async def test_failed_extension(tenant: SignInServer, browser: Browser, ca_file: str, extension: Extension) -> None:
    """The app sees a failed sign-in, and a failed refresh as its library shows it."""
    app = await asyncio.to_thread(StrictApp, tenant, tenant.sign_in_authority_url, ca_file)
    token = await asyncio.to_thread(app.sign_in, browser, "ada")
    extension.mood = "refusing"
    url = app.metadata["token_endpoint"]
    with pytest.raises(OAuthError, match="server_error: AADSTS1100001"):
        await asyncio.to_thread(app.oauth.refresh_token, url, refresh_token=token["refresh_token"])
    with pytest.raises(OAuthError, match="AADSTS1100001"):
        await asyncio.to_thread(app.sign_in, browser, "ada")


async def test_userinfo_of_a_graph_token(tenant: SignInServer, browser: Browser, ca_file: str) -> None:
    """An app that asks for no API gets a token that userinfo takes; one for an API is refused there."""
    app = await asyncio.to_thread(StrictApp, tenant, tenant.sign_in_authority_url, ca_file)

    def userinfo() -> requests.Response:
        found: requests.Response = app.oauth.get(app.metadata["userinfo_endpoint"])
        return found

    await asyncio.to_thread(app.sign_in, browser, "ada")
    assert (await asyncio.to_thread(userinfo)).status_code == 401
    app.oauth.scope = "openid profile"
    token = await asyncio.to_thread(app.sign_in, browser, "ada")
    answer = (await asyncio.to_thread(userinfo)).json()
    assert answer["name"] == "Ada Sample"
    assert answer["email"] == "ada@sample.example"
    assert answer["sub"] == app.verified(token["id_token"], app.client_id)["sub"]
