"""Signing in to Graph with each of azure-identity's credentials: an issuer on loopback, and a fake ``az``."""

import asyncio
import json
import logging
import os
import stat
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from selftest.base.base64url import encode_base64url
from selftest.tenant.graph.credentials import GRAPH_TOOLS_CLIENT_ID, KINDS, GraphCredential, delegated_scopes
from selftest.tenant.graph.errors import NotSignedIn
from tests.claims.downstream.issuer import (
    CLIENT_SECRET,
    IDENTITY_HEADER,
    SCOPE,
    TENANT_ID,
    Issuer,
    answer,
    running_issuer,
)

USER_NAME = "adele@contoso.example"


@pytest.fixture(autouse=True)
def _environ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of the machine that runs the tests."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_", "IMDS_", "WEBSITE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
async def issuer(tmp_path: Path) -> AsyncIterator[Issuer]:
    """Serve tokens."""
    async with running_issuer(tmp_path) as running:
        yield running


def _options(issuer: Issuer) -> dict[str, Any]:
    return {"authority": issuer.https_url, "disable_instance_discovery": True, **issuer.client_options}


def _fake_az(directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    az = directory / "az"
    az.write_text(f"#!/bin/sh\n{script}\n")
    az.chmod(az.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


async def test_client_secret(issuer: Issuer) -> None:
    """An application's secret from the environment."""
    environ = {**issuer.environ, "AZURE_CLIENT_SECRET": CLIENT_SECRET}
    async with GraphCredential("client-secret", environ, options=_options(issuer)) as sign_in:
        token = await sign_in.get_token(SCOPE)
        assert token.expires_on > time.time()
        assert (await sign_in.get_token(SCOPE)).token == token.token


async def test_workload_identity(issuer: Issuer, tmp_path: Path) -> None:
    """A federated credential's token from its file."""
    file = tmp_path / "federated"
    file.write_text("assertion")
    environ = {**issuer.environ, "AZURE_FEDERATED_TOKEN_FILE": str(file)}
    async with GraphCredential("workload-identity", environ, options=_options(issuer)) as sign_in:
        assert (await sign_in.get_token(SCOPE)).token
    assert issuer.asked[-1]["client_assertion"] == "assertion"


async def test_managed_identity(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An Azure host's identity, the named one."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{issuer.http_url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    async with GraphCredential("managed-identity", {"AZURE_CLIENT_ID": "c"}) as sign_in:
        assert (await sign_in.get_token(SCOPE)).token
    assert issuer.asked[-1]["client_id"] == "c"


async def test_azure_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line is called with the intended tenant."""
    arguments = tmp_path / "arguments"
    reply = '{"accessToken": "from az", "expires_on": 4000000000}'
    _fake_az(tmp_path, f"echo \"$@\" > '{arguments}'; echo '{reply}'", monkeypatch)
    async with GraphCredential("azure-cli", {}, tenant_id=TENANT_ID) as sign_in:
        assert (await sign_in.get_token(SCOPE)).token == "from az"
    assert f"--tenant {TENANT_ID}" in arguments.read_text()


@pytest.mark.parametrize(
    ("script", "facts"),
    [
        (None, "CredentialUnavailableError"),
        (f"echo 'ERROR: Please run az login, {USER_NAME}' >&2; exit 1", "CredentialUnavailableError"),
        (f"echo 'AADSTS50173: {USER_NAME} must sign in' >&2; exit 1", "ClientAuthenticationError AADSTS50173"),
    ],
)
async def test_azure_cli_without_login(
    script: str | None,
    facts: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without the command, or a login, the message says which command to run, and does not name the person."""
    if script is None:
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        _fake_az(tmp_path, script, monkeypatch)
    caplog.set_level(logging.DEBUG)
    with pytest.raises(NotSignedIn, match="az login --tenant") as caught:
        await GraphCredential("azure-cli", {}).get_token(SCOPE)
    assert caught.value.reason == f"signing in by azure-cli failed ({facts})"
    assert str(caught.value).index("--credential browser") < str(caught.value).index("az login")
    assert USER_NAME not in f"{caught.value} {caught.value!r} {caught.value.__cause__} {caplog.text}"


async def test_what_entra_refuses(issuer: Issuer) -> None:
    """Entra's number is shown, its text is not."""
    issuer.faults.append(answer(400, f'{{"error":"x","error_description":"AADSTS7000215: {USER_NAME}"}}'.encode()))
    environ = {**issuer.environ, "AZURE_CLIENT_SECRET": CLIENT_SECRET}
    async with GraphCredential("client-secret", environ, options=_options(issuer)) as sign_in:
        with pytest.raises(NotSignedIn, match="AADSTS7000215") as caught:
            await sign_in.get_token(SCOPE)
    assert USER_NAME not in str(caught.value)


def _encoded(value: object) -> str:
    return encode_base64url(json.dumps(value).encode())


def _device_answers(issuer: Issuer, claims: Mapping[str, str] | None = None, scope: str = SCOPE) -> None:
    """Make the issuer answer MSAL's requests: metadata, the device code, and the token with further claims."""
    root = f"{issuer.https_url}/{TENANT_ID}"
    metadata = {
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        "issuer": f"{root}/v2.0",
    }
    code = {
        "device_code": "d",
        "user_code": "ABC-DEF",
        "verification_uri": "https://login.example/device",
        "expires_in": 900,
        "interval": 1,
        "message": "sign in",
    }
    now = int(time.time())
    person = {"aud": GRAPH_TOOLS_CLIENT_ID, "iss": f"{root}/v2.0", "sub": "s", "tid": TENANT_ID, "oid": "o"}
    id_token = {**person, "preferred_username": USER_NAME, "exp": now + 3600, "iat": now, **(claims or {})}
    token = {
        "token_type": "Bearer",
        "access_token": "from a person",
        "expires_in": 3600,
        "scope": scope,
        "id_token": f"{_encoded({'alg': 'none'})}.{_encoded(id_token)}.",
        "client_info": _encoded({"uid": "o", "utid": TENANT_ID}),
    }
    answers = {"openid-configuration": metadata, "devicecode": code, "token": token}

    async def fault(request: web.Request) -> web.StreamResponse:
        issuer.faults.append(fault)
        return web.json_response(answers[request.path.rpartition("/")[2]])

    issuer.faults.append(fault)


async def test_device_code(issuer: Issuer) -> None:
    """A person is shown a page and a code, and signs in with the client of Microsoft's Graph tools."""
    _device_answers(issuer)
    shown: list[str] = []
    sign_in = GraphCredential("device-code", {}, tenant_id=TENANT_ID, show=shown.append, options=_options(issuer))
    async with sign_in:
        token = await sign_in.get_token(*delegated_scopes(["Application.Read.All"], "https://graph.microsoft.com"))
    assert token.token == "from a person"
    assert shown == ["To sign in, open https://login.example/device and enter the code ABC-DEF"]
    asked = next(fields for fields in issuer.asked if "scope" in fields)
    assert asked["client_id"] == GRAPH_TOOLS_CLIENT_ID
    assert "https://graph.microsoft.com/Application.Read.All" in asked["scope"]


async def test_browser(issuer: Issuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A browser opens once; the permissions are asked for by name, the token is kept in memory and nowhere else."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    opened: list[URL] = []

    def person(url: str) -> bool:
        opened.append(URL(url))
        asked = opened[-1].query
        issuer.faults.clear()
        _device_answers(issuer, {"nonce": asked["nonce"]}, asked["scope"])
        sent = urllib.parse.urlencode({"code": "c", "state": asked["state"]}).encode()
        browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        threading.Thread(target=browser.open, args=(asked["redirect_uri"], sent), daemon=True).start()
        return True

    monkeypatch.setattr("webbrowser.open", person)
    _device_answers(issuer)
    scopes = delegated_scopes(["Application.Read.All", "EventListener.ReadWrite.All"], "https://graph.microsoft.com")
    async with GraphCredential("browser", {}, tenant_id=TENANT_ID, options=_options(issuer)) as sign_in:
        for _ in range(2):
            assert (await sign_in.get_token(*scopes)).token == "from a person"
    (page,) = opened
    assert page.query["client_id"] == GRAPH_TOOLS_CLIENT_ID
    assert set(scopes) <= set(page.query["scope"].split())
    assert TENANT_ID in page.path
    assert not (tmp_path / "home").exists()


async def test_without_a_browser(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the other way."""
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    _device_answers(issuer)
    listening: list[HTTPServer] = []

    def listen(host: str, port: int, **_: object) -> HTTPServer:
        listening.append(HTTPServer((host, port), BaseHTTPRequestHandler))
        return listening[-1]

    options = {**_options(issuer), "_server_class": listen}
    async with GraphCredential("browser", {}, tenant_id=TENANT_ID, options=options) as sign_in:
        with pytest.raises(NotSignedIn, match=r"without a browser here: --credential device-code"):
            await sign_in.get_token(SCOPE)
    for each in listening:
        each.server_close()  # azure-identity leaves it open where no browser opens


async def test_a_person_may_give_up() -> None:
    """An ended wait for a sign-in does not wait for its thread, and the thread's result is dropped."""
    sign_in = GraphCredential("device-code", {})
    going_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Slow:
        def get_token(self, *_: str) -> None:
            asyncio.run_coroutine_threadsafe(going_on.wait(), loop).result()

        def close(self) -> None:
            pass

    sign_in._credential = Slow()
    async with sign_in:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sign_in.get_token("x"), 0.01)
        going_on.set()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("kind", "environ", "says"),
    [
        ("password", {}, "unknown credential 'password'"),
        ("client-secret", {"AZURE_TENANT_ID": "t"}, "needs AZURE_CLIENT_ID, AZURE_CLIENT_SECRET"),
        ("workload-identity", {}, "needs AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE"),
    ],
)
def test_missing_variables(kind: str, environ: dict[str, str], says: str) -> None:
    """All missing variables are named at once, before anything is imported."""
    with pytest.raises(NotSignedIn, match=says):
        GraphCredential(kind, environ)


def test_kinds() -> None:
    """The names for the command line."""
    assert KINDS == ("browser", "azure-cli", "device-code", "managed-identity", "workload-identity", "client-secret")
