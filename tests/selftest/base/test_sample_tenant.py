"""The emulated tenant's ids."""

import dataclasses
import uuid

import pytest

from claims.contract import EVENT_SERVICE_APP_ID
from selftest.base.sample_tenant import DEFAULT_TENANT, guid, local_tenant


def test_default_ids_are_guids() -> None:
    """Every id of the default tenant is a GUID in Entra's form."""
    for field in dataclasses.fields(DEFAULT_TENANT):
        if field.name.endswith("_id"):
            value = getattr(DEFAULT_TENANT, field.name)
            assert value == str(uuid.UUID(value)), field.name


def test_caller_is_the_event_service() -> None:
    """The caller is the app id that Microsoft documents."""
    assert DEFAULT_TENANT.caller_app_id == EVENT_SERVICE_APP_ID


def test_identifier_uri_follows_the_audience() -> None:
    """Another audience brings its own identifier URI, and upper case becomes lower case."""
    tenant = local_tenant(audience_app_id="ABCDEFAB-0000-4000-8000-000000000000")
    assert tenant.audience_app_id == "abcdefab-0000-4000-8000-000000000000"
    assert tenant.application_id_uri == "api://localhost/abcdefab-0000-4000-8000-000000000000"
    assert tenant.tenant_id == DEFAULT_TENANT.tenant_id


@pytest.mark.parametrize(
    "text",
    ["", "contoso.example", "{11111111-1111-4111-8111-111111111111}", "1" * 32, str(uuid.UUID(int=0))],
)
def test_other_forms_are_refused(text: str) -> None:
    """Only a non-zero GUID with hyphens is one, and the message holds what was given."""
    with pytest.raises(ValueError, match="expected a GUID") as caught:
        guid(text)
    assert repr(text) in str(caught.value)


def test_secret_is_not_shown() -> None:
    """The client secret is not in the repr."""
    assert DEFAULT_TENANT.client_secret not in repr(DEFAULT_TENANT)
