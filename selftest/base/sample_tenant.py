"""The tenant of the emulated Entra: its ids, its apps and the service that makes the calls.

The ids are fixed and documented, so that an endpoint in any language can be configured for the harness once. They are
patterns on purpose: nobody takes them for real ids.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from selftest.contract import EVENT_SERVICE_APP_ID, is_guid


@dataclass(frozen=True, slots=True, kw_only=True)
class CalloutApp:
    """One app as the callout names it.

    Attributes:
        id: The object id of the service principal in the tenant.
        app_id: The application (client) id.
        app_display_name: The name of the app registration. Entra may send an empty one.
        display_name: The name of the service principal.
    """

    id: str
    app_id: str
    app_display_name: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant with the endpoint's app registration, one listener and one custom extension.

    Attributes:
        tenant_id: The directory that issues the tokens and contains the extension.
        audience_app_id: The client id of the app registration that represents the endpoint.
        application_id_uri: Its identifier URI, the audience that a v1.0 token may carry instead.
        listener_id: The event listener that fires.
        extension_id: The custom authentication extension that names the endpoint.
        caller_app_id: The app id of the service that makes the calls.
        caller_object_id: Its service principal: ``oid`` and ``sub`` of the callout's token.
        client: The app that the user signs in to.
        other_resource: Another API, for a sign-in that asks for an access token to it.
        other_tenant_id: A tenant that is not ours, for attacks.
        domain: The tenant's domain, for the names of its users.
        client_secret: The secret of both app registrations at the token endpoint. Only this emulator accepts it.
    """

    tenant_id: str
    audience_app_id: str
    application_id_uri: str
    listener_id: str
    extension_id: str
    caller_app_id: str
    caller_object_id: str
    client: CalloutApp
    other_resource: CalloutApp
    other_tenant_id: str
    domain: str
    client_secret: str = field(repr=False)

    @property
    def other_resource_uri(self) -> str:
        """Return the identifier URI of the other API."""
        return f"api://{self.other_resource.app_id}"


DEFAULT_TENANT: Final = Tenant(
    tenant_id="11111111-1111-4111-8111-111111111111",
    audience_app_id="22222222-2222-4222-8222-222222222222",
    application_id_uri="api://localhost/22222222-2222-4222-8222-222222222222",
    listener_id="33333333-3333-4333-8333-333333333333",
    extension_id="44444444-4444-4444-8444-444444444444",
    caller_app_id=EVENT_SERVICE_APP_ID,
    caller_object_id="55555555-5555-4555-8555-555555555555",
    client=CalloutApp(
        id="66666666-6666-4666-8666-666666666666",
        app_id="77777777-7777-4777-8777-777777777777",
        app_display_name="Sample portal",
        display_name="Sample portal",
    ),
    other_resource=CalloutApp(
        id="88888888-8888-4888-8888-888888888888",
        app_id="99999999-9999-4999-8999-999999999999",
        app_display_name="Sample orders API",
        display_name="Sample orders API",
    ),
    other_tenant_id="aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
    domain="sample.example",
    client_secret="emulator-only",  # noqa: S106 - documented, and accepted by this emulator only
)


def local_tenant(
    *, tenant_id: str | None = None, audience_app_id: str | None = None, extension_id: str | None = None
) -> Tenant:
    """Return the default tenant with the ids that an endpoint is already configured for.

    The identifier URI follows the audience. Ids are returned in Entra's form: lower case, with hyphens.

    Raises:
        ValueError: An id is not a GUID.
    """
    tenant = DEFAULT_TENANT
    if tenant_id is not None:
        tenant = replace(tenant, tenant_id=guid(tenant_id))
    if audience_app_id is not None:
        audience = guid(audience_app_id)
        tenant = replace(tenant, audience_app_id=audience, application_id_uri=f"api://localhost/{audience}")
    if extension_id is not None:
        tenant = replace(tenant, extension_id=guid(extension_id))
    return tenant


def guid(text: str) -> str:
    """Return a GUID in the form in which Entra writes it: lower case, with hyphens.

    Raises:
        ValueError: The text is not 8-4-4-4-12 hexadecimal digits, or is the zero GUID.
    """
    if not is_guid(text):
        raise ValueError(f"expected a GUID such as {DEFAULT_TENANT.tenant_id}, got {text!r}")
    return text.lower()
