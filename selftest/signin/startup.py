"""The start of the emulated Entra with a tenant file: the server, its certificate, and what its users need to know."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from selftest.base.cannot_run import CannotRun
from selftest.entra.certificates import how_to_trust
from selftest.entra.key_store import KeyStore
from selftest.play.authority import local_authority
from selftest.signin.saml.packages import saml_fault
from selftest.signin.server import SignInServer
from selftest.signin.tenant.file import read_tenant_file


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedTenant:
    """A server with the tenant of a file.

    Attributes:
        server: The server, not yet entered.
        ca_file: The file with the certificate authority; None without https.
        how_to_trust: How to configure clients for the authority, one line each.
    """

    server: SignInServer
    ca_file: Path | None
    how_to_trust: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Return the lines to print once the server listens."""
        yield f"authority for client libraries: {self.server.sign_in_authority_url}"
        if self.ca_file is not None:
            yield f"clients must trust {self.ca_file} while this runs:"
            yield from (f"  {line}" for line in self.how_to_trust)
        apps = self.server.directory.apps
        if any(app.protocol == "saml" for app in apps) and (fault := saml_fault()) is not None:
            yield f"warning: {fault}"
        for app in apps:
            yield f"app {app.key}: {app.client_id} {app.principal.display_name}"
        yield f"sign-in log in Graph's format: curl {self.server.base_url}/signins"


def serve_tenant(
    tenant_file: Path, *, port: int, target_url: str | None, https_port: int | None, ca_file: Path, store: KeyStore
) -> ServedTenant:
    """Return the server of a tenant file, and write its certificate authority.

    Args:
        tenant_file: The tenant file.
        port: The http port; 0 takes a free port.
        target_url: The endpoint, instead of every ``target_url`` of the file.
        https_port: The https port; 0 takes a free port, None serves http only.
        ca_file: The file for the certificate authority.
        store: The private keys of the tenant.

    Raises:
        CannotRun: The tenant file or ``ca_file`` cannot be used.
    """
    directory = read_tenant_file(tenant_file)
    if target_url is not None:
        directory = directory.with_target_url(target_url)
    if https_port is None:
        return ServedTenant(server=SignInServer(directory, port=port, store=store), ca_file=None, how_to_trust=())
    authority = local_authority()
    try:
        ca_file.write_bytes(authority.path.read_bytes())
    except OSError as error:
        raise CannotRun(f"--ca-file {ca_file} cannot be written: {error.strerror}") from error
    server = SignInServer(directory, port=port, tls=authority.server_context(), https_port=https_port, store=store)
    return ServedTenant(server=server, ca_file=ca_file, how_to_trust=how_to_trust(ca_file))
