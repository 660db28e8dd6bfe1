"""``playground`` as a process: it starts, stops, and reports why it cannot start."""

import asyncio
import re
import signal
import socket
import uuid
from pathlib import Path

import aiohttp
import pytest

from tests.checkout import ROOT
from tests.selftest.command_process import command_process, exit_code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_prints_its_address_and_ends_with_a_signal(number: signal.Signals) -> None:
    """It stops even while the app is starting; the page is available from the first line on."""
    async with command_process("playground", "--port", "0") as process:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        url = line.split()[2]
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert response.status == 200
        process.send_signal(number)
        out, err = await process.communicate()
        assert (process.returncode, out, err) == (0, b"", b"")


async def test_it_ends_in_the_middle_of_sign_ins() -> None:
    """Nothing is left running and nothing is reported, whichever sign-in is active."""
    async with command_process("playground", "--port", "0") as process, aiohttp.ClientSession() as session:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().split()[2]
        async with session.get(url) as response:
            token = re.findall(r'name="page_token" value="([^"]+)"', await response.text())[0]

        async def sign_in(fault: str) -> int:
            form = {"page_token": token, "fault": fault}
            async with session.post(f"{url}/sign-in", data=form, allow_redirects=False) as response:
                return response.status

        assert await sign_in("downstream:latency") == 303
        hanging = [asyncio.create_task(sign_in(f"downstream:{name}")) for name in ("identity-hang", "hang", "hang")]
        hanging.append(asyncio.create_task(sign_in("reply:1003005")))
        await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        assert (process.returncode, out, err) == (0, b"", b"")
        assert all(
            isinstance(ended, aiohttp.ClientError) for ended in await asyncio.gather(*hanging, return_exceptions=True)
        )


async def test_the_settings_of_an_endpoint_elsewhere_are_printed() -> None:
    """The settings go to stderr, the URL to stdout."""
    argv = ("--port", "0", "--authority-port", "0", "--url", "http://127.0.0.1:1")
    async with command_process("playground", *argv) as process:
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        assert b"AuthenticationEvents__AuthorityUrl=http://127.0.0.1:" in err


async def test_ids_of_another_tenant_are_those_of_the_endpoint() -> None:
    """The emulated Entra has the tenant and the app registration that the flags name."""
    tenant, audience = "0a0a0a0a-1111-4111-8111-0123456789ab", "0b0b0b0b-1111-4111-8111-0123456789ab"
    argv = ("--port", "0", "--authority-port", "0", "--url", "http://127.0.0.1:1")
    async with command_process("playground", *argv, "--tenant", tenant, "--audience", audience) as process:
        assert process.stdout is not None
        await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
        authority, audience_setting = (
            re.findall(rf"AuthenticationEvents__{name}=(\S+)", err.decode())
            for name in ("AuthorityUrl", "AudienceAppId")
        )
        assert [url.rpartition("/")[2] for url in authority] == [tenant]
        assert audience_setting == [audience]


def test_a_tenant_file_has_its_own_ids(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Flags that would be ignored are refused."""
    mine = tmp_path / "mine.toml"
    mine.write_bytes((ROOT / "selftest/signin/tenant/sample.toml").read_bytes())
    for flag in ("--tenant", "--audience", "--extension"):
        assert exit_code("playground", "--tenant-file", str(mine), flag, str(uuid.uuid4())) == 2
        assert "are set in the tenant file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--port", "{taken}"], "choose another port with --port"),
        (["--port", "{taken}", "--url", "http://127.0.0.1:1", "--authority-port", "0"], "--port or --authority-port"),
        (["--tenant-file", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["--app", "docs"], "has no function_app.py"),
        (["--setting", "nonsense"], "expected NAME=VALUE"),
        (["--setting", "a=b", "--url", "http://127.0.0.1:1"], "has its own settings"),
        (["--setting", "Claims__Provider=nobody"], "no claims/providers/nobody.py"),
        (["--port", "x"], "expected a port"),
    ],
)
def test_what_cannot_run_is_exit_2(argv: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the remedy, without a traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert exit_code("playground", *(text.replace("{taken}", port) for text in argv)) == 2
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err
