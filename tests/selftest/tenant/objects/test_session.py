"""`objects_session`: hooks in processes of their own, one sign-in, and no token on disk."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest

from selftest.commands import objects_session
from tests.emulated_graph.healthy_tenant import DEFAULT_HOST
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.graph.wiring import bare_tenant

ROOT = Path(__file__).parents[4]
_TENANT = "11111111-1111-4111-8111-111111111111"
#: In place of azure-identity: a person who signs in leaves a line, and is asked again for what was not asked for.
_IDENTITY = f"""
import os, time
from azure.core.credentials import AccessToken
from selftest.tenant.graph.unsigned_tokens import mint_token

class InteractiveBrowserCredential:
    def __init__(self, **options):
        self.granted = set()

    def get_token(self, *scopes, **options):
        names = {{scope.rpartition("/")[2] for scope in scopes}}
        if not names <= self.granted:
            self.granted |= names
            with open(os.environ["SIGN_INS"], "a") as file:
                file.write(" ".join(sorted(names)) + "\\n")
        token = mint_token(self.granted, tenant_id="{_TENANT}", now_s=time.time(), delegated=True)
        return AccessToken(token, int(time.time()) + 3600)

    def close(self):
        pass
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return a hook's environment: a person signs in with a browser, and azd remembers nothing."""
    (tmp_path / "azure/identity").mkdir(parents=True)
    (tmp_path / "azure/identity/__init__.py").write_text(_IDENTITY)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/azd").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/azd\n')
    (tmp_path / "bin/azd").chmod(0o755)
    temporary = tmp_path / ("temporary" * 12)  # longer than the address of a socket in the file system
    temporary.mkdir()
    return {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "HOME": str(tmp_path),
        "TMPDIR": str(temporary),
        "SIGN_INS": str(tmp_path / "sign-ins"),
        "AZURE_ENV_NAME": "dev",
        "ENTRA_CREDENTIAL": "browser",
        "AuthenticationEvents__AuthorityUrl": f"https://login.microsoftonline.com/{_TENANT}",
    }


async def _hook(server: GraphServer, environ: dict[str, str], *words: str) -> tuple[int, str, str]:
    """Run a hook's command as azd does, in a new process; return its exit code and what it printed."""
    command = (sys.executable, "-m", objects_session.__name__, *words, "--graph-url", server.url)
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


def _sign_ins(environ: dict[str, str]) -> list[str]:
    file = Path(environ["SIGN_INS"])
    return file.read_text().splitlines() if file.exists() else []


def _address_file(environ: dict[str, str]) -> Path:
    (file,) = Path(environ["TMPDIR"]).glob("entra-selftest-*.json")
    return file


def _left(environ: dict[str, str], seconds: float = 10) -> list[str]:
    """Return what is left of the process in the folder for temporary files, once it has had time to end."""
    end = time.monotonic() + seconds
    while (left := [path.name for path in Path(environ["TMPDIR"]).rglob("*")]) and time.monotonic() < end:
        time.sleep(0.05)
    return left


async def test_a_person_signs_in_once(environ: dict[str, str]) -> None:
    """The first hook signs in for both; the second one uses that; then the process is gone, and its file with it."""
    async with GraphServer(bare_tenant()) as server:
        first = ("keep", "apply", "--phase", "A", "--sign-in-for", "C", "--set-azd-env")
        code, out, err = await _hook(server, environ, *first)
        assert (code, err) == (0, ""), out
        assert "created       app registration   Claims endpoint (dev)" in out
        (app,) = [one for one in server.directory.export()["applications"] if one.get("uniqueName")]
        azd = Path(environ["HOME"]) / "azd"
        assert azd.read_text() == f"env set ENTRA_API_APP_ID {app['appId']} -e dev\n"
        file = _address_file(environ)
        assert file.stat().st_mode & 0o777 == 0o600
        assert json.loads(file.read_text()).keys() == {"port", "key"}
        deployed = {**environ, "ENTRA_API_APP_ID": app["appId"], "ENDPOINT_HOST": DEFAULT_HOST}
        code, out, err = await _hook(server, deployed, "end", "apply")
        assert (code, err) == (0, ""), out
        assert "created       extension          Claims endpoint (dev)" in out
        (asked,) = _sign_ins(environ)
        assert "CustomAuthenticationExtension.ReadWrite.All" in asked
        assert _left(environ) == []


async def test_later_hooks_sign_in_themselves(environ: dict[str, str]) -> None:
    """Without the process, as in a second `azd up` or `azd deploy`."""
    async with GraphServer(bare_tenant()) as server:
        for runs in (1, 2):
            code, out, _ = await _hook(server, {**environ, "ENDPOINT_HOST": DEFAULT_HOST}, "end", "apply")
            assert (code, len(_sign_ins(environ))) == (0, runs), out
        assert _left(environ, 0) == []


async def test_a_failure_ends_the_process(environ: dict[str, str]) -> None:
    """With the command's own message and exit code; azd is stopped by it."""
    async with GraphServer(bare_tenant()) as server:
        code, out, err = await _hook(server, {**environ, "ENTRA_TENANT_ID": "x"}, "keep", "apply", "--phase", "A")
        assert (code, out) == (2, "")
        assert "correct one of them" in err
        assert server.writes == []
        assert _left(environ) == []


async def test_a_process_that_is_gone_is_replaced(environ: dict[str, str]) -> None:
    """A file that leads nowhere, or was put there by nobody with the key, is no reason to stop."""
    async with GraphServer(bare_tenant()) as server:
        assert (await _hook(server, environ, "keep", "apply", "--phase", "A"))[0] == 0
        file = _address_file(environ)
        known = json.loads(file.read_text())
        file.write_text(json.dumps({**known, "key": "00" * 32}))
        code, _, err = await _hook(server, environ, "keep", "apply", "--phase", "A")
        assert (code, err) == (0, "")
        assert len(_sign_ins(environ)) == 2
        after = json.loads(file.read_text())
        assert after["key"] not in {known["key"], "00" * 32}
        for each in (known, after):
            objects_session._stop(("127.0.0.1", int(each["port"])), bytes.fromhex(each["key"]))


async def test_an_application_needs_no_process(environ: dict[str, str]) -> None:
    """A pipeline signs in by itself each time, and leaves nothing running."""
    async with GraphServer(bare_tenant()) as server:
        pipeline = {**environ, "ENTRA_CREDENTIAL": "client-secret"}
        code, _, err = await _hook(server, pipeline, "keep", "apply", "--phase", "A")
        assert code == 2
        assert "signing in by client-secret needs" in err
        assert _left(environ, 0) == []
