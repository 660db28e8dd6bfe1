"""An authority: the URL below which its metadata is read, and what that metadata may say.

A metadata document decides which keys and issuer are trusted, so it may not name another tenant's issuer or send the
endpoint to another host for the keys.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from claims.errors import show_id
from claims.wire import strict_json
from claims.wire.urls import Url, parse_service_url

type TokenVersion = Literal["1.0", "2.0"]

#: The path of each version's document below the authority's URL.
#: Source: entra-docs ``access-tokens.md`` ("Validate tokens"); the document is chosen by the token's ``ver``.
_METADATA_PATH: Final[dict[TokenVersion, str]] = {
    "1.0": "/.well-known/openid-configuration",
    "2.0": "/v2.0/.well-known/openid-configuration",
}
_TENANT: Final = re.compile(r"/([A-Za-z0-9][A-Za-z0-9.-]*)/*")
_MULTI_TENANT: Final = frozenset({"common", "organizations", "consumers"})
_CIAM: Final = ".ciamlogin.com"


class MetadataError(ValueError):
    """The document is not one that the authority may publish; the message has the expected and the actual value."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A tenant-specific authority.

    Attributes:
        url: ``https://host/tenant`` as `parse_authority` returns it.
        tenant_id: The tenant's GUID in lower case; the last part of ``url`` unless that is a domain name.
    """

    url: str
    tenant_id: str

    def metadata_url(self, version: TokenVersion) -> str:
        """Return the URL of the metadata document for tokens of this version."""
        return self.url + _METADATA_PATH[version]

    def issuers(self, version: TokenVersion) -> frozenset[str]:
        """Return the issuers that this authority's document may publish; the one it publishes is then exact.

        External ID publishes the tenant id as host, whatever the authority's host is, in captured tokens of both
        versions. Source: entra-docs ``access-token-claims-reference.md`` (``iss``), ``custom-extension-overview.md``.
        """
        own = f"{Url.parse(self.url).origin}/{self.tenant_id}"
        ciam = f"https://{self.tenant_id}{_CIAM}/{self.tenant_id}"
        if version == "2.0":
            return frozenset({f"{own}/v2.0", f"{ciam}/v2.0"})
        return frozenset({f"{own}/", f"{ciam}/", f"https://sts.windows.net/{self.tenant_id}/"})

    def serves_keys(self, jwks_uri: str) -> bool:
        """Whether keys may be read from this URL: one of the authority's own origin, or of its External ID twin."""
        try:
            own, keys = Url.parse(self.url), Url.parse(jwks_uri)
        except ValueError:
            return False
        twin = f"https://{self.tenant_id}{_CIAM}"
        return keys.origin == own.origin or (own.host.endswith(_CIAM) and keys.origin == twin)


def parse_authority(text: str, *, in_azure: bool) -> str:
    """Return an authority's URL with scheme and host in lower case, without a default port or a slash at the end.

    Raises:
        ValueError: The text is not the URL of one tenant's authority; see `claims.wire.urls.parse_service_url`.
    """
    url = parse_service_url(text, in_azure=in_azure)
    tenant = _TENANT.fullmatch(url.rest)
    if tenant is None:
        raise ValueError("must be https://<host>/<tenantId>: exactly one path segment, the tenant's id")
    if tenant[1].lower() in _MULTI_TENANT:
        raise ValueError(f"must name one tenant, not '{tenant[1]}'")
    return f"{url.origin}/{tenant[1]}"


def parse_metadata(body: bytes, authority: Authority, version: TokenVersion) -> tuple[str, str]:
    """Return the issuer and the key set's URL of a metadata document, checked against the authority it came from.

    Raises:
        MetadataError: It is not JSON, its issuer is not the tenant's, or its keys are on another host.

    Source: OpenID Connect Discovery 1.0 sections 3 and 4.3; RFC 8414 section 3.3.
    """
    try:
        document = strict_json.parse_object(body)
    except strict_json.StrictJsonError as error:
        raise MetadataError(f"the metadata document is not usable: {error}") from error
    issuer, jwks_uri = document.get("issuer"), document.get("jwks_uri")
    if not isinstance(issuer, str) or issuer not in authority.issuers(version):
        raise MetadataError(f"expected an issuer of the tenant, got {show_id(issuer)}")
    if not isinstance(jwks_uri, str) or not authority.serves_keys(jwks_uri):
        raise MetadataError(f"expected keys on the authority's host, got {show_id(jwks_uri)}")
    return issuer, jwks_uri
