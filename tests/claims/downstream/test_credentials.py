"""Credentials: every kind against a real loopback issuer, and all that can go wrong there."""

import asyncio
import datetime as dt
import logging
import os
import stat
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from claims.downstream.app_identity import AppIdentity
from claims.downstream.credentials import _AzureIdentity, create_token_cache, token_source
from claims.downstream.issued_token import TokenFetchError, TokenSource
from claims.downstream.token_cache import DownstreamTokenCache
from claims.errors import SettingsError, TokenUnavailable
from tests.claims.downstream.issuer import (
    CLIENT_ID,
    CLIENT_SECRET,
    IDENTITY_HEADER,
    RESOURCE,
    SCOPE,
    TENANT_ID,
    Fault,
    Issuer,
    answer,
    hang,
    reset,
    running_issuer,
    trickle,
)

USER_NAME = "adele@contoso.example"


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the machine that runs the tests has set."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_", "IMDS_", "WEBSITE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[Issuer]:
    """Serve tokens."""
    async with running_issuer(tmp_path) as running:
        yield running


@pytest.fixture
def by_secret(issuer: Issuer) -> TokenSource:
    """Give the source that authenticates with a client secret."""
    return token_source(
        "client-secret", {**issuer.environ, "AZURE_CLIENT_SECRET": CLIENT_SECRET}, client_options=issuer.client_options
    )


