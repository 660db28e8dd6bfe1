"""The https of sign-ins: client libraries accept an authority only with it."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from selftest.play.authority import local_authority


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The server's TLS context and the certificate that its clients must trust.

    Attributes:
        server: The server's context.
        ca_pem: The authority's certificate.
    """

    server: ssl.SSLContext
    ca_pem: bytes

    def write_ca(self, path: Path) -> None:
        """Write the authority's certificate to a file for clients.

        Raises:
            OSError: The file cannot be written.
        """
        path.write_bytes(self.ca_pem)


def make_tls() -> Tls:
    """Return a context with a new certificate of this user's authority.

    Raises:
        CannotRun: The folder of the authority cannot be written.
    """
    authority = local_authority()
    return Tls(server=authority.server_context(), ca_pem=authority.path.read_bytes())
