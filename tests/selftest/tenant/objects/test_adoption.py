"""An app registration that exists is adopted by its id, gets what is missing, and is never deleted."""

from dataclasses import replace
from typing import Any

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.tenant.objects.errors import Conflict
from selftest.tenant.objects.intent import Intent
from tests.emulated_graph.healthy_tenant import DEFAULT_HOST
from tests.selftest.tenant.graph.wiring import API_APP_ID
from tests.selftest.tenant.objects.entra_environment import ENABLED, EntraEnvironment, entra

ADOPTING = replace(ENABLED, adopted_app_id=API_APP_ID)


def _theirs(env: EntraEnvironment, **more: Any) -> dict[str, Any]:
    """Create an app registration as somebody did in the portal."""
    body = {"displayName": "Theirs", "signInAudience": "AzureADMyOrg", **more}
    made: dict[str, Any] = env.server.writer.create("applications", body)
    return made


async def test_it_is_used_and_kept() -> None:
    """No second registration; the extension names it; removal leaves it."""
    async with entra() as env:
        made = _theirs(env)
        intent = replace(ENABLED, adopted_app_id=made["appId"])
        registered = len(env.tenant["applications"])
        await env.apply(intent)
        assert len(env.tenant["applications"]) == registered
        (extension,) = env.tenant["customAuthenticationExtensions"]
        assert extension["authenticationConfiguration"]["resourceId"] == f"api://{DEFAULT_HOST}/{made['appId']}"
        writes = len(env.server.writes)
        await env.apply(intent)
        assert len(env.server.writes) == writes
        await env.remove(intent)
        assert "app registration" not in [what for _, what, _ in env.reported]
        assert env.tenant["customAuthenticationExtensions"] == []
        kept = env.server.directory.lookup("applications", "appId", made["appId"])
        assert kept is not None
        assert kept["displayName"] == "Theirs"


async def test_one_with_our_name_comes_first() -> None:
    """And an id that leads nowhere, as after a removal, is no reason to stop."""
    async with entra() as env:
        await env.apply(replace(ADOPTING, adopted_app_id="99999999-9999-4999-8999-999999999999"))
        registered = env.tenant["applications"]
        await env.apply(replace(ENABLED, adopted_app_id=_theirs(env)["appId"]))
        assert len(env.tenant["applications"]) == len(registered) + 1
        assert len(env.tenant["customAuthenticationExtensions"]) == 1


async def test_one_for_other_tenants_too_is_not_changed() -> None:
    """Making it single-tenant would lock its users out."""
    async with entra() as env:
        made = _theirs(env, signInAudience="AzureADMultipleOrgs")
        before = env.tenant
        with pytest.raises(Conflict, match="signs in people of other tenants"):
            await env.apply(replace(ENABLED, adopted_app_id=made["appId"]))
        assert env.tenant == before


def test_the_environment_names_it() -> None:
    """By its client id; anything else is refused."""
    environ = {"AZURE_ENV_NAME": "dev", "ENTRA_API_APP_ID": API_APP_ID.upper()}
    assert Intent.read(environ).adopted_app_id == API_APP_ID
    with pytest.raises(CannotRun, match="ENTRA_API_APP_ID 'mine' is not a client id"):
        Intent.read({**environ, "ENTRA_API_APP_ID": "mine"})
