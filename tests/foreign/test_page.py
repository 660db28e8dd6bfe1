"""docs/any-language.md: its commands run, its inputs exist, and what it says of the snippets is so."""

import asyncio
import os
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
import yaml

from selftest.entra.snippets.snippet import SNIPPETS
from tests.checkout import ROOT
from tests.foreign.programs import FOLDER
from tests.foreign.running import free_port
from tests.foreign.verdict import GROUPS

PAGE: Final = (ROOT / "docs" / "any-language.md").read_text()
_SECTIONS: Final = dict(re.findall(r"^### (\w[\w.]*)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
_BLOCK: Final = re.compile(r"```sh\n(.*?)```", re.DOTALL)
#: What fetches packages or makes a project: done by the reader.
_FETCHES: Final = ("npm install ", "pip install ", "python3 -m venv ")
_RUN: Final = ("Node", "Python")


def test_every_language_is_run_or_says_what_it_needs() -> None:
    """The sections of the languages that no test runs say so."""
    assert _SECTIONS.keys() == {"Node", "Python", "ASP.NET", "Java", "Go"}
    for name, text in _SECTIONS.items():
        assert ("The tests run these commands" in text) == (name in _RUN)
        assert ("No test runs it" in text) == (name not in _RUN)
        assert ("This needs" in text) == (name not in _RUN)


def test_the_table_says_which_snippets_are_run() -> None:
    """Every library of ``--for`` is in the table, with its state."""
    rows = re.findall(r"^\| [A-Z][\w#]* \| (`.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
    state = {library: words for names, words in rows for library in re.findall(r"`([\w-]+)`", names)}
    assert state.keys() == SNIPPETS.keys()
    assert {library: words == "run by the tests" for library, words in state.items()} == {
        library: snippet.tested for library, snippet in SNIPPETS.items()
    }


def test_the_workflow_uses_inputs_of_the_action() -> None:
    """The step that is printed has inputs that the action has."""
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (step,) = [step for step in yaml.safe_load(block) if "uses" in step]
    action = yaml.safe_load((ROOT / ".github" / "actions" / "selftest" / "action.yml").read_text())
    assert step["with"].keys() <= action["inputs"].keys()
    assert step["uses"].split("@")[0].endswith(".github/actions/selftest")


def _commands(name: str) -> tuple[list[str], list[str]]:
    """Return the commands of the first terminal and of the second one."""
    first, second = (block.strip().splitlines() for block in _BLOCK.findall(_SECTIONS[name]))
    return [line for line in first if not line.startswith(_FETCHES)], second


def _words(command: str, *, port: int, authority_port: int) -> list[str]:
    """Return the words of a command, with ports that are free here, and without a load, which other tests disturb."""
    words = [word.replace(":8080", f":{port}") for word in shlex.split(command)]
    if words[0] != "entra-selftest":
        return [{"python": sys.executable}.get(words[0], words[0]), *words[1:]]
    flag = "--port" if words[1] == "entra" else "--authority-port"
    groups = GROUPS if words[1] == "check" else ()
    return [sys.executable, "-m", "selftest", *words[1:], *groups, flag, str(authority_port)]


def test_environment_is_made_and_entered(tmp_path: Path) -> None:
    """The line of the page does what its sentence says, so that the `pip` after it is the environment's."""
    lines = _BLOCK.findall(_SECTIONS["Python"])[0].splitlines()
    (line,) = [one for one in lines if "venv" in one]
    assert lines.index(line) + 1 == lines.index('pip install "PyJWT[crypto]"')
    script = f"{line.replace('python3', shlex.quote(sys.executable))} && command -v pip"
    done = subprocess.run(["/bin/sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603
    assert Path(done.stdout.strip()) == tmp_path / "env/bin/pip"


@pytest.mark.parametrize("name", [pytest.param("Node", marks=pytest.mark.nightly), "Python"])
async def test_commands_lead_to_a_verdict(name: str, tmp_path: Path) -> None:
    """What is typed prints the endpoint, starts it, mints a token and passes every check that counts."""
    modules = FOLDER / "node_modules"
    if name == "Node" and not modules.is_dir():
        pytest.skip("npm ci --prefix tests/foreign installs what the page installs")
    (tmp_path / "node_modules").symlink_to(modules)
    port, authority_port = free_port(), free_port()
    (printing, starting), questions = _commands(name)
    command, file_name = printing.split(" > ")
    words = _words(command, port=port, authority_port=authority_port)
    text = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=60).stdout  # noqa: ASYNC221, S603
    (tmp_path / file_name).write_bytes(text)
    start = _words(starting, port=port, authority_port=authority_port)
    process = await asyncio.create_subprocess_exec(*start, cwd=tmp_path, env={**os.environ, "PORT": str(port)})
    try:
        await _listens(port)
        for question in questions:
            asked = await asyncio.create_subprocess_exec(
                *_words(question, port=port, authority_port=authority_port),
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            out, _ = await asked.communicate()
            assert asked.returncode == 0, out.decode()
    finally:
        process.terminate()
        await process.wait()


def _recipe(folder: Path, endpoint: str, port: int) -> str:
    """Return the script of the page for a shell, with an endpoint of Python and a stand-in for the installed tool."""
    authority_port = str(free_port())
    tool, root = f"{shlex.quote(sys.executable)} -m selftest", shlex.quote(str(ROOT))
    words = [sys.executable, "-m", "selftest", "entra", "--for", "pyjwt", "--port", authority_port]
    printed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True).stdout  # noqa: S603
    (folder / "endpoint.py").write_bytes(printed)
    (folder / "silent.py").write_text("import time\ntime.sleep(600)\n")
    installed = folder / "selftest-env" / "bin" / "entra-selftest"
    installed.parent.mkdir(parents=True)
    groups = f"{' '.join(GROUPS)} --authority-port {authority_port}"
    installed.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {tool} "$@" {groups}\n')
    installed.chmod(0o755)
    (block,) = _BLOCK.findall(PAGE.partition("## In continuous integration")[2].partition("\n## ")[0])
    lines = [line for line in block.splitlines() if "venv " not in line and "pip install" not in line]
    script = "\n".join([*lines, ""]).replace("node endpoint.mjs", f"{shlex.quote(sys.executable)} {endpoint}")
    return script.replace(":8080", f":{port}").replace("$!", "$! && echo $! > endpoint.pid")


@pytest.mark.parametrize(
    ("endpoint", "wait", "code", "says"),
    [("endpoint.py", "60s", 0, 'errors="0"'), ("silent.py", "1s", 2, "could not run")],
)
async def test_the_recipe_of_a_shell_ends_with_the_code_of_check(
    tmp_path: Path, endpoint: str, wait: str, code: int, says: str
) -> None:
    """The endpoint is stopped, and the JUnit file says what happened, also if nothing could be checked."""
    port = free_port()
    script = _recipe(tmp_path, endpoint, port).replace("--wait 60s", f"--wait {wait}")
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-e", "-c", script),
        cwd=tmp_path,
        env={**os.environ, "PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == code, out.decode()
    assert says in (tmp_path / "selftest.xml").read_text()
    stopped = int((tmp_path / "endpoint.pid").read_text())
    async with asyncio.timeout(60):
        with suppress(ProcessLookupError):
            while True:
                os.kill(stopped, 0)
                await asyncio.sleep(0.05)


async def _listens(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(ConnectionError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)
