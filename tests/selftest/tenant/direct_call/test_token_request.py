"""The token comes, or a line says why not and what to do; neither secret nor token is in it."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from selftest.base.cannot_run import CannotRun
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.server import EntraServer
from selftest.tenant.direct_call.expectations import Expectations, expectations
from selftest.tenant.direct_call.token_errors import meaning_of_error
from selftest.tenant.direct_call.token_request import DirectTokenRequest, get_token
from selftest.tenant.direct_call.token_text import decode
from tests.claims.downstream.issuer import CLIENT_ID, running_issuer
from tests.selftest.scripted_server import Script, answer, reset, scripted_server, silence

SECRET = DEFAULT_TENANT.client_secret
OTHER = "0d0d0d0d-0000-4000-8000-00000000000d"


def expected_at(authority_url: str, **settings: str) -> Expectations:
    """Give the emulated tenant's expectations at another address."""
    return expectations({"AuthenticationEvents__AuthorityUrl": authority_url, **settings}, "a test")


def request(authority_url: str, **changes: Any) -> DirectTokenRequest:
    """Make a good request; ``changes`` replace its members."""
    members: dict[str, Any] = {"client_id": DEFAULT_TENANT.audience_app_id, "method": "secret", "secret": SECRET}
    return DirectTokenRequest(expected=expected_at(authority_url), **(members | changes))


async def test_documented_request_gets_a_token(entra: EntraServer) -> None:
    """A secret and the API's own scope give the API's own token."""
    token = decode(await get_token(request(entra.authority_url)))

    assert token.text("azp") == token.text("aud") == DEFAULT_TENANT.audience_app_id
    assert entra.hits["token"] == 1


@pytest.mark.parametrize(
    ("changes", "number", "says"),
    [
        ({"secret": "wrong"}, 7000215, "the secret is wrong"),
        ({"secret": None}, 7000218, "CLIENT_SECRET"),
        ({"client_id": OTHER}, 700016, "--client-id"),
        ({"uri": "api://elsewhere"}, 500011, "Claims__ApplicationIdUri"),
    ],
)
async def test_refusal_is_explained(entra: EntraServer, changes: dict[str, Any], number: int, says: str) -> None:
    """Entra's number stands in the message with what to do, and the secret does not."""
    uri = changes.pop("uri", None)
    asked = request(entra.authority_url, **changes)
    if uri:
        asked = DirectTokenRequest(
            expected=expected_at(entra.authority_url, Claims__ApplicationIdUri=uri),
            client_id=asked.client_id,
            method="secret",
            secret=SECRET,
        )
    with pytest.raises(CannotRun) as caught:
        await get_token(asked)

    assert f"AADSTS{number}" in str(caught.value)
    assert says in str(caught.value)
    assert SECRET not in str(caught.value) + repr(asked)


@pytest.mark.parametrize(
    "script",
    [
        answer(body=b"<html>sign in</html>", content_type="text/html"),
        answer(body=b"{}"),
        answer(body=b'{"access_token": 7}'),
        answer(body=b"[" * 100_000),
        answer(body=b'{"access_token": "' + b"x" * 2**20 + b'"}'),
        answer("302 Found", b"", "Location: https://login.example/"),
        answer("500 Internal Server Error", b'{"error_codes": ["x"]}'),
        reset(),
        silence(),
    ],
)
async def test_anything_else_is_told_and_not_believed(script: Script) -> None:
    """A page, a redirect, a flood, silence: each is one error with the address."""
    async with scripted_server([script]) as server:
        root = server.url.removesuffix("/api/onTokenIssuanceStart")
        with pytest.raises(CannotRun) as caught:
            await get_token(request(f"{root}/{DEFAULT_TENANT.tenant_id}"), timeout_s=0.5)

    assert f"{root}/" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


async def test_secret_does_not_follow_a_redirect() -> None:
    """Whoever answers with another address does not get the secret sent there."""
    async with scripted_server([answer()]) as elsewhere:
        away = answer("307 Temporary Redirect", b"", f"Location: {elsewhere.url}")
        async with scripted_server([away]) as server:
            root = server.url.removesuffix("/api/onTokenIssuanceStart")
            with pytest.raises(CannotRun):
                await get_token(request(f"{root}/{DEFAULT_TENANT.tenant_id}"))
        assert elsewhere.requests == []


async def test_nobody_listening_leads_to_the_emulator() -> None:
    """The usual mistake when trying it out is that the other terminal is not there."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(CannotRun, match="python -m selftest entra"):
        await get_token(request(f"http://127.0.0.1:{port}/{DEFAULT_TENANT.tenant_id}"))


def certificate(key: rsa.RSAPrivateKey, encryption: serialization.KeySerializationEncryption) -> bytes:
    """Make a self-signed certificate with its key, as one PEM file."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return pem + made.public_bytes(serialization.Encoding.PEM)


async def test_certificate_signs_the_request(tmp_path: Path) -> None:
    """azure-identity proves the app with its certificate, at an authority that no instance discovery knows."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "app.pem"
    path.write_bytes(certificate(key, serialization.NoEncryption()))
    async with running_issuer(tmp_path) as issuer:
        issuer.public_key = key.public_key()
        asked = request(
            f"{issuer.https_url}/{DEFAULT_TENANT.tenant_id}",
            method="certificate",
            certificate=path,
            client_id=CLIENT_ID,
        )
        token = decode(await get_token(asked, library_options=issuer.client_options))
        assert issuer.paths == [f"/{DEFAULT_TENANT.tenant_id}/oauth2/v2.0/token"]
    assert token.text("azp") == CLIENT_ID


@pytest.mark.parametrize(
    ("method", "says"),
    [("certificate", "PEM file"), ("azure-cli", "az login"), ("workload-identity", "AZURE_FEDERATED_TOKEN_FILE")],
)
async def test_credential_without_what_it_needs(
    method: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way to a token says what it wants; a key that is encrypted is no traceback."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "app.pem"
    path.write_bytes(certificate(key, serialization.BestAvailableEncryption(b"x")))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE", raising=False)
    with pytest.raises(CannotRun, match=says):
        await get_token(request(f"https://localhost/{DEFAULT_TENANT.tenant_id}", method=method, certificate=path))


def test_unknown_number_is_still_told() -> None:
    """A number without a line of its own is looked up in Microsoft's list."""
    assert "Microsoft's list" in meaning_of_error(4711)
    assert "no AADSTS code" in meaning_of_error(None)
