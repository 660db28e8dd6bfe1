"""The app's process: how it starts, fails to start, and ends."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest

from selftest.base.app_folder import app_environment
from selftest.host import process as process_module
from selftest.host.process import AppProcess, AppStartError
from tests.checkout import ROOT

APPS = Path(__file__).parent / "apps"


async def start_error(app: str) -> AppStartError:
    """Start an app that cannot start."""
    with pytest.raises(AppStartError) as caught:
        async with AppProcess({}, app_dir=APPS / app):
            pytest.fail("the app started")
    return caught.value


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_ends_it_cleanly_while_a_request_hangs(number: signal.Signals) -> None:
    """The exit code is 0 and nothing is left, though one request will never be answered."""
    async with AppProcess({}, app_dir=APPS / "echo") as app, aiohttp.ClientSession() as session:
        with pytest.raises(TimeoutError):
            await session.get(f"{app.url}/api/escape", timeout=aiohttp.ClientTimeout(total=0.05))
        hanging = asyncio.create_task(session.get(f"{app.url}/api/escape"))
        await (await session.get(f"{app.url}/api/plain")).read()
        os.kill(app.pid, number)
        with pytest.raises(aiohttp.ClientError):
            await asyncio.wait_for(hanging, 20)
        assert await app.stop() == 0
    assert not any("Traceback" in line for line in app.logs)


async def test_failed_import_gives_the_apps_own_message() -> None:
    """Every line of the message is there, with the place, and without the library's stack."""
    error = await start_error("broken")
    assert error.message.endswith("did not start (exit code 2)")
    assert error.stderr.splitlines()[1:-1] == [
        "SettingsError: 2 settings to mend:",
        "  - First: is missing",
        "  - Second: is not a number",
        "raised at settings_of_app.py:10",
    ]


async def test_missing_module_is_named_without_the_whole_path() -> None:
    """The library's list of directories is left out."""
    error = await start_error("missing_module")
    assert "No module named 'no_such_module'" in error.stderr
    assert "raised at function_app.py:3" in error.stderr
    assert "site-packages" not in error.stderr


async def test_app_that_exits_is_a_failed_start() -> None:
    """An exit while importing is told as such."""
    assert "the app called sys.exit('no thanks')" in (await start_error("exits")).stderr


def test_harness_may_run_on_uvloop() -> None:
    """The load generator's loop starts apps too."""
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert "no thanks" in runner.run(start_error("exits")).stderr


async def test_directory_without_an_app_is_named() -> None:
    """The message says what was looked for and where; the harness's own app is not served instead."""
    error = await start_error(".")
    assert f"there is no function_app.py with at least one function in {APPS}" in error.stderr


async def test_missing_directory_is_named() -> None:
    """A wrong path is an error of the start, not of the operating system."""
    assert str(await start_error("nowhere")) == f"there is no {APPS / 'nowhere'}: it is the app's folder or its Python"


async def test_app_that_never_listens_is_ended() -> None:
    """The start gives up after its time and leaves no process behind, though the app ignores SIGTERM."""
    app = AppProcess({}, app_dir=APPS / "hangs", start_timeout_s=0.8, stop_timeout_s=0.1)
    with pytest.raises(AppStartError, match=r"did not listen within 0\.8 s"):
        await app.__aenter__()
    assert app.returncode not in {None, 0}


async def test_port_in_use_says_what_to_do() -> None:
    """A taken port is exit code 2 with the port's number and a way on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "selftest", "host", "--port", port, "--app", str(APPS / "echo")),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert f"port {port} on 127.0.0.1 cannot be used".encode() in err
    assert b"--port 0" in err


async def test_host_takes_settings_like_the_other_commands() -> None:
    """--setting comes on top of the environment; one that the app does not have is refused before the start."""
    words = (sys.executable, "-m", "selftest", "host", "--port", "0", "--app", str(ROOT))
    for setting, message in (
        ("Claims__Providr=sample", b"--setting Claims__Providr: the app has no such setting; the nearest is"),
        ("Claims__BudgetMs=99", b"Claims__BudgetMs must be"),
    ):
        process = await asyncio.create_subprocess_exec(
            *(*words, "--setting", setting), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        assert (process.returncode, out, message in err) == (2, b"", True), err


def test_app_sees_only_its_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell sets for an app, or an Azure host would, does not reach it."""
    monkeypatch.setenv("Claims__BudgetMs", "1")
    monkeypatch.setenv("WEBSITE_INSTANCE_ID", "x")
    monkeypatch.setenv("LANG", "C")
    environment = app_environment()
    assert environment["LANG"] == "C"
    assert not {"Claims__BudgetMs", "WEBSITE_INSTANCE_ID"} & environment.keys()


async def test_log_is_read_in_lines_of_bounded_length() -> None:
    """Lines survive being cut by the pipe, lose what is too long, and need no last line break."""
    stream = asyncio.StreamReader()
    for chunk in (b"one\r\ntw", b"o\n", b"x" * 9_000, b"y" * 9_000, b"\nlast \xff"):
        stream.feed_data(chunk)
    stream.feed_eof()
    lines: list[str] = []
    await process_module._read_lines(stream, lines.append)
    assert lines == ["one", "two", "x" * 8_192, "last \ufffd"]


def test_asking_for_a_process_that_is_not_started_says_how_to() -> None:
    """The error names the way."""
    with pytest.raises(RuntimeError, match="async with AppProcess"):
        _ = AppProcess({}, app_dir=APPS / "echo").pid
