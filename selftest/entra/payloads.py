"""Every documented variety of the callout: one envelope, five kinds of user, SAML, and a second API.

Members that Microsoft's samples omit are omitted here, so that an endpoint that requires one of them fails for the
users who lack it. People and names are made up. ``resourceServicePrincipal`` is the client app itself where an id token
is issued, and another app where the user's app requests an access token for that app.

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

#: The client address in events: RFC 5737 and RFC 3849 reserve these for documentation.
DEFAULT_IP: Final = "203.0.113.7"
_IPV6: Final = "2001:db8:85a3::8a2e:370:7334"


class UnknownVarietyError(LookupError):
    """Raised for an unknown name; the message lists the known ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variety:
    """One documented kind of sign-in.

    Attributes:
        id: Its name on the command line.
        title: The kind of user and app.
        source: Where the JSON is published.
        user: Returns the event's user for a tenant; None for an app without one.
        ip: The client's address.
        protocol: The protocol of the sign-in.
        other_resource: Whether the token is for another API instead of for the client app.
    """

    id: str
    title: str
    source: str
    user: Callable[[Tenant], dict[str, Any] | None]
    ip: str = DEFAULT_IP
    protocol: str = "OAUTH2.0"
    other_resource: bool = False

    def build(self, tenant: Tenant, correlation_id: str) -> dict[str, Any]:
        """Return the callout's JSON for a tenant and a correlation id."""
        return callout_event(
            tenant_id=tenant.tenant_id,
            listener_id=tenant.listener_id,
            extension_id=tenant.extension_id,
            correlation_id=correlation_id,
            client=tenant.client,
            resource=tenant.other_resource if self.other_resource else tenant.client,
            user=self.user(tenant),
            ip=self.ip,
            protocol=self.protocol,
        )


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
    user: Mapping[str, Any] | None,
    ip: str = DEFAULT_IP,
    protocol: str = "OAUTH2.0",
) -> dict[str, Any]:
    """Return the callout's JSON; ``resource`` is the token's audience, which for an id token is the client."""
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
                "user": None if user is None else dict(user),
            },
        },
    }


def _member(tenant: Tenant) -> dict[str, Any]:
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


def _hybrid(tenant: Tenant) -> dict[str, Any]:
    return {
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


def _guest(tenant: Tenant) -> dict[str, Any]:
    return {
        "companyName": "Partner Ltd",
        "createdDateTime": "2022-07-15T00:00:00Z",
        "displayName": "Cleo Partner",
        "id": "dddddddd-dddd-4ddd-8ddd-dddddddddddd",
        "mail": "cleo@partner.example",
        "preferredDataLocation": "EUR",
        "userPrincipalName": f"cleo_partner.example#EXT#@{tenant.domain}",
        "userType": "Guest",
    }


def _external_local(tenant: Tenant) -> dict[str, Any]:
    object_id = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
    return {
        "displayName": "Dana Customer",
        "id": object_id,
        "userPrincipalName": f"{object_id}@{tenant.domain}",
        "userType": "Member",
    }


def _external_social(_: Tenant) -> dict[str, Any]:
    return {
        "displayName": "Eli Customer",
        "id": "ffffffff-ffff-4fff-8fff-ffffffffffff",
        "mail": "eli@social.example",
        "userType": "Member",
    }


VARIETIES: Final[tuple[Variety, ...]] = (
    Variety(id="member", title="a member of a workforce tenant", source=_REFERENCE, user=_member),
    Variety(id="hybrid", title="a member synchronized from a domain controller", source=_REFERENCE, user=_hybrid),
    Variety(id="guest", title="a guest invited from another tenant", source=_REFERENCE, user=_guest),
    Variety(
        id="external-local",
        title="a customer with a local account, without mail",
        source=f"{_WOODGROVE}LocalAccount.json",
        user=_external_local,
        ip=_IPV6,
    ),
    Variety(
        id="external-social",
        title="a customer with a social account, without a userPrincipalName",
        source=f"{_WOODGROVE}SocailAccount.json",
        user=_external_social,
    ),
    Variety(
        id="saml",
        title="a member who signs in to a SAML app",
        source="entra-docs custom-extension-configure-saml-app.md",
        user=_member,
        protocol="SAML",
    ),
    Variety(
        id="other-resource",
        title="a member whose app requests an access token for another API",
        source="entra-docs custom-extension-tokenissuancestart-configuration.md step 3",
        user=_member,
        other_resource=True,
    ),
)


def variety(name: str) -> Variety:
    """Return the variety with this id.

    Raises:
        UnknownVarietyError: The id is unknown; the message lists the known ids.
    """
    for candidate in VARIETIES:
        if candidate.id == name:
            return candidate
    known = ", ".join(candidate.id for candidate in VARIETIES)
    raise UnknownVarietyError(f"unknown variety {name!r}; the known ones are {known}")
