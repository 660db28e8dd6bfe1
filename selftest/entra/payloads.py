"""Every documented variety of the callout: one envelope, seven populations of ``user`` and of the two apps.

Members that Microsoft's samples leave out are left out here: an endpoint that needs one of them fails for the users who
lack it. People and names are made up. ``resourceServicePrincipal`` is the client app itself where an id token is
issued, another app where the user's app asks for an access token to it.

Source: entra-docs ``custom-claims-provider-reference.md`` (member, hybrid member, guest), ``custom-extension-configure-
saml-app.md`` (SAML); microsoft/woodgrove-auth-api ``TokenIssuanceStart_LocalAccount.json`` and ``…SocailAccount.json``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from selftest.base.sample_tenant import CalloutApp, Tenant
from selftest.contract import CALLOUT_DATA_TYPE, EVENT_TYPE

_REFERENCE: Final = "entra-docs custom-claims-provider-reference.md"
_WOODGROVE: Final = "microsoft/woodgrove-auth-api wwwroot/Help/TokenIssuanceStart_"

#: Where events say that the user is: addresses that RFC 5737 and RFC 3849 keep free for documentation.
DEFAULT_IP: Final = "203.0.113.7"
_IPV6: Final = "2001:db8:85a3::8a2e:370:7334"


class UnknownVarietyError(LookupError):
    """Raised for a name that is no variety; the message lists those that are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variety:
    """One documented kind of sign-in.

    Attributes:
        id: Its name on the command line.
        title: What kind of user and app it is.
        source: Where the shape is published.
        build: Makes the callout's JSON for a tenant and a correlation id.
    """

    id: str
    title: str
    source: str
    build: Callable[[Tenant, str], dict[str, Any]]


def _app(principal: CalloutApp) -> dict[str, Any]:
    return {
        "id": principal.id,
        "appId": principal.app_id,
        "appDisplayName": principal.app_display_name,
        "displayName": principal.display_name,
    }


def callout_event(
    *,
    tenant_id: str,
    listener_id: str,
    extension_id: str,
    correlation_id: str,
    client: CalloutApp,
    resource: CalloutApp,
    user: Mapping[str, Any],
    ip: str = DEFAULT_IP,
    protocol: str = "OAUTH2.0",
) -> dict[str, Any]:
    """Build the callout's JSON; ``resource`` is the token's audience, which for an id token is the client."""
    return {
        "type": EVENT_TYPE,
        "source": f"/tenants/{tenant_id}/applications/{client.app_id}",
        "data": {
            "@odata.type": CALLOUT_DATA_TYPE,
            "tenantId": tenant_id,
            "authenticationEventListenerId": listener_id,
            "customAuthenticationExtensionId": extension_id,
            "authenticationContext": {
                "correlationId": correlation_id,
                "client": {"ip": ip, "locale": "en-us", "market": "en-us"},
                "protocol": protocol,
                "clientServicePrincipal": _app(client),
                "resourceServicePrincipal": _app(resource),
                "user": dict(user),
            },
        },
    }


def _callout(
    tenant: Tenant,
    correlation_id: str,
    user: dict[str, Any],
    *,
    ip: str = DEFAULT_IP,
    protocol: str = "OAUTH2.0",
    resource: CalloutApp | None = None,
) -> dict[str, Any]:
    return callout_event(
        tenant_id=tenant.tenant_id,
        listener_id=tenant.listener_id,
        extension_id=tenant.extension_id,
        correlation_id=correlation_id,
        client=tenant.client,
        resource=resource or tenant.client,
        user=user,
        ip=ip,
        protocol=protocol,
    )


def _member_user(tenant: Tenant) -> dict[str, Any]:
    return {
        "companyName": "Sample Ltd",
        "createdDateTime": "2024-01-02T03:04:05Z",
        "displayName": "Ada Sample",
        "givenName": "Ada",
        "id": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
        "mail": f"ada@{tenant.domain}",
        "preferredLanguage": "en-us",
        "surname": "Sample",
        "userPrincipalName": f"ada@{tenant.domain}",
        "userType": "Member",
    }


