"""The settings of the credential that gets downstream tokens, and what each kind needs.

``Claims__Credential`` names the kind. The other names are azure-identity's own, so that settings made for it elsewhere
are valid here too.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

type CredentialKind = Literal[
    "default", "managed-identity", "client-secret", "client-certificate", "workload-identity", "azure-cli"
]

CREDENTIAL: Final = "Claims__Credential"
KINDS: Final[tuple[str, ...]] = get_args(CredentialKind.__value__)
DEFAULT_KIND: Final = "default"

TENANT_ID: Final = "AZURE_TENANT_ID"
CLIENT_ID: Final = "AZURE_CLIENT_ID"
CLIENT_SECRET: Final = "AZURE_CLIENT_SECRET"  # noqa: S105 (the name of a setting)
CERTIFICATE_PATH: Final = "AZURE_CLIENT_CERTIFICATE_PATH"
CERTIFICATE_PASSWORD: Final = "AZURE_CLIENT_CERTIFICATE_PASSWORD"  # noqa: S105 (the same)
FEDERATED_TOKEN_FILE: Final = "AZURE_FEDERATED_TOKEN_FILE"  # noqa: S105 (the same)
AUTHORITY_HOST: Final = "AZURE_AUTHORITY_HOST"
IDENTITY_ENDPOINT: Final = "IDENTITY_ENDPOINT"
IDENTITY_HEADER: Final = "IDENTITY_HEADER"

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "client-secret": (TENANT_ID, CLIENT_ID, CLIENT_SECRET),
    "client-certificate": (TENANT_ID, CLIENT_ID, CERTIFICATE_PATH),
    "workload-identity": (TENANT_ID, CLIENT_ID, FEDERATED_TOKEN_FILE),
}


def runs_in_azure(environ: Mapping[str, str]) -> bool:
    """Whether this process runs in App Service or Functions."""
    return bool(environ.get("WEBSITE_INSTANCE_ID") or environ.get("WEBSITE_SITE_NAME"))


def credential_problems(kind: str, environ: Mapping[str, str]) -> list[str]:
    """Return what keeps this kind of credential from ever getting a token, one sentence a problem.

    ``azure-cli`` is a person's sign-in on a person's machine, so it is refused in Azure, where nobody has signed in.
    ``default`` is not: there it is the deployed half of the chain (environment, workload identity, managed identity),
    which is what an app without further settings should use.
    """
    if kind not in KINDS:
        return [f"{CREDENTIAL} must be one of {', '.join(KINDS)}, got '{kind}'"]
    needed = _NEEDED.get(kind, ())
    in_azure = runs_in_azure(environ)
    problems = [f"{name} is required by {CREDENTIAL}={kind} and is not set" for name in needed if not environ.get(name)]
    authority = environ.get(AUTHORITY_HOST, "")
    if needed and "://" in authority and not authority.lower().startswith("https://"):
        problems.append(f"{AUTHORITY_HOST} must be https, got '{authority}'")
    if kind == "azure-cli" and in_azure:
        problems.append(f"{CREDENTIAL}=azure-cli is for a developer's machine and is refused in Azure")
    has_identity = environ.get(IDENTITY_ENDPOINT) and environ.get(IDENTITY_HEADER)
    if kind == "managed-identity" and in_azure and not has_identity:
        problems.append(f"{CREDENTIAL}={kind} needs an identity, and the app has none ({IDENTITY_ENDPOINT} is not set)")
    return problems
