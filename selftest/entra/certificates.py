"""The certificate authority of the emulated Entra, kept beside its keys, and the certificate of a server.

An endpoint that insists on an https authority trusts this one for a run. The authority can vouch for this machine's
loopback names alone, which every verifier enforces (RFC 5280 4.2.1.10), so that its private key is worth nothing more.
"""

import contextlib
import datetime as dt
import ipaddress
import ssl
import tempfile
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from selftest.base.bounded_file import FileError, read_text
from selftest.entra.private_key import ec_key, pem
from selftest.entra.state_folder import state_folder, write_private

CA_FILE: Final = "ca.pem"
_CA_KEY_FILE: Final = "ca-key.pem"
_MAX_BYTES: Final = 64 * 1024
_CA_DAYS: Final = 3650
#: Some verifiers refuse server certificates that are valid for longer than 398 days.
_SERVER_DAYS: Final = 90
_EARLY: Final = dt.timedelta(days=1)
_AUTHORITY: Final = "emulated Entra, this computer only"
_LOOPBACK: Final = ("127.0.0.1", "::1")


class LocalAuthority:
    """A certificate authority for the loopback names.

    Attributes:
        path: The file with its certificate, for clients.
    """

    def __init__(self, path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.path = path
        self._certificate = certificate
        self._key = key

    @classmethod
    def open(cls) -> "LocalAuthority":
        """Return this user's authority, which is made if there is none, if it is damaged, or if it ends soon.

        Raises:
            OSError: The folder cannot be written.
        """
        path, key_path = state_folder() / CA_FILE, state_folder() / _CA_KEY_FILE
        try:
            # The key's file is made once and never changed, so that two runs at once agree on it.
            write_private(key_path, pem(ec.generate_private_key(ec.SECP256R1())), keep_existing=True)
            key = ec_key(read_text(key_path, _MAX_BYTES))
        except (FileError, ValueError, TypeError):
            key = ec.generate_private_key(ec.SECP256R1())
            write_private(key_path, pem(key))
        with contextlib.suppress(FileError, ValueError):
            certificate = x509.load_pem_x509_certificate(read_text(path, _MAX_BYTES).encode())
            ends_soon = certificate.not_valid_after_utc < _now() + dt.timedelta(days=_SERVER_DAYS)
            if certificate.public_key() == key.public_key() and not ends_soon:
                return cls(path, certificate, key)
        certificate = _authority(key)
        write_private(path, certificate.public_bytes(Encoding.PEM).decode("ascii"))
        return cls(path, certificate, key)

    def server_context(self) -> ssl.SSLContext:
        """Return the TLS context of a server on this machine, with a certificate of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(each)) for each in _LOOPBACK)]
        certificate = (
            _builder("emulated Entra", key, days=_SERVER_DAYS)
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # The ssl module reads a certificate from a file only.
        with tempfile.TemporaryDirectory() as folder:
            chain = Path(folder) / "server.pem"
            write_private(chain, pem(key) + certificate.public_bytes(Encoding.PEM).decode("ascii"))
            context.load_cert_chain(chain)
        return context


def how_to_trust(path: Path) -> tuple[str, ...]:
    """Return how each runtime trusts an authority's file for one run, one line each."""
    store = path.with_suffix(".p12")
    return (
        f".NET (Linux), Go, Python:  SSL_CERT_FILE={path}   (in place of the system's list)",
        f"Python (requests, MSAL):   REQUESTS_CA_BUNDLE={path}",
        f"Node.js:                   NODE_EXTRA_CA_CERTS={path}",
        f"Java: keytool -importcert -noprompt -alias entra -file {path} -keystore {store} -storepass changeit",
        f"      JAVA_TOOL_OPTIONS='-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=changeit'",
        f"curl:                      --cacert {path}",
        ".NET and Go on Windows or macOS, browsers: import the file as a trusted authority, and remove it afterwards",
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_network("127.0.0.0/8"))]
    names.append(x509.IPAddress(ipaddress.ip_network("::1/128")))
    usage = x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _builder(_AUTHORITY, key, days=_CA_DAYS)
        .issuer_name(_name(_AUTHORITY))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=names, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(name: str, key: ec.EllipticCurvePrivateKey, *, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - _EARLY)
        .not_valid_after(_now() + dt.timedelta(days=days))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