def _member(tenant: Tenant, correlation_id: str) -> dict[str, Any]:
    return _callout(tenant, correlation_id, _member_user(tenant))


def _hybrid(tenant: Tenant, correlation_id: str) -> dict[str, Any]:
    user = {
        "companyName": "Sample Ltd",
        "createdDateTime": "2023-05-06T07:08:09Z",
        "displayName": "Ben Sample",
        "givenName": "Ben",
        "id": "cccccccc-cccc-4ccc-8ccc-cccccccccccc",
        "mail": f"ben@{tenant.domain}",
        "onPremisesSamAccountName": "ben",
        "onPremisesSecurityIdentifier": "S-1-5-21-1000000001-1000000002-1000000003-1104",
        "onPremisesUserPrincipalName": f"ben@corp.{tenant.domain}",
        "preferredLanguage": "en-us",
        "surname": "Sample",
        "userPrincipalName": f"ben@{tenant.domain}",
        "userType": "Member",
    }
    return _callout(tenant, correlation_id, user)


def _guest(tenant: Tenant, correlation_id: str) -> dict[str, Any]:
    user = {
        "companyName": "Partner Ltd",
        "createdDateTime": "2022-07-15T00:00:00Z",
        "displayName": "Cleo Partner",
        "id": "dddddddd-dddd-4ddd-8ddd-dddddddddddd",
        "mail": "cleo@partner.example",
        "preferredDataLocation": "EUR",
        "userPrincipalName": f"cleo_partner.example#EXT#@{tenant.domain}",
        "userType": "Guest",
    }
    return _callout(tenant, correlation_id, user)


def _external_local(tenant: Tenant, correlation_id: str) -> dict[str, Any]:
    object_id = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
    user = {
        "displayName": "Dana Customer",
        "id": object_id,
        "userPrincipalName": f"{object_id}@{tenant.domain}",
        "userType": "Member",
    }
    return _callout(tenant, correlation_id, user, ip=_IPV6)


def _external_social(tenant: Tenant, correlation_id: str) -> dict[str, Any]:
    user = {
        "displayName": "Eli Customer",
        "id": "ffffffff-ffff-4fff-8fff-ffffffffffff",
        "mail": "eli@social.example",
        "userType": "Member",
    }
    return _callout(tenant, correlation_id, user)


def _saml(tenant: Tenant, correlation_id: str) -> dict[str, Any]:
    return _callout(tenant, correlation_id, _member_user(tenant), protocol="SAML")


def _other_resource(tenant: Tenant, correlation_id: str) -> dict[str, Any]:
    return _callout(tenant, correlation_id, _member_user(tenant), resource=tenant.other_resource)


VARIETIES: Final[tuple[Variety, ...]] = (
    Variety(id="member", title="a member of a workforce tenant", source=_REFERENCE, build=_member),
    Variety(id="hybrid", title="a member synchronised from a domain controller", source=_REFERENCE, build=_hybrid),
    Variety(id="guest", title="a guest invited from another tenant", source=_REFERENCE, build=_guest),
    Variety(
        id="external-local",
        title="a customer with a local account, without mail",
        source=f"{_WOODGROVE}LocalAccount.json",
        build=_external_local,
    ),
    Variety(
        id="external-social",
        title="a customer with a social account, without a userPrincipalName",
        source=f"{_WOODGROVE}SocailAccount.json",
        build=_external_social,
    ),
    Variety(
        id="saml",
        title="a member who signs in to a SAML app",
        source="entra-docs custom-extension-configure-saml-app.md",
        build=_saml,
    ),
    Variety(
        id="other-resource",
        title="a member whose app asks for an access token to another API",
        source="entra-docs custom-extension-tokenissuancestart-configuration.md step 3",
        build=_other_resource,
    ),
)


def variety(name: str) -> Variety:
    """Give the variety of this id.

    Raises:
        UnknownVarietyError: When there is none; the message lists the ids.
    """
    for candidate in VARIETIES:
        if candidate.id == name:
            return candidate
    known = ", ".join(candidate.id for candidate in VARIETIES)
    raise UnknownVarietyError(f"no variety {name!r}; there are {known}")