@pytest.fixture
def by_identity(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> TokenSource:
    """Give the source that App Service's managed identity is."""
    set_identity(issuer, monkeypatch)
    return token_source("managed-identity", os.environ)


def set_identity(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what App Service sets for an app with an identity."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{issuer.http_url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)


async def test_client_secret(issuer: Issuer, by_secret: TokenSource) -> None:
    """A secret costs one request, to the token endpoint of the tenant and nowhere else."""
    token = await by_secret(SCOPE)
    assert issuer.paths == [f"/{TENANT_ID}/oauth2/v2.0/token"]
    assert issuer.asked[0]["scope"] == SCOPE
    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert claims["azp"] == CLIENT_ID
    assert token.expires_on_s == pytest.approx(time.time() + 3599, abs=5)
    assert token.token not in repr(token)


async def test_every_call_gets_a_new_token(issuer: Issuer, by_secret: TokenSource, by_identity: TokenSource) -> None:
    """No cache of azure-identity's answers: a token that was refused never comes again from here."""
    assert (await by_secret(SCOPE)).token != (await by_secret(SCOPE)).token
    assert (await by_identity(SCOPE)).token != (await by_identity(SCOPE)).token
    assert len(issuer.paths) == 4


async def test_client_certificate(issuer: Issuer, tmp_path: Path) -> None:
    """A certificate signs an assertion for the token endpoint, by its SHA-256 thumbprint."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    issuer.public_key = key.public_key()
    (tmp_path / "app.pem").write_bytes(_certificate(key))
    environ = {**issuer.environ, "AZURE_CLIENT_CERTIFICATE_PATH": str(tmp_path / "app.pem")}
    source = token_source("client-certificate", environ, client_options=issuer.client_options)
    assert (await source(SCOPE)).token
    assert len(issuer.paths) == 1


async def test_encrypted_client_certificate(issuer: Issuer, tmp_path: Path) -> None:
    """A certificate's password is taken from azure-identity's setting; without it the failure says no secret."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    issuer.public_key = key.public_key()
    (tmp_path / "app.pem").write_bytes(_certificate(key, password=b"opens it"))
    environ = {**issuer.environ, "AZURE_CLIENT_CERTIFICATE_PATH": str(tmp_path / "app.pem")}
    with pytest.raises(TokenFetchError, match=r"client-certificate: TypeError$"):
        await token_source("client-certificate", environ)(SCOPE)
    environ["AZURE_CLIENT_CERTIFICATE_PASSWORD"] = "opens it"
    assert (await token_source("client-certificate", environ, client_options=issuer.client_options)(SCOPE)).token


async def test_workload_identity(issuer: Issuer, tmp_path: Path) -> None:
    """The federated token is sent as it stands in the file, and read again once the platform has replaced it."""
    file = tmp_path / "federated"
    environ = {**issuer.environ, "AZURE_FEDERATED_TOKEN_FILE": str(file)}
    source = token_source("workload-identity", environ, client_options=issuer.client_options)
    for text in ("first", "second"):
        file.write_text(text)
        assert (await source(SCOPE)).token
    assert [asked["client_assertion"] for asked in issuer.asked] == ["first", "second"]


async def test_workload_identity_without_its_file(issuer: Issuer, tmp_path: Path) -> None:
    """A file that is not there yet is a failed fetch, not a crash."""
    environ = {**issuer.environ, "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "missing")}
    with pytest.raises(TokenFetchError, match="workload-identity: FileNotFoundError"):
        await token_source("workload-identity", environ, client_options=issuer.client_options)(SCOPE)


async def test_system_assigned_identity(issuer: Issuer, by_identity: TokenSource) -> None:
    """App Service is asked for the resource of the scope; a day-long token is advised to be replaced at half."""
    token = await by_identity(SCOPE)
    assert issuer.asked == [{"api-version": "2019-08-01", "resource": RESOURCE}]
    assert token.expires_on_s == pytest.approx(time.time() + 86_400, abs=5)
    assert token.refresh_on_s == pytest.approx(time.time() + 43_200, abs=5)


async def test_user_assigned_identity(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """AZURE_CLIENT_ID chooses among the app's identities."""
    set_identity(issuer, monkeypatch)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT_ID)
    await token_source("managed-identity", os.environ)(SCOPE)
    assert issuer.asked == [{"api-version": "2019-08-01", "resource": RESOURCE, "client_id": CLIENT_ID}]


async def test_wrong_identity_header(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused header is told by its status, and not shown."""
    set_identity(issuer, monkeypatch)
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with pytest.raises(TokenFetchError, match=r"^managed-identity: status 401$"):
        await token_source("managed-identity", os.environ)(SCOPE)


def test_identity_elsewhere_is_azure_identitys() -> None:
    """Service Fabric sets the same two names, for another protocol; a virtual machine sets none."""
    app = {"IDENTITY_ENDPOINT": "http://127.0.0.1:9/msi/token", "IDENTITY_HEADER": IDENTITY_HEADER}
    assert isinstance(token_source("managed-identity", app), AppIdentity)
    for environ in ({**app, "IDENTITY_SERVER_THUMBPRINT": "aa"}, {}):
        assert not isinstance(token_source("managed-identity", environ), AppIdentity)


async def test_azure_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line is asked for the resource, and its JSON is read."""
    expires_on = int(time.time()) + 3000
    arguments = tmp_path / "arguments"
    reply = f'{{"accessToken": "from az", "expires_on": {expires_on}, "tokenType": "Bearer"}}'
    _fake_az(tmp_path, f"echo \"$@\" > '{arguments}'; echo '{reply}'", monkeypatch)
    token = await token_source("azure-cli", os.environ)(SCOPE)
    assert (token.token, token.expires_on_s) == ("from az", expires_on)
    assert arguments.read_text().strip() == f"account get-access-token --output json --resource {RESOURCE}"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (f"echo 'AADSTS50173: {USER_NAME} must sign in' >&2; exit 1", "ClientAuthenticationError AADSTS50173"),
        (f"echo 'ERROR: Please run az login, {USER_NAME}' >&2; exit 1", "CredentialUnavailableError"),
        (f"echo {USER_NAME}", "ClientAuthenticationError"),
    ],
)
async def test_azure_cli_fails(
    script: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What the command line says of a person is neither in the error nor in any log."""
    caplog.set_level(logging.DEBUG)
    _fake_az(tmp_path, script, monkeypatch)
    with pytest.raises(TokenFetchError) as failed:
        await token_source("azure-cli", os.environ)(SCOPE)
    assert str(failed.value) == f"azure-cli: {why}"
    assert USER_NAME not in caplog.text


async def test_default_in_azure_is_the_identity(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deployed, ``default`` is the app's identity, and no developer's tool is tried when that fails."""
    set_identity(issuer, monkeypatch)
    monkeypatch.setenv("WEBSITE_SITE_NAME", "app")
    _fake_az(tmp_path, f"touch '{tmp_path}/asked'", monkeypatch)
    source = token_source("default", os.environ)
    assert (await source(SCOPE)).token
    # No JSON means to azure-identity that there is no such endpoint, so that the next of the chain is tried.
    issuer.faults = [answer(200, b"<html>", "text/html")]
    with pytest.raises(TokenFetchError, match=r"^default: ClientAuthenticationError status 200$"):
        await source(SCOPE)
    assert issuer.paths == ["/msi/token", "/msi/token"]
    assert not (tmp_path / "asked").exists()


async def test_default_on_a_developers_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere ``default`` is azure-identity's chain, which its own setting narrows."""
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    _fake_az(tmp_path, 'echo \'{"accessToken": "from az", "expires_on": 4000000000}\'', monkeypatch)
    assert (await token_source("default", os.environ)(SCOPE)).token == "from az"


@pytest.mark.parametrize(
    ("fault", "why", "retry_after_s"),
    [
        (
            answer(429, b'{"error":"temporarily_unavailable"}', Retry_After="7"),
            "ClientAuthenticationError status 429",
            7,
        ),
        (
            answer(
                503,
                b'{"error":"x","error_description":"AADSTS90033: busy"}',
                Retry_After="Tue, 01 Jan 2030 00:00:30 GMT",
            ),
            "ClientAuthenticationError status 503 AADSTS90033",
            30,
        ),
        (answer(503, Retry_After="soon"), "ClientAuthenticationError status 503", None),
        (
            answer(503, Retry_After="Tue, 01 Jan 99999999999 00:00:30 GMT"),
            "ClientAuthenticationError status 503",
            None,
        ),
        (answer(429, b"busy", "text/plain", Retry_After="7"), "ClientAuthenticationError status 429", 7),
        (answer(500, b'{"message":"secret"}'), "ClientAuthenticationError status 500", None),
        (answer(200, b"<html>secret</html>", "text/html"), "ClientAuthenticationError status 200", None),
        (answer(200, b'{"access_token":"secret"'), "DecodeError status 200", None),
        (answer(200, b'{"access_token":"secret"}'), "ClientAuthenticationError", None),
        (answer(200, b'{"access_token":"secret","expires_in":"soon"}'), "ValueError status 200", None),
        (answer(200, b'{"access_token":"secret","expires_in":NaN}'), "ValueError status 200", None),
        (answer(200, b'{"access_token":"secret","expires_in":1e999}'), "OverflowError status 200", None),
        (answer(200, b'{"expires_in":3599}'), "KeyError status 200", None),
        (answer(200, b"[]"), "", None),
        (answer(200, b""), "", None),
        (answer(302, Location="http://127.0.0.1:9/"), "ClientAuthenticationError status 302", None),
        (reset, "ServiceRe", None),
    ],
)
async def test_what_the_issuer_gets_wrong(
    fault: Fault,
    why: str,
    retry_after_s: float | None,
    issuer: Issuer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Any answer but a token is one failed fetch, told without what it said, and ``Retry-After`` is passed on."""
    caplog.set_level(logging.DEBUG)
    issuer.faults = [fault]
    source = token_source(
        "client-secret",
        {**issuer.environ, "AZURE_CLIENT_SECRET": CLIENT_SECRET},
        clock=lambda: dt.datetime(2030, 1, 1, tzinfo=dt.UTC).timestamp(),
        client_options=issuer.client_options,
    )
    with pytest.raises(TokenFetchError) as failed:
        await source(SCOPE)
    assert str(failed.value).startswith(f"client-secret: {why}")
    assert failed.value.retry_after_s == retry_after_s
    assert len(issuer.paths) == 1
    assert "secret" not in str(failed.value).removeprefix("client-secret: ")
    assert CLIENT_SECRET not in caplog.text


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (answer(429, Retry_After="3"), "status 429"),
        (answer(500, b"<html>"), "status 500"),
        (answer(302, Location="http://127.0.0.1:9/"), "status 302"),
        (answer(200, b"<html>", "text/html"), "expected a JSON object: not JSON"),
        (answer(200, b'"secret"'), "expected a JSON object: not an object but a value of type str"),
        (answer(200, b'{"access_token":"secret","expires_on":"1.1.2030"}'), "expected access_token and expires_on"),
        (answer(200, b'{"access_token":"secret","expires_on":1e300}'), "expected access_token and expires_on"),
        (answer(200, b'{"access_token":"secret"}'), "expected access_token and expires_on"),
        (answer(200, b'{"access_token":["secret"],"expires_on":"2"}'), "expected access_token and expires_on"),
        (answer(200, b" " * 300_000), "more than 262144 bytes"),
        (reset, ""),
    ],
)
async def test_what_the_identity_endpoint_gets_wrong(
    fault: Fault, why: str, issuer: Issuer, by_identity: TokenSource
) -> None:
    """The same holds of App Service's identity endpoint, and no redirect takes its secret elsewhere."""
    issuer.faults = [fault]
    with pytest.raises(TokenFetchError) as failed:
        await by_identity(SCOPE)
    assert str(failed.value).startswith(f"managed-identity: {why}")
    assert "secret" not in str(failed.value)
    assert failed.value.retry_after_s == (3 if "429" in why else None)
    assert issuer.faults == []
    assert len(issuer.paths) == 1


async def test_identity_tells_the_expiry_as_a_number(issuer: Issuer, by_identity: TokenSource) -> None:
    """Some versions of the protocol do; a token of an hour is refreshed shortly before its end."""
    issuer.faults = [answer(200, b'{"access_token":"t","expires_on":4000000000}')]
    assert (await by_identity(SCOPE)).expires_on_s == 4e9
    issuer.life_s = 3600
    assert (await by_identity(SCOPE)).refresh_on_s is None


@pytest.mark.parametrize("fault", [hang, trickle])
async def test_a_fetch_ends_when_it_is_given_up(fault: Fault, issuer: Issuer, by_secret: TokenSource) -> None:
    """An issuer that never finishes keeps no thread, and the next fetch is as good as the first one."""
    assert (await by_secret(SCOPE)).token
    issuer.faults = [fault] * 3
    for number in range(1, 4):
        abandoned = asyncio.ensure_future(by_secret(SCOPE))
        async with asyncio.timeout(20):
            while len(issuer.paths) <= number:  # noqa: ASYNC110 (the issuer has no event for a request)
                await asyncio.sleep(0.001)
        abandoned.cancel()
        with pytest.raises(asyncio.CancelledError):
            await abandoned
    assert (await by_secret(SCOPE)).token
    async with asyncio.timeout(20):
        while any(thread.name.startswith("claims") for thread in threading.enumerate()):  # noqa: ASYNC110 (the same)
            await asyncio.sleep(0.001)


async def test_nobody_listens() -> None:
    """A refused connection is a failed fetch."""
    environ = {
        "AZURE_AUTHORITY_HOST": "https://127.0.0.1:9",
        "AZURE_TENANT_ID": TENANT_ID,
        "AZURE_CLIENT_ID": CLIENT_ID,
    }
    with pytest.raises(TokenFetchError, match="client-secret: ServiceRequestError"):
        await token_source("client-secret", {**environ, "AZURE_CLIENT_SECRET": "x"})(SCOPE)


async def test_unknown_authority_certificate(issuer: Issuer) -> None:
    """A certificate that nobody vouches for gets no secret."""
    environ = {**issuer.environ, "AZURE_CLIENT_SECRET": CLIENT_SECRET}
    with pytest.raises(TokenFetchError, match="client-secret: ServiceRequestError"):
        await token_source("client-secret", environ)(SCOPE)
    assert issuer.paths == []


async def test_loud_logger_stays_loud(by_secret: TokenSource) -> None:
    """Who sets azure-identity's log level means it; otherwise only its errors are logged."""
    logger = logging.getLogger("azure.identity")
    await by_secret(SCOPE)
    assert logger.level == logging.ERROR
    logger.setLevel(logging.INFO)
    await by_secret(SCOPE)
    assert logger.level == logging.INFO
    logger.setLevel(logging.NOTSET)


async def test_wiring(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One call gives the cache that the settings ask for; no kind means ``default``."""
    set_identity(issuer, monkeypatch)
    monkeypatch.setenv("WEBSITE_SITE_NAME", "app")
    async with create_token_cache(SCOPE, os.environ) as tokens:
        assert (await tokens.token()).token == (await tokens.token()).token
    assert issuer.paths == ["/msi/token"]


async def test_expiry_beyond_any_calendar(issuer: Issuer, by_secret: TokenSource) -> None:
    """A lifetime that azure-identity passes on and no clock reaches fails the fetch, with the reason."""
    issuer.faults = [answer(200, b'{"access_token":"t","expires_in":1' + b"0" * 400 + b"}")]
    async with DownstreamTokenCache(SCOPE, by_secret, clock=time.time, sleep=asyncio.sleep, rng=lambda: 0.0) as tokens:
        with pytest.raises(TokenUnavailable, match="expected the token's expiry to be a time"):
            await tokens.token()


def test_a_source_needs_its_settings() -> None:
    """An unknown kind, or one without its settings, stops the start."""
    with pytest.raises(SettingsError, match="AZURE_CLIENT_SECRET is required by Claims__Credential=client-secret"):
        token_source("client-secret", {"AZURE_TENANT_ID": TENANT_ID, "AZURE_CLIENT_ID": CLIENT_ID})
    with pytest.raises(SettingsError, match="must be one of"):
        create_token_cache(SCOPE, {"Claims__Credential": "password"})


_HEARTBEAT = """
import asyncio, os, sys, time
from claims.downstream.credentials import create_token_cache

heavy = {"azure.identity", "azure.core", "msal", "requests", "aiohttp"}

async def main():
    gaps_s = []

    async def beat():
        while True:
            before_s = time.process_time()
            await asyncio.sleep(0.001)
            gaps_s.append(time.process_time() - before_s)

    beating = asyncio.create_task(beat())
    async with create_token_cache(sys.argv[1], os.environ) as tokens:
        assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
        await tokens.token()
    assert heavy <= sys.modules.keys()
    print(max(gaps_s))

asyncio.run(main())
"""


async def test_the_first_token_leaves_the_loop_alone(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing heavy is imported before a token is wanted, and then the loop never stands still for 50 ms of work."""
    set_identity(issuer, monkeypatch)
    # In the processor's time, for a busy machine makes gaps, too. A gap that our code causes is in every round.
    for _ in range(8):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _HEARTBEAT,
            SCOPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "WEBSITE_SITE_NAME": "app"},  # azure-identity's chain
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        if float(output) < 0.05:
            return
    pytest.fail("the loop was held up for 50 ms in each of eight rounds")


def _certificate(key: rsa.RSAPrivateKey, password: bytes | None = None) -> bytes:
    """Make a self-signed certificate, with its key, as one PEM file."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return pem + certificate.public_bytes(serialization.Encoding.PEM)


def _fake_az(directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an ``az`` on the path that does what the Azure CLI is documented to do."""
    az = directory / "az"
    az.write_text(f"#!/bin/sh\n{script}\n")
    az.chmod(az.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(directory), prepend=os.pathsep)


def test_an_identity_without_an_endpoint_is_azure_identitys() -> None:
    """Where App Service names none, as on a virtual machine, the library looks for one itself."""
    source = token_source("managed-identity", {"AZURE_CLIENT_ID": "x"})
    assert isinstance(source, _AzureIdentity)
    assert source._arguments({}) == ("ManagedIdentityCredential", {"client_id": "x"})
