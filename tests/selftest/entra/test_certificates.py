"""The local certificate authority: what it vouches for, and that it stays the same."""

import asyncio
import ssl
import stat
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from selftest.base.serve import listen_tls, start_runner
from selftest.entra import certificates
from selftest.entra.certificates import LocalAuthority, how_to_trust
from selftest.entra.server import EntraServer
from selftest.entra.state_folder import state_folder


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_client_that_trusts_the_file_reads_the_metadata(host: str) -> None:
    """By address and by name; the issuer is that of the https authority."""
    authority = LocalAuthority.open()
    trusting = ssl.create_default_context(cafile=str(authority.path))
    async with EntraServer(tls=authority.server_context()) as entra, aiohttp.ClientSession() as session:
        assert entra.authority_url.startswith("https://127.0.0.1:")
        url = f"{entra.authority_url}/v2.0/.well-known/openid-configuration".replace("127.0.0.1", host)
        async with session.get(url, ssl=trusting) as response:
            assert (await response.json())["issuer"] == f"{entra.authority_url}/v2.0"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url)


def test_the_authority_stays_the_same() -> None:
    """An endpoint that trusts the file needs no other one for the next run; its key is private."""
    first, second = LocalAuthority.open(), LocalAuthority.open()
    assert first.path.read_bytes() == second.path.read_bytes()
    assert stat.S_IMODE((state_folder() / "ca-key.pem").stat().st_mode) == 0o600
    assert "PRIVATE" not in first.path.read_text()


@pytest.mark.parametrize("name", ["ca.pem", "ca-key.pem"])
def test_a_damaged_file_is_replaced(name: str) -> None:
    """The two files fit again."""
    LocalAuthority.open()
    (state_folder() / name).write_text("damaged")
    repaired = LocalAuthority.open()
    repaired.server_context()
    assert LocalAuthority.open().path.read_bytes() == repaired.path.read_bytes()


def test_another_certificate_is_of_the_same_key() -> None:
    """Two runs that both find no certificate make one each, and both fit the key in the file."""
    LocalAuthority.open()
    key, certificate = (state_folder() / name for name in ("ca-key.pem", "ca.pem"))
    before = key.read_bytes()
    certificate.unlink()
    LocalAuthority.open()
    assert certificate.is_file()
    assert key.read_bytes() == before


def test_it_vouches_for_this_machine_alone() -> None:
    """With its key, no other host can be imitated to those who trust it."""
    certificate = x509.load_pem_x509_certificate(LocalAuthority.open().path.read_bytes())
    constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    permitted = constraints.value.permitted_subtrees or []
    assert [str(each.value) for each in permitted] == ["localhost", "127.0.0.0/8", "::1/128"]


async def test_another_name_is_refused_even_with_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The constraint is one that clients enforce."""
    authority = LocalAuthority.open()
    monkeypatch.setattr(certificates, "_LOOPBACK", ("127.0.0.1", "192.0.2.1"))
    runner = await start_runner(web.Application())
    server = await listen_tls(runner, 0, authority.server_context())
    trusting = ssl.create_default_context(cafile=str(authority.path))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        await asyncio.open_connection(*server.sockets[0].getsockname()[:2], ssl=trusting)
    server.close()
    await runner.cleanup()


def test_words_name_the_file_for_each_runtime() -> None:
    """Every runtime has a way that holds for one run."""
    text = "\n".join(how_to_trust(Path("/x/ca.pem")))
    for words in (
        "SSL_CERT_FILE=/x/ca.pem",
        "NODE_EXTRA_CA_CERTS=/x/ca.pem",
        "keytool",
        "REQUESTS_CA_BUNDLE=/x/ca.pem",
    ):
        assert words in text


def test_the_key_is_no_weak_one() -> None:
    """P-256, which every runtime has."""
    public = x509.load_pem_x509_certificate(LocalAuthority.open().path.read_bytes()).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
