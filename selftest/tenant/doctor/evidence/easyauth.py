"""App Service Authentication in front of the app: the calls that it lets through to the endpoint.

Source: entra-docs ``custom-extension-tokenissuancestart-configuration.md`` (step 4); azure-docs App Service
``configure-authentication-provider-aad.md``; ARM ``Microsoft.Web/sites/config`` ``authsettingsV2``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from selftest.base.bounded_file import FileError, parse_json, read_text
from selftest.tenant.doctor.evidence.graph_model import GraphModel, ObjectId, ShapeError, read_model
from selftest.tenant.doctor.evidence.settings import SettingsRead

_MAX_BYTES: Final = 256 * 1024
ENABLED: Final = "WEBSITE_AUTH_ENABLED"
ALLOWED_TENANTS: Final = "WEBSITE_AUTH_AAD_ALLOWED_TENANTS"
UNAUTHENTICATED_ACTION: Final = "WEBSITE_AUTH_UNAUTHENTICATED_ACTION"
#: One of these members at least makes a file authsettingsV2.
_MEMBERS: Final = frozenset({"platform", "globalValidation", "identityProviders", "login", "httpSettings"})


class _Platform(GraphModel, frozen=True):
    enabled: bool = True


class _GlobalValidation(GraphModel, frozen=True):
    unauthenticated_client_action: str = ""


class _Policy(GraphModel, frozen=True):
    allowed_applications: tuple[ObjectId, ...] = ()


class _ClaimChecks(GraphModel, frozen=True):
    allowed_client_applications: tuple[ObjectId, ...] = ()


class _Validation(GraphModel, frozen=True):
    allowed_audiences: tuple[str, ...] = ()
    default_authorization_policy: _Policy = _Policy()
    jwt_claim_checks: _ClaimChecks = _ClaimChecks()


class _Registration(GraphModel, frozen=True):
    client_id: ObjectId = ObjectId()
    open_id_issuer: str = ""


class _AzureActiveDirectory(GraphModel, frozen=True):
    registration: _Registration = _Registration()
    validation: _Validation = _Validation()


class _Providers(GraphModel, frozen=True):
    azure_active_directory: _AzureActiveDirectory = _AzureActiveDirectory()


class _AuthSettings(GraphModel, frozen=True):
    platform: _Platform = _Platform()
    global_validation: _GlobalValidation = _GlobalValidation()
    identity_providers: _Providers = _Providers()


@dataclass(frozen=True, slots=True, kw_only=True)
class EasyAuth:
    """What is known of App Service Authentication that is switched on.

    Attributes:
        allowed_app_ids: The callers that its policy lets through; None where that is not known.
        allowed_tenant_ids: The tenants; empty means that none is named.
        refuses: Whether an unauthenticated call is answered 401; None where that is not known.
        audiences: The audiences that it accepts, its client id among them; empty where that is not known.
        issuer: The URL that it reads issuer and keys from; empty where that is not known.
    """

    allowed_app_ids: frozenset[str] | None
    allowed_tenant_ids: frozenset[str]
    refuses: bool | None
    audiences: frozenset[str] = frozenset()
    issuer: str = ""

    @classmethod
    def of_settings(cls, settings: SettingsRead) -> Self | None:
        """Read the app settings, which do not name the allowed callers; None where they do not switch it on."""
        if settings.text(ENABLED).lower() != "true":
            return None
        return cls(
            allowed_app_ids=None,
            allowed_tenant_ids=frozenset(settings.items(ALLOWED_TENANTS)),
            refuses=_refuses(settings.text(UNAUTHENTICATED_ACTION)),
        )

    @classmethod
    def of_file(cls, path: Path, settings: SettingsRead | None) -> Self | None:
        """Read ``authsettingsV2`` as ARM returns it, or its ``properties`` alone; None where it is switched off.

        Raises:
            FileError: The file cannot be read or does not have that shape.
        """
        document = parse_json(read_text(path, _MAX_BYTES), path)
        properties = document.get("properties", document) if isinstance(document, dict) else document
        try:
            read = read_model(_AuthSettings, properties, "the file")
        except ShapeError as error:
            raise FileError(f"{path}: {error}") from error
        if not _MEMBERS & properties.keys():
            raise FileError(f"{path}: the file holds no authsettingsV2 (none of its members)")
        if not read.platform.enabled:
            return None
        entra = read.identity_providers.azure_active_directory
        allowed = frozenset(entra.validation.default_authorization_policy.allowed_applications)
        if checked := frozenset(entra.validation.jwt_claim_checks.allowed_client_applications):
            allowed &= checked
        audiences = (entra.registration.client_id, *entra.validation.allowed_audiences)
        return cls(
            allowed_app_ids=allowed,
            allowed_tenant_ids=frozenset(settings.items(ALLOWED_TENANTS) if settings is not None else ()),
            refuses=_refuses(read.global_validation.unauthenticated_client_action),
            audiences=frozenset(filter(None, (each.strip().lower() for each in audiences))),
            issuer=entra.registration.open_id_issuer.strip(),
        )


def _refuses(action: str) -> bool | None:
    return action.lower() == "return401" if action else None
