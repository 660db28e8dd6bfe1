"""The two metadata documents of the emulated tenant, with the members that client libraries read.

Every link leads to an endpoint that the emulator serves. The exception is the authorization endpoint, which a metadata
document must name and which answers 404 in a tenant without users.

Source: OpenID Connect Discovery 1.0 section 3; the published documents of Entra for further members.
"""

from typing import Any

from selftest.entra.token_mint import EntraVersion, TokenMint


def metadata_document(mint: TokenMint, version: EntraVersion) -> dict[str, Any]:
    """Return the metadata document of one version; its issuer is that of the tokens of this version."""
    authority_url = mint.authority_url
    oauth2 = oauth2_url(authority_url, version)
    return {
        "token_endpoint": f"{oauth2}/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "jwks_uri": f"{authority_url}/discovery/{'' if version == '1.0' else 'v2.0/'}keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": ["openid"],
        "issuer": mint.issuer(version),
        "request_uri_parameter_supported": False,
        "authorization_endpoint": f"{oauth2}/authorize",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "ver"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "localhost",
    }


def oauth2_url(authority_url: str, version: EntraVersion) -> str:
    """Return the URL below which the OAuth 2.0 endpoints of one version are."""
    return f"{authority_url}/oauth2" if version == "1.0" else f"{authority_url}/oauth2/v2.0"
