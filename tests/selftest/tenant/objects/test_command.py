"""The command line at an emulated Graph: lines, exit codes and messages."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from selftest.cli import parser
from selftest.commands import objects
from selftest.tenant.graph.unsigned_tokens import mint_token
from selftest.tenant.objects.wait_times import WaitTimes
from tests.emulated_graph.faults import GraphFault
from tests.emulated_graph.healthy_tenant import DEFAULT_HOST
from tests.emulated_graph.server import ALL_PERMISSIONS, GraphServer
from tests.selftest.tenant.graph.wiring import bare_tenant, listener
from tests.selftest.tenant.objects.entra_environment import CLIENT, compare_with_the_description
from tests.selftest.tenant.objects.test_conflicts import ALIEN

ROOT = Path(__file__).parents[4]
ENVIRON = {"AZURE_ENV_NAME": "dev", "ENDPOINT_HOST": DEFAULT_HOST}
AT_ONCE = WaitTimes(settle_s=0.0, doubt_s=0.0, between_s=0.0, validate_s=0.0)
ENABLE = ("--enable", CLIENT, "--no-health-check")


@contextlib.asynccontextmanager
async def graph(**options: Any) -> AsyncIterator[GraphServer]:
    """Start an emulated Graph in today's time; check its requests at the end."""
    async with GraphServer(bare_tenant(), **options) as server:
        yield server
        compare_with_the_description(server)


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Run the command without waiting."""
    return objects.run(parser().parse_args(["objects", *arguments]), environ, AT_ONCE)


async def run(server: GraphServer, *arguments: str, environ: Mapping[str, str] = ENVIRON) -> int:
    """Run a command in another thread, because it starts an event loop."""
    return await asyncio.to_thread(main, [*arguments, "--graph-url", server.url], environ)


async def test_plan_apply_status_remove(capsys: pytest.CaptureFixture[str]) -> None:
    """Plan, apply, apply again, status, remove: each step is a line, and each command succeeds."""
    async with graph() as server:
        empty = server.directory.export()
        assert await run(server, "plan", *ENABLE) == 0
        planned = capsys.readouterr().out
        assert re.search(r"^would create  app registration +Claims endpoint \(dev\)$", planned, re.MULTILINE)
        assert re.search(r"^ {33}clientConfiguration.timeoutInMilliseconds: 2000$", planned, re.MULTILINE)
        assert server.writes == []
        assert await run(server, "apply", *ENABLE) == 0
        made = capsys.readouterr().out
        assert re.search(r"^created       listener ", made, re.MULTILINE)
        (app_id,) = (each["appId"] for each in server.directory.export()["applications"] if each["uniqueName"])
        assert made.splitlines()[-1] == f"azd env set ENTRA_API_APP_ID {app_id} -e dev"
        writes = len(server.writes)
        assert await run(server, "apply", *ENABLE, environ={**ENVIRON, "ENTRA_API_APP_ID": app_id}) == 0
        again = capsys.readouterr().out
        assert {line.split()[0] for line in again.splitlines()} == {"exists", "clean"}
        assert await run(server, "status") == 0
        assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} == {"exists"}
        assert len(server.writes) == writes
        assert await run(server, "remove", "--yes") == 0
        assert re.search(r"^deleted       app registration ", capsys.readouterr().out, re.MULTILINE)
        assert server.directory.export()["applications"] == empty["applications"]
        assert await run(server, "remove", "--yes") == 0
        assert "nothing of 'Claims endpoint (dev)' exists" in capsys.readouterr().out


async def test_a_plan_without_a_tenant_lists_what_an_empty_one_gets(capsys: pytest.CaptureFixture[str]) -> None:
    """The same objects with the same members; nothing is said of what only the tenant shows."""
    claims = ("--claims", "Region,Guest:custom_guest")
    assert await asyncio.to_thread(main, ["plan", "--offline", *ENABLE, *claims], ENVIRON) == 0
    offline = capsys.readouterr().out
    async with graph() as server:
        assert await run(server, "plan", *ENABLE, *claims) == 0
        online = capsys.readouterr().out
    made = re.compile(r"^would \w+ +(.{18})|^ {33}(?!api\.acceptMappedClaims)(.*)$", re.MULTILINE)
    needed = re.compile(r"^needed +(.{18})|^ {33}(?!api\.acceptMappedClaims)(.*)$", re.MULTILINE)
    assert {found[0] for found in made.findall(online)} <= {found[0] for found in needed.findall(offline)}
    assert {found[1] for found in made.findall(online)} <= {found[1] for found in needed.findall(offline)}
    assert {line.split()[0] for line in offline.splitlines() if line[0] != " "} == {"needed", "no", "unknown,"}
    assert 'api.acceptMappedClaims: "unknown" -> true' in offline
    assert "other policy" not in offline
    assert "CustomAuthenticationExtension.ReadWrite.All" in offline


def test_a_plan_without_a_tenant_knows_no_claims(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that are registered are not read, and the sample's would be a guess; phase A has none."""
    assert main(["plan", "--offline"], ENVIRON) == 2
    assert "which claims? Set ENTRA_CLAIMS_FROM" in capsys.readouterr().err
    adopted = {"AZURE_ENV_NAME": "dev", "ENTRA_API_APP_ID": CLIENT}
    assert main(["plan", "--offline", "--phase", "A"], adopted) == 0
    assert f"ENTRA_API_APP_ID={CLIENT}: the app registration with this client id" in capsys.readouterr().out


