"""The doctor finds nothing wrong in a tenant after apply."""

import asyncio
import contextlib
import importlib.util
import io
import json
from pathlib import Path
from typing import Any

import pytest

from selftest import cli
from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.tenant.objects.intent import Intent
from tests.emulated_graph.healthy_tenant import DEFAULT_HOST
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.graph.wiring import bare_tenant
from tests.selftest.tenant.objects.entra_environment import CLIENT, ENABLED, PLAIN, EntraEnvironment, entra

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("selftest.tenant.doctor") is None, reason="there is no doctor in this checkout"
)


async def _diagnosed(env: EntraEnvironment, directory: Path) -> tuple[int, list[dict[str, Any]]]:
    """Run the doctor on the tenant, live, with the settings that belong to it; return its exit code and findings."""
    application = env.server.directory.lookup("applications", "uniqueName", Intent(environment="dev").unique_name)
    settings = directory / "settings.json"
    values = {
        "AuthenticationEvents__AuthorityUrl": f"https://login.microsoftonline.com/{DEFAULT_TENANT.tenant_id}",
        "AuthenticationEvents__AudienceAppId": application["appId"] if application else "",
    }
    settings.write_text(json.dumps({"Values": values}))
    arguments = ["doctor", "--settings", str(settings), "--tenant", DEFAULT_TENANT.tenant_id, "--app", CLIENT]
    written = io.StringIO()
    # The same tenant in the doctor's time, which is today.
    async with GraphServer(env.tenant) as today:
        with contextlib.redirect_stdout(written):
            code = await asyncio.to_thread(cli.main, [*arguments, "--graph-url", today.url, "--json"])
    findings: list[dict[str, Any]] = json.loads(written.getvalue())["findings"]
    return code, findings


@pytest.mark.parametrize("accepts", [None, False, True])
async def test_the_doctor_finds_nothing(tmp_path: Path, accepts: bool | None) -> None:  # noqa: FBT001 - a table
    """From an empty tenant, whatever the client application allowed before, the doctor finds nothing."""
    tenant = bare_tenant()
    tenant["applications"][0]["api"]["acceptMappedClaims"] = accepts
    async with entra(tenant) as env:
        await env.apply()
        assert await _diagnosed(env, tmp_path) == (0, [])


async def test_the_doctor_finds_what_is_not_done(tmp_path: Path) -> None:
    """The doctor can fail: without enabling, the client application and the listener are found missing."""
    async with entra() as env:
        await env.apply(PLAIN)
        code, findings = await _diagnosed(env, tmp_path)
        assert code == 1
        assert {"D45"} <= {finding["check"] for finding in findings}


async def test_findings_are_corrected(tmp_path: Path) -> None:
    """Six of our members are broken, and correct again after a run."""
    async with entra() as env:
        await env.apply()
        kinds = env.server.directory.kinds
        application = env.server.directory.lookup("applications", "uniqueName", ENABLED.unique_name)
        assert application is not None
        application["identifierUris"] = []
        application["requiredResourceAccess"] = []
        env.server.directory.assignments.clear()
        (extension,) = kinds["customAuthenticationExtensions"].values()
        extension["clientConfiguration"] = None
        extension["endpointConfiguration"]["targetUrl"] = f"https://{DEFAULT_HOST}/elsewhere"
        kinds["authenticationEventListeners"].clear()
        code, findings = await _diagnosed(env, tmp_path)
        assert code == 1
        assert len(findings) >= 4
        await env.apply()
        assert await _diagnosed(env, tmp_path) == (0, [])
