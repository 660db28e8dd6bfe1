"""App Service Authentication in front of the app: what it lets through to the endpoint.

Source: entra-docs ``custom-extension-tokenissuancestart-configuration.md`` (step 4); azure-docs App Service
``configure-authentication-provider-aad.md``; ARM ``Microsoft.Web/sites/config`` ``authsettingsV2``.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from selftest.base.bounded_file import FileError, read_text
from selftest.tenant.doctor.evidence.members import Members, ShapeError
from selftest.tenant.doctor.evidence.settings import SettingsRead

_MAX_BYTES: Final = 256 * 1024
ENABLED: Final = "WEBSITE_AUTH_ENABLED"
ALLOWED_TENANTS: Final = "WEBSITE_AUTH_AAD_ALLOWED_TENANTS"
UNAUTHENTICATED_ACTION: Final = "WEBSITE_AUTH_UNAUTHENTICATED_ACTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class EasyAuth:
    """What is known of it, when it is on.

    Attributes:
        allowed_app_ids: the callers that its policy lets through; None where that is not known.
        allowed_tenant_ids: the tenants; empty means that none is named.
        refuses: whether an unauthenticated call is answered 401; None where that is not known.
        origin: where this is known from.
    """

    allowed_app_ids: frozenset[str] | None
    allowed_tenant_ids: frozenset[str]
    refuses: bool | None
    origin: str

    @classmethod
    def of_settings(cls, settings: SettingsRead) -> Self | None:
        """Read the app settings; None where they do not say that it is on. They do not name the allowed callers."""
        if settings.text(ENABLED).lower() != "true":
            return None
        action = settings.text(UNAUTHENTICATED_ACTION).lower()
        return cls(
            allowed_app_ids=None,
            allowed_tenant_ids=frozenset(settings.items(ALLOWED_TENANTS)),
            refuses=None if not action else action == "return401",
            origin=settings.origin,
        )

    @classmethod
    def of_file(cls, path: Path, settings: SettingsRead | None) -> Self | None:
        """Read ``authsettingsV2`` as ARM returns it, whole or its ``properties`` alone; None where it is off.

        Raises:
            FileError: It cannot be read or is not of that shape.
        """
        try:
            root = Members.of(json.loads(read_text(path, _MAX_BYTES)), "the file")
            properties = root.part("properties") if "properties" in root.values else root
            return cls._of_properties(properties, settings, str(path))
        except ShapeError as error:
            raise FileError(f"{path}: {error}") from error
        except (ValueError, RecursionError) as error:
            raise FileError(f"{path} should be JSON and is not; is it whole?") from error

    @classmethod
    def _of_properties(cls, properties: Members, settings: SettingsRead | None, origin: str) -> Self | None:
        if properties.part("platform").flag("enabled") is False:
            return None
        known = {"platform", "globalValidation", "identityProviders", "login", "httpSettings"}
        if not known & set(properties.values):
            raise ShapeError("the file holds no authsettingsV2 (none of its members)")
        provider = properties.part("identityProviders").part("azureActiveDirectory")
        policy = provider.part("validation").part("defaultAuthorizationPolicy")
        apps = policy.texts("allowedApplications")
        action = properties.part("globalValidation").text("unauthenticatedClientAction")
        tenants = settings.items(ALLOWED_TENANTS) if settings is not None else ()
        return cls(
            allowed_app_ids=frozenset(app.lower() for app in apps or ()),
            allowed_tenant_ids=frozenset(tenants),
            refuses=None if action is None else action.lower() == "return401",
            origin=origin,
        )
