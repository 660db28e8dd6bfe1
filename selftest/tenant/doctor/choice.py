"""The part of the tenant that is diagnosed: this endpoint's extensions, and the applications that get its claims."""

from collections.abc import Sequence

from selftest.base.setting_names import ALLOWED_EXTENSION_IDS
from selftest.tenant.doctor.case import ReturnedClaims
from selftest.tenant.doctor.evidence.resource import ResourceId
from selftest.tenant.doctor.evidence.settings import SettingsRead
from selftest.tenant.doctor.evidence.tenant_objects import TenantObjects
from selftest.tenant.doctor.evidence.wiring_objects import ExtensionObject


def choose_extensions(
    tenant: TenantObjects,
    *,
    extension_id: str | None,
    app_id: str | None,
    settings: SettingsRead | None,
    host: str | None,
) -> tuple[ExtensionObject, ...]:
    """Return the extensions to examine.

    In this order: the one that the user named; those that listeners of the named application call; those that the
    settings or the endpoint's host point to; a single one. Without settings and host, all extensions for this event.
    """
    if extension_id is not None:
        return tuple(one for one in tenant.extensions or () if one.id == extension_id)
    ours = tuple(one for one in tenant.extensions or () if one.for_token_issuance)
    if app_id is not None:
        listeners = tenant.listeners or ()
        called = {one.extension_id for one in listeners if one.for_token_issuance and app_id in one.app_ids}
        if chosen := tuple(one for one in ours if one.id in called):
            return chosen
    if settings is None and host is None:
        return ours
    matching = tuple(one for one in ours if _matches(one, tenant, settings, host))
    return matching or (ours if len(ours) == 1 else ())


def choose_apps(tenant: TenantObjects, extensions: Sequence[ExtensionObject], app_id: str | None) -> tuple[str, ...]:
    """Return the applications that should get claims: the one that the user named, else those of the listeners."""
    if app_id is not None:
        return (app_id,)
    ids = {extension.id for extension in extensions}
    listeners = [one for one in tenant.listeners or () if one.for_token_issuance and one.extension_id in ids]
    return tuple(sorted({named for listener in listeners for named in listener.app_ids if named}))


def tenant_id_of(tenant: TenantObjects, extensions: Sequence[ExtensionObject], given: str | None) -> str | None:
    """Return the id of the tenant that was read: as given, as in its organization, or the endpoint's home."""
    if given or tenant.tenant_id:
        return given or tenant.tenant_id
    for extension in extensions:
        principal = tenant.principal(extension.api_app_id)
        owner = None if principal is None else principal.app_owner_organization_id
        if owner and tenant.application(extension.api_app_id) is not None:
            return owner
    return None


def claim_names(
    given: frozenset[str] | None, settings: SettingsRead | None, extensions: Sequence[ExtensionObject]
) -> ReturnedClaims | None:
    """Return the claims that the endpoint returns: as given, by its settings, or as registered at the extension."""
    if given is not None:
        return ReturnedClaims(names=given, origin="--claims-from or --claims")
    known = None if settings is None else settings.claim_names
    if known is not None:
        return ReturnedClaims(names=known, origin="the provider in the settings")
    registered = frozenset(name for extension in extensions for name in extension.claim_names)
    return ReturnedClaims(names=registered, origin="claimsForTokenConfiguration") if registered else None


def _matches(
    extension: ExtensionObject, tenant: TenantObjects, settings: SettingsRead | None, host: str | None
) -> bool:
    if host is not None and extension.host == host:
        return True
    if settings is None:
        return False
    audience = settings.audience_app_id
    application = tenant.application(audience)
    uris = () if application is None else application.identifier_uris
    hosts = {resource.host for uri in uris if (resource := ResourceId.parse(uri)) is not None}
    by_resource = extension.api_app_id is not None and extension.api_app_id == audience
    return by_resource or extension.host in hosts or extension.id in settings.items(ALLOWED_EXTENSION_IDS)
