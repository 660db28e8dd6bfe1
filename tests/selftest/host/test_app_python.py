"""The app's interpreter: it has what the app needs, and nothing of the tool reaches the app."""

import asyncio
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from selftest.base.app_folder import AppFolder
from selftest.base.cannot_run import CannotRun
from selftest.base.program import PROGRAM
from selftest.cli import main
from selftest.host.process import AppProcess, AppStartError

APPS = Path(__file__).parent / "apps"
TOOLS = "selftest,h11,aiohttp,rich,jwt"


def distributions(name: str) -> set[str]:
    """Return a distribution and all that it needs."""
    needs = importlib.metadata.requires(name) or []
    words = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in needs if "extra ==" not in line]
    return {name}.union(*map(distributions, words))


@pytest.fixture(name="bare", scope="module")
def a_bare_interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment without any package."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)  # noqa: S603 - ours
    return folder / ".venv" / "bin" / "python"


@pytest.fixture(name="lean", scope="module")
def an_interpreter_with_the_worker_library(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment that has azure-functions-runtime and what that needs."""
    packages = tmp_path_factory.mktemp("packages")
    for name in distributions("azure-functions-runtime"):
        for file in importlib.metadata.files(name) or ():
            if ".." not in file.parts and not file.name.endswith(".pyc"):
                (packages / file).parent.mkdir(parents=True, exist_ok=True)
                (packages / file).symlink_to(file.locate())
    folder = tmp_path_factory.mktemp("lean")
    subprocess.run([bare, "-m", "venv", "--without-pip", folder / ".venv"], check=True)  # noqa: S603 - ours
    (site,) = (folder / ".venv").glob("lib/*/site-packages")
    (site / "packages.pth").write_text(f"{packages}\n")
    return folder / ".venv" / "bin" / "python"


async def test_app_finds_nothing_of_the_tool(lean: Path) -> None:
    """The worker library is enough for the interpreter, and what the edge needs is hidden from the app."""
    async with (
        AppProcess({}, app_dir=APPS / "finds", python=lean) as app,
        aiohttp.ClientSession() as session,
        session.get(f"{app.url}/api/finds", params={"names": f"{TOOLS},azure.functions"}) as response,
    ):
        answer = await response.json(content_type=None)
    assert answer == {"found": ["azure.functions"], "loaded": ["azure.functions"], "python": str(lean)}


async def test_interpreter_without_the_worker_library_says_what_to_install(bare: Path) -> None:
    """The message names the interpreter and the package."""
    with pytest.raises(AppStartError) as caught:
        async with AppProcess({}, app_dir=APPS / "finds", python=bare):
            pytest.fail("the app started")
    assert caught.value.stderr.startswith(f"{bare} has no azure-functions-runtime: install")
    assert "Traceback" not in caught.value.stderr


def test_interpreter_is_the_apps_own(bare: Path) -> None:
    """A .venv in the folder is used, its link unresolved; without one it is the interpreter that runs the tool."""
    assert AppFolder.at(bare.parents[2]).python == bare
    assert AppFolder.at(APPS / "echo").python == Path(sys.executable)
    assert AppFolder.at(APPS / "echo", Path("some/python")).python == Path.cwd() / "some" / "python"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--app", "nowhere"), "there is no function_app.py in "),
        (("--app", str(APPS / "echo"), "--app-python", "nowhere"), "there is no interpreter "),
    ],
)
def test_folder_without_an_app_is_exit_code_2(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says what is missing, where, and which flag to use."""
    assert main(["host", *words]) == 2
    assert message in capsys.readouterr().err


def test_the_first_command_in_an_empty_folder_says_what_else_there_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever types the name of the tool alone learns of an endpoint that runs elsewhere, and of the help."""
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"run: there is no function_app.py in {tmp_path}: ")
    for command in ("check --url URL", "entra", "--help"):
        assert f"`{PROGRAM} {command}`" in line


def test_folder_is_checked_before_it_is_run() -> None:
    """What has a function app is accepted."""
    AppFolder.at(APPS / "echo").require_app()
    with pytest.raises(CannotRun, match="--url URL"):
        AppFolder.at(APPS).require_app()


async def test_command_serves_an_app_of_another_folder(lean: Path, tmp_path: Path) -> None:
    """``host`` becomes the process that serves: its pipe has the address, its signal ends it."""
    words = ("-m", "selftest", "host", "--port", "0", "--app", str(APPS / "finds"), "--app-python", str(lean))
    environment = {"PYTHONPATH": str(Path(__file__).parents[3])}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *words), cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 20)).startswith(b"listening on http://127.0.0.1:")
    process.terminate()
    assert await process.wait() == 0