async def test_status_shows_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    """Missing, different and in conflict, for every application that was enabled; the host is known from the tenant."""
    environ = {"AZURE_ENV_NAME": "dev"}
    async with graph() as server:
        assert await run(server, "status", environ=environ) == 0
        assert re.search(r"^missing       extension ", capsys.readouterr().out, re.MULTILINE)
        assert await run(server, "apply", *ENABLE) == 0
        (extension,) = server.directory.kinds["customAuthenticationExtensions"].values()
        extension["clientConfiguration"]["maximumRetries"] = 0
        server.directory.assignments.clear()
        server.writer.create("authenticationEventListeners", listener(extension["id"], conditions=ALIEN))
        capsys.readouterr()
        assert await run(server, "status", environ=environ) == 0
        shown = capsys.readouterr().out
        assert re.search(r"^missing       consent ", shown, re.MULTILINE)
        assert re.search(
            r"^differs       extension .*\n +clientConfiguration.maximumRetries: 0 -> 1$", shown, re.MULTILINE
        )
        assert re.search(r"^conflict      listener\n +the listener None .* is for application", shown, re.MULTILINE)


async def test_a_conflict_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    """The reason is on stderr, and nothing is written."""
    async with graph() as server:
        assert await run(server, "apply") == 0
        writes = len(server.writes)
        assert await run(server, "apply", "--host", "other.sample.example") == 1
        assert "objects: the extension" in capsys.readouterr().err
        assert len(server.writes) == writes


async def test_validation_that_is_not_clean_is_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    """At the deadline, with Entra's report."""
    async with graph() as server:
        assert await run(server, "apply", "--phase", "B") == 0
        (application,) = (each for each in server.directory.kinds["applications"].values() if each["uniqueName"])
        say = {"errors": [{"code": "ServicePrincipalNotFound", "message": "x"}], "warnings": []}
        path = "/identity/customAuthenticationExtensions/validate"
        server.faults.add(GraphFault(path=path, status=200, body=json.dumps(say).encode(), count=None))
        assert await run(server, "apply") == 3
        assert "ServicePrincipalNotFound x. The extension is untouched" in capsys.readouterr().err
        assert application["identifierUris"]


