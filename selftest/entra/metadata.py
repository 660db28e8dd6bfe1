"""The two metadata documents of the emulated tenant, with the members that a client library asks for.

Only what the emulator really serves is promised: a reader that follows a link arrives. The exception is the
authorization endpoint, which a metadata document must name and which answers 404 where the tenant has no users.

Source: OpenID Connect Discovery 1.0 section 3; the published documents of Entra for the members beyond it.
"""

from typing import Any

from selftest.entra.token_mint import TokenMint, TokenVersion


def metadata_document(mint: TokenMint, version: TokenVersion) -> dict[str, Any]:
    """Give the metadata document of one version; the issuer is the one that the tokens of this version carry."""
    authority_url = mint.authority_url
    oauth2 = f"{authority_url}/oauth2" if version == "1.0" else f"{authority_url}/oauth2/v2.0"
    keys = f"{authority_url}/discovery/keys" if version == "1.0" else f"{authority_url}/discovery/v2.0/keys"
    return {
        "token_endpoint": f"{oauth2}/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "jwks_uri": keys,
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
