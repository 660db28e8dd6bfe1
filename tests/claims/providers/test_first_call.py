"""The event loop stays free while a provider imports what it needs, gets its first token and makes its first call."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.claims.providers.azurite import connection_string
from tests.claims.providers.desk import Api, respond

pytestmark = pytest.mark.quiet

MAX_GAP_MS = 50
#: A gap that our code causes is in every round; one that a busy machine causes is not.
MAX_ROUNDS = 8
_ROOT = Path(__file__).parents[3]


async def _answer(request: web.Request) -> web.StreamResponse:
    """Be the managed identity of App Service, the profile API, Graph and the table, by the path."""
    if "/msi/" in request.path:
        assert request.headers["x-identity-header"] == "header"
        token = {"access_token": "t", "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
        return await respond({**token, "resource": request.query["resource"]})(request)
    return await respond({"Level": "gold"})(request)


@pytest.fixture
def environ(api: Api) -> dict[str, str]:
    """Give the settings of every provider, all of them on loopback."""
    api.answer = _answer
    return {
        "PATH": os.environ["PATH"],
        "Claims__Credential": "managed-identity",
        "IDENTITY_ENDPOINT": f"{api.url}/msi/token",
        "IDENTITY_HEADER": "header",
        "Claims__ProfileApi__Url": api.url,
        "Claims__ProfileApi__Scope": "api://profile/.default",
        "Claims__Graph__Url": api.url,
        "Claims__Graph__Attributes": "Level",
        "Claims__Table__Name": "claims",
        "Claims__Table__ConnectionString": connection_string(api.url),
    }


async def _measure(name: str, environ: dict[str, str]) -> dict[str, Any]:
    command = (sys.executable, "-m", "tests.claims.providers.first_call", name)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=_ROOT, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    measured = json.loads(out)
    assert isinstance(measured, dict)
    return measured


@pytest.mark.parametrize("name", ["profile_api", "graph", "table"])
async def test_no_gap_over_fifty_milliseconds(name: str, environ: dict[str, str]) -> None:
    """In a fresh process, with the real credentials' code, one of several rounds has no longer gap."""
    gaps_ms = []
    for _ in range(MAX_ROUNDS):
        measured = await _measure(name, environ)
        assert measured["claims"] == {"Level": "gold"}
        gaps_ms.append(measured["worst_gap_ms"])
        if gaps_ms[-1] < MAX_GAP_MS:
            return
    pytest.fail(f"the loop was held up in each round, by at least {min(gaps_ms):.0f} ms")