@pytest.mark.parametrize(
    ("arguments", "environ", "says"),
    [
        (["apply"], {}, "which environment"),
        (["apply"], {"AZURE_ENV_NAME": "dev"}, "which host"),
        (["apply", "--env", "../../etc"], {}, "not the name of an azd environment"),
        (["apply", "--phase", "A", "--enable", CLIENT], ENVIRON, "--enable needs the extension"),
        (["apply", "--claims", "sub"], ENVIRON, "may not emit 'sub'"),
        (["remove", "--graph-url", "http://graph.example"], ENVIRON, "--graph-url: the address of Graph has to start"),
        (["status", "--credential", "client-secret"], ENVIRON, "needs AZURE_TENANT_ID"),
    ],
)
def test_what_cannot_run_is_exit_code_2(
    arguments: list[str], environ: dict[str, str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the reason and what to do, never a traceback."""
    signed = [] if "--graph-url" in arguments else ["--graph-url", "http://127.0.0.1:9"]
    given = environ | ({"ENTRA_CREDENTIAL": "client-secret"} if "--graph-url" in arguments else {})
    if "--graph-url" in arguments:
        given |= {"AZURE_TENANT_ID": "x", "AZURE_CLIENT_ID": "x", "AZURE_CLIENT_SECRET": "x"}
    assert main([*arguments, *signed], given) == 2
    assert says in capsys.readouterr().err


def test_everything_that_is_missing_is_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """One run names the environment, the host and every flag that cannot be used."""
    assert main(["plan", "--enable", "x", "--claims", "a,a"], {}) == 2
    err = capsys.readouterr().err

    for says in ("which environment", "which host", "--enable 'x'", "--claims names 'a' twice"):
        assert says in err
    assert all(line.startswith("objects: ") for line in err.splitlines())


async def test_the_sign_in_has_to_be_to_the_intended_tenant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person has many tenants, and one of them is production."""
    theirs, ours = "11111111-1111-4111-8111-111111111112", "11111111-1111-4111-8111-111111111113"

    def mint(permissions: tuple[str, ...], *, tenant_id: str, now_s: float) -> str:
        del tenant_id
        return mint_token(permissions, tenant_id=theirs, now_s=now_s)

    monkeypatch.setattr("selftest.tenant.graph.connection.mint_token", mint)
    async with graph() as server:
        assert await run(server, "apply", "--tenant", ours) == 2
        assert f"the sign-in is to tenant {theirs}, not {ours}" in capsys.readouterr().err
        assert server.log == []


async def test_missing_permissions_are_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are named before anything is written, also where they are missing for the last step alone."""
    granted = set(ALL_PERMISSIONS)

    def mint(permissions: tuple[str, ...], *, tenant_id: str, now_s: float) -> str:
        del permissions
        return mint_token(granted, tenant_id=tenant_id, now_s=now_s)

    monkeypatch.setattr("selftest.tenant.graph.connection.mint_token", mint)
    async with graph() as server:
        granted.remove("EventListener.ReadWrite.All")
        assert await run(server, "apply", *ENABLE) == 2
        shown = capsys.readouterr().err
        assert "nothing was written:\nobjects:   EventListener.ReadWrite.All\n" in shown
        assert server.writes == []
        assert await run(server, "apply") == 0
        assert await run(server, "remove", "--yes") == 0


async def test_removal_asks(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal nothing is deleted, and the objects are listed."""
    async with graph() as server:
        assert await run(server, "apply") == 0
        writes = len(server.writes)
        assert await run(server, "remove") == 2
        shown = capsys.readouterr()
        assert re.search(r"^would delete  extension ", shown.out, re.MULTILINE)
        assert "pass --yes" in shown.err
        assert len(server.writes) == writes


@pytest.mark.parametrize(("typed", "code", "left"), [(b"y\n", 0, 0), (b"n\n", 2, 1), (None, 130, 1)])
async def test_a_person_decides(typed: bytes | None, code: int, left: int) -> None:
    """At a terminal: yes deletes, anything else does not, and an interrupt ends the question at once."""
    async with graph() as server:
        assert await run(server, "apply") == 0
        ours, theirs = os.openpty()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "selftest", "objects", "remove", "--graph-url", server.url),
            cwd=ROOT,
            env={**os.environ, **ENVIRON},
            stdin=theirs,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            await process.stdout.readuntil(b"Do this? [y/N] ")
            if typed is None:
                process.send_signal(signal.SIGINT)
            else:
                os.write(ours, typed)
            await process.communicate()
        os.close(ours)
        os.close(theirs)
        assert process.returncode == code
        assert len(server.directory.export()["customAuthenticationExtensions"]) == left


async def test_the_host_must_answer_before_sign_ins_depend_on_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An endpoint that does not answer would prevent all sign-ins at once: nothing is written."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # so that the name is looked up by nobody
    async with graph() as server:
        assert await run(server, "apply", "--enable", CLIENT) == 2
        assert "/api/health does not answer" in capsys.readouterr().err
        assert server.writes == []


async def test_disable_needs_neither_the_endpoint_nor_its_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """At night only the environment's name is known; enabling again asks the host that the extension calls."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # so that the name is looked up by nobody
    bare = {"AZURE_ENV_NAME": "dev", "ENTRA_CLAIMS_FROM": "gone.json"}
    async with graph() as server:
        assert await run(server, "apply", *ENABLE) == 0
        assert await run(server, "status", environ=bare) == 0
        capsys.readouterr()
        assert await run(server, "disable", CLIENT.upper(), environ=bare) == 0
        shown = capsys.readouterr().out
        assert re.search(r"^deleted       listener ", shown, re.MULTILINE)
        assert shown.splitlines()[-1] == (
            f"verified: no listener includes {CLIENT}, users sign in without the claims; back: objects enable {CLIENT}"
        )
        assert server.directory.export()["authenticationEventListeners"] == []
        writes = len(server.writes)
        assert await run(server, "enable", CLIENT, environ=bare) == 2
        assert f"https://{DEFAULT_HOST}/api/health does not answer" in capsys.readouterr().err
        assert len(server.writes) == writes
        assert await run(server, "enable", CLIENT, "--no-health-check", environ=bare) == 0
        assert capsys.readouterr().out.splitlines()[-1].startswith("verified: the listener is back")


async def test_an_interrupt_is_exit_code_130() -> None:
    """The finished steps are on stdout; the next run continues there."""
    async with graph() as server:
        server.faults.add(GraphFault(manner="hang", method="POST", path="/servicePrincipals", count=1))
        command = [sys.executable, "-m", "selftest", "objects", "apply", "--graph-url", server.url]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={**os.environ, **ENVIRON},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(30):
            while not any(request.method == "POST" for request in server.log):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGINT)
            written, errors = await process.communicate()
        assert process.returncode == 130
        assert written.decode().startswith("created       app registration")
        assert errors.decode().startswith("objects: interrupted; what is listed is done")
        assert await run(server, "apply") == 0


async def test_the_requested_permissions_are_enough() -> None:
    """The permissions that each command's sign-in asks for carry it to its end: Graph refuses nothing."""
    async with graph() as server:
        switches = (("disable", CLIENT), ("enable", CLIENT, "--no-health-check"))
        for command in (("apply", *ENABLE), *switches, ("status",), ("plan",), ("remove", "--yes")):
            assert await run(server, *command) == 0
        assert {request.status for request in server.log} <= {200, 201, 204, 404}
