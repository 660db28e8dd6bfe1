"""A certificate authority that is made on the spot, and a certificate for this machine's loopback names.

Client libraries take an authority by https alone. The authority's key never leaves memory: what is written is its
certificate, so that who trusts the file trusts this one process and nothing that comes after it.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: What the certificate is for.
NAMES: Final = ("localhost", "127.0.0.1", "::1")

_ORGANIZATION: Final = "emulated Entra, this computer only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """What a server needs to speak https, and what its clients need to believe it.

    Attributes:
        server: The server's context.
        ca_pem: The authority's certificate.
    """

    server: ssl.SSLContext
    ca_pem: bytes

    def write_ca(self, path: Path) -> None:
        """Write the authority's certificate where clients can read it.

        Raises:
            OSError: It cannot be written.
        """
        path.write_bytes(self.ca_pem)


def make_tls() -> Tls:
    """Make an authority and a certificate. Takes some milliseconds."""
    import trustme  # noqa: PLC0415 - of an extra, for https alone

    authority = trustme.CA(organization_name=_ORGANIZATION)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*NAMES, organization_name=_ORGANIZATION).configure_cert(context)
    return Tls(server=context, ca_pem=authority.cert_pem.bytes())


def how_to_trust(path: Path) -> tuple[str, ...]:
    """Say how clients are told of the authority, one line a kind of client."""
    return (
        f"Python (requests, MSAL): REQUESTS_CA_BUNDLE={path}",
        f"Python (ssl, httpx):     SSL_CERT_FILE={path}",
        f"Node.js:                 NODE_EXTRA_CA_CERTS={path}",
        f"curl:                    --cacert {path}",
        "Browsers, .NET, Java:    import the file as a trusted authority, and remove it when you are done",
    )
