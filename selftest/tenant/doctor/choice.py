"""What of the tenant is diagnosed: which extensions are this endpoint's, and which applications get its claims."""

from collections.abc import Sequence

from selftest.tenant.doctor.case import ClaimNames
from selftest.tenant.doctor.evidence.resource import ResourceId
from selftest.tenant.doctor.evidence.settings import SettingsRead
from selftest.tenant.doctor.evidence.tenant import Tenant
from selftest.tenant.doctor.evidence.wiring_objects import Extension


def choose_extensions(
    tenant: Tenant,
    *,
    extension_id: str | None,
    app_id: str | None,
    settings: SettingsRead | None,
    host: str | None,
) -> tuple[Extension, ...]:
    """Choose the extensions to look at.

    In this order: the one that was asked for; those that listeners of the asked application call; those that the
    settings or the endpoint's host point to; a single one. Without settings and host, all of the event's.
    """
    ours = [one for one in tenant.extensions or () if one.for_token_issuance]
    if extension_id is not None:
        return tuple(one for one in tenant.extensions or () if one.id == extension_id)
    if app_id is not None:
        listeners = tenant.listeners or ()
        called = {one.extension_id for one in listeners if one.for_token_issuance and app_id in one.app_ids}
        chosen = tuple(one for one in ours if one.id in called)
        if chosen:
            return chosen
    if settings is None and host is None:
        return tuple(ours)
    matching = tuple(one for one in ours if _matches(one, tenant, settings, host))
    return matching or (tuple(ours) if len(ours) == 1 else ())


def choose_apps(tenant: Tenant, extensions: Sequence[Extension], app_id: str | None) -> tuple[str, ...]:
    """Name the applications that should get claims: the one that was asked for, else those in the listeners."""
    if app_id is not None:
        return (app_id,)
    ids = {extension.id for extension in extensions}
    listeners = [one for one in tenant.listeners or () if one.for_token_issuance and one.extension_id in ids]
    return tuple(sorted({named for listener in listeners for named in listener.app_ids if named}))


def tenant_id_of(tenant: Tenant, extensions: Sequence[Extension], given: str | None) -> str | None:
    """Find out which tenant was read: as given, as it says itself, or the endpoint's home."""
    if given or tenant.tenant_id:
        return given or tenant.tenant_id
    for extension in extensions:
        principal = tenant.principal(extension.api_app_id)
        if principal is not None and principal.owner_tenant_id and tenant.application(principal.app_id) is not None:
            return principal.owner_tenant_id
    return None


def claim_names(
    given: frozenset[str] | None, settings: SettingsRead | None, extensions: Sequence[Extension]
) -> ClaimNames | None:
    """Find out which claims the endpoint returns: as given, by its settings, or as registered at the extension."""
    if given is not None:
        return ClaimNames(names=given, origin="--claims")
    known = None if settings is None else settings.claim_names
    if known is not None:
        return ClaimNames(names=known, origin="the provider in the settings")
    registered = frozenset(name for extension in extensions for name in extension.claim_names)
    return ClaimNames(names=registered, origin="claimsForTokenConfiguration") if registered else None


def _matches(extension: Extension, tenant: Tenant, settings: SettingsRead | None, host: str | None) -> bool:
    if host is not None and extension.host == host:
        return True
    if settings is None:
        return False
    audience = settings.audience_app_id
    application = tenant.application(audience)
    uris = () if application is None else application.identifier_uris
    hosts = {resource.host for uri in uris if (resource := ResourceId.parse(uri)) is not None}
    by_resource = extension.api_app_id is not None and extension.api_app_id == audience
    return by_resource or extension.host in hosts or extension.id in settings.allowed_extension_ids
