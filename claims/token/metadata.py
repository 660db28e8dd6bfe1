"""An OpenID provider's metadata document: its issuer, and where its keys are."""

from claims.errors import show_id
from claims.settings.authority import Authority, TokenVersion
from claims.wire import strict_json


class MetadataError(ValueError):
    """The document is not one that the authority may publish; the message has the expected and the actual value."""


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
