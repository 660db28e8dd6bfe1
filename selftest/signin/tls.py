"""A certificate authority for one run, and a certificate for this machine's loopback names.

Client libraries accept an authority only with https. The authority's private key never leaves memory: only its
certificate is written, so that trusting the file means trusting this one process and nothing that runs later.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_ORGANIZATION: Final = "emulated Entra, this computer only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The server's TLS context and the certificate that its clients must trust."""

    server: ssl.SSLContext
    ca_pem: bytes

    def write_ca(self, path: Path) -> None:
        """Write the authority's certificate to a file for clients.

        Raises:
            OSError: The file cannot be written.
        """
        path.write_bytes(self.ca_pem)


def make_tls() -> Tls:
    """Generate an authority and a certificate. Takes some milliseconds."""
    import trustme  # noqa: PLC0415 - of an extra, for https alone

    authority = trustme.CA(organization_name=_ORGANIZATION)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*_NAMES, organization_name=_ORGANIZATION).configure_cert(context)
    return Tls(server=context, ca_pem=authority.cert_pem.bytes())


def how_to_trust(path: Path) -> tuple[str, ...]:
    """Return how to configure each kind of client for the authority, one line each."""
    return (
        f"Python (requests, MSAL): REQUESTS_CA_BUNDLE={path}",
        f"Python (ssl, httpx):     SSL_CERT_FILE={path}",
        f"Node.js:                 NODE_EXTRA_CA_CERTS={path}",
        f"curl:                    --cacert {path}",
        "Browsers, .NET, Java:    import the file as a trusted authority, and remove it when you are done",
    )
