"""An authority: whose metadata is read, and what that metadata may say.

A metadata document decides which keys and issuer are trusted, so it may not name another tenant's issuer or send the
endpoint to another host for the keys.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

type TokenVersion = Literal["1.0", "2.0"]

#: Where each version's document stands below the authority's URL.
#: Source: entra-docs ``access-tokens.md`` ("Validate tokens"); the document is chosen by the token's ``ver``.
_METADATA_PATH: Final[dict[TokenVersion, str]] = {
    "1.0": "/.well-known/openid-configuration",
    "2.0": "/v2.0/.well-known/openid-configuration",
}
_MULTI_TENANT: Final = frozenset({"common", "organizations", "consumers"})
_CIAM: Final = ".ciamlogin.com"


@dataclass(frozen=True, slots=True)
class Authority:
    """A tenant-specific authority.

    Attributes:
        url: ``https://host/tenant``, without a slash at the end.
        tenant_id: the tenant's GUID in lower case; the last part of ``url`` unless that is a domain name.
    """

    url: str
    tenant_id: str

    def metadata_url(self, version: TokenVersion) -> str:
        """Say where the metadata document for tokens of this version is."""
        return self.url + _METADATA_PATH[version]

    def issuers(self, version: TokenVersion) -> frozenset[str]:
        """Name the issuers that this authority's document may publish; the one it does publish is then exact.

        External ID publishes the tenant id as host whatever the authority's host is, in captured tokens of both
        versions. Source: entra-docs ``access-token-claims-reference.md`` (``iss``), ``custom-extension-overview.md``.
        """
        parts = urlsplit(self.url)
        own = f"{parts.scheme}://{parts.netloc}/{self.tenant_id}"
        ciam = f"https://{self.tenant_id}{_CIAM}/{self.tenant_id}"
        if version == "2.0":
            return frozenset({f"{own}/v2.0", f"{ciam}/v2.0"})
        return frozenset({f"{own}/", f"{ciam}/", f"https://sts.windows.net/{self.tenant_id}/"})

    def serves_keys(self, jwks_uri: str) -> bool:
        """Say whether the keys may be read there: the authority's own scheme and host, or its External ID twin."""
        if not _is_plain_url(jwks_uri):
            return False
        own, keys = urlsplit(self.url), urlsplit(jwks_uri)
        if (keys.scheme, keys.netloc) == (own.scheme, own.netloc):
            return True
        twin = f"{self.tenant_id}{_CIAM}"
        return own.netloc.endswith(_CIAM) and (keys.scheme, keys.netloc) == ("https", twin)


def authority_problem(url: str, *, in_azure: bool) -> str | None:
    """Say what is wrong with an authority's URL, or None.

    Plain http is for a developer's machine: the host must be loopback, and the app must not run in Azure.
    """
    if not _is_plain_url(url):
        return "must be a URL in plain ASCII"
    parts = urlsplit(url)
    host = parts.hostname or ""
    segments = [segment for segment in parts.path.split("/") if segment]
    if parts.scheme not in {"https", "http"} or not host:
        return "must be https://<host>/<tenantId>"
    if parts.scheme == "http" and (in_azure or not is_loopback(host)):
        return "must be https (http is for a loopback host, outside Azure)"
    if parts.query or parts.fragment or "@" in parts.netloc:
        return "must not carry a query, a fragment or a user name"
    if len(segments) != 1:
        return "must end in exactly one path segment, the tenant's id"
    if segments[0].lower() in _MULTI_TENANT:
        return f"must name one tenant, not '{segments[0]}'"
    return None


def _is_plain_url(url: str) -> bool:
    """Say whether a URL has only visible ASCII and parses, its port included."""
    try:
        return url.isascii() and url.isprintable() and " " not in url and urlsplit(url).port != 0
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Say whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
