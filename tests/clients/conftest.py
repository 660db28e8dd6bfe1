"""The emulated Entra with the sample tenant, an extension to call, and a browser without a window."""

import ssl
from collections.abc import AsyncIterator, Iterator

import pytest

from selftest.entra.certificates import LocalAuthority
from selftest.play.authority import local_authority
from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import Directory
from selftest.signin.tenant.file import read_tenant_file
from tests.checkout import ROOT
from tests.clients.browser import Browser
from tests.clients.extension import Extension, running_extension


@pytest.fixture(scope="session")
def authority() -> LocalAuthority:
    """Return a certificate authority; making one for every test would only take time."""
    return local_authority()


@pytest.fixture(scope="session")
def tls(authority: LocalAuthority) -> ssl.SSLContext:
    """Return what a server of that authority listens with."""
    return authority.server_context()


@pytest.fixture(scope="session")
def ca_file(authority: LocalAuthority) -> str:
    """Return the file that clients trust."""
    return str(authority.path)


@pytest.fixture(autouse=True)
def trust(ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell client libraries of the authority as its user would, and keep them off any proxy."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture(scope="session")
def sample() -> Directory:
    """Return the tenant of the sample file."""
    return read_tenant_file(ROOT / "selftest" / "signin" / "tenant" / "sample.toml")


@pytest.fixture
async def extension() -> AsyncIterator[Extension]:
    """Return an extension that listens."""
    async with running_extension() as extension:
        yield extension


@pytest.fixture
async def entra(sample: Directory, extension: Extension, tls: ssl.SSLContext) -> AsyncIterator[SignInServer]:
    """Return the emulated Entra with the sample tenant, by http and https."""
    async with SignInServer(sample.with_target_url(extension.url), tls=tls) as server:
        yield server


@pytest.fixture
def browser(ca_file: str) -> Iterator[Browser]:
    """Return a browser."""
    browser = Browser(ca_file)
    yield browser
    browser.close()
