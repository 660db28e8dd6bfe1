"""What an endpoint needs to trust one emulated tenant: names and values, whatever its language."""

from selftest.entra.metadata import metadata_document
from selftest.entra.token_mint import EntraVersion, TokenMint


def trusted_values(mint: TokenMint, extension_id: str) -> dict[str, str]:
    """Return the issuers, documents, audiences and ids of a tenant, by the names that the snippets use.

    Args:
        mint: Signs the tenant's tokens; its authority is the one that the endpoint reads from.
        extension_id: The extension that the events carry.
    """
    tenant = mint.tenant
    return {
        "AUTHORITY": mint.authority_url,
        "TENANT_ID": tenant.tenant_id,
        "AUDIENCE": tenant.audience_app_id,
        "APP_ID_URI": tenant.application_id_uri,
        "CALLER": tenant.caller_app_id,
        "EXTENSION_ID": extension_id,
        **_documents(mint, "2.0"),
        **_documents(mint, "1.0"),
    }


def trusted_lines(mint: TokenMint, extension_id: str) -> list[str]:
    """Return the same for a reader, with what each is, and how long a token is valid."""
    values = trusted_values(mint, extension_id)
    times = mint.lifetime()
    minutes = (int(str(times["exp"])) - int(str(times["iat"]))) // 60
    return [
        f"authority              {values['AUTHORITY']}",
        f"issuer (iss)           version 2.0: {values['ISSUER_V2']}",
        f"                       version 1.0: {values['ISSUER_V1']}",
        f"metadata               version 2.0: {values['METADATA_V2']}",
        f"                       version 1.0: {values['METADATA_V1']}",
        f"keys                   version 2.0: {values['KEYS_V2']}",
        f"                       version 1.0: {values['KEYS_V1']}",
        f"audience (aud)         {values['AUDIENCE']} or {values['APP_ID_URI']}",
        f"tenant (tid)           {values['TENANT_ID']}",
        f"caller                 {values['CALLER']} (azp in version 2.0, appid in version 1.0)",
        f"extension              {values['EXTENSION_ID']} (in the event)",
        f"token lifetime         {minutes} minutes from iat and nbf to exp",
    ]


def _documents(mint: TokenMint, version: EntraVersion) -> dict[str, str]:
    suffix = f"V{version[0]}"
    path = "v2.0/" if version == "2.0" else ""
    return {
        f"ISSUER_{suffix}": mint.issuer(version),
        f"METADATA_{suffix}": f"{mint.authority_url}/{path}.well-known/openid-configuration",
        f"KEYS_{suffix}": str(metadata_document(mint, version)["jwks_uri"]),
    }
