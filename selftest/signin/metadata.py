"""What a tenant with users has in its metadata documents besides.

Source: OpenID Connect Discovery 1.0 section 3; the published documents of Entra for the members beyond it.
"""

from typing import Any

from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.signin.authorization_request import RESPONSE_TYPES
from selftest.signin.scopes import OPENID_SCOPES


def sign_in_members(mint: TokenMint, version: EntraVersion) -> dict[str, Any]:
    """Give the members that a tenant with users has besides, or has otherwise."""
    authority_url = mint.authority_url
    oauth2 = f"{authority_url}/oauth2" if version == "1.0" else f"{authority_url}/oauth2/v2.0"
    return {
        "end_session_endpoint": f"{oauth2}/logout",
        "userinfo_endpoint": f"{authority_url}/openid/userinfo",
        "response_types_supported": list(RESPONSE_TYPES),
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "scopes_supported": list(OPENID_SCOPES),
        "code_challenge_methods_supported": ["S256"],
        "http_logout_supported": True,
        "frontchannel_logout_supported": False,
    }
