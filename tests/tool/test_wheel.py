"""The wheel in an empty environment, without extras: every base command works from an empty folder."""

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from selftest import __version__
from selftest.cli import COMMANDS
from tests.checkout import ROOT
from tests.selftest.load.endpoint import GOOD_BODY, good, serving

#: Of the whole environment; without pip, which it does not have, and without what Python compiles.
MAX_MEGABYTES = 60
#: The modules that the console script and a command load, with those that Python starts with. Two dozen are room for
#: another version of Python or of a dependency.
MAX_MODULES = {"judge --failure timeout": 160, "explain 1003005": 150, "--help": 120, "host --help": 140}
#: What explaining, judging and helping do without.
HEAVY = {"aiohttp", "asyncio", "cryptography", "jinja2", "jsonschema", "jwt", "rich", "yarl"}


@pytest.fixture(autouse=True)
def an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where nothing of this repository is, without what a developer's shell may point to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)


def run(bin_dir: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the console script."""
    return subprocess.run(  # noqa: S603 - the script that was installed
        [bin_dir / "entra-selftest", *words], input=stdin, capture_output=True, check=False, timeout=60
    )


def test_wheel_holds_one_package_and_its_data(wheel: Path) -> None:
    """One top-level package with templates and samples, of the checkout's version."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"selftest", f"entra_selftest-{__version__}.dist-info"}
    data = {path for ending in ("toml", "json", "jinja") for path in (ROOT / "selftest").rglob(f"*.{ending}")}
    assert len(data) > 20
    assert {path.relative_to(ROOT).as_posix() for path in data} <= set(names)
    assert not [name for name in names if name.endswith(".pyc")]


def test_environment_is_small(bin_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a base install takes on disk is printed, and has a limit."""
    sizes: dict[str, int] = {}
    for path in bin_dir.parent.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix != ".pyc":
            parts = path.relative_to(bin_dir.parent).parts
            name = parts[parts.index("site-packages") + 1] if "site-packages" in parts else parts[0]
            sizes[name] = sizes.get(name, 0) + path.stat().st_size
    megabytes = sum(sizes.values()) / 1e6
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:6]
    with capsys.disabled():
        shown = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in largest)
        sys.stdout.write(f"\nbase install {megabytes:.1f} MB: {shown}\n")
    assert megabytes <= MAX_MEGABYTES


def test_version_and_help(bin_dir: Path) -> None:
    """The script is called by its name."""
    assert run(bin_dir, "--version").stdout == f"entra-selftest {__version__}\n".encode()
    assert run(bin_dir).returncode == 2  # `run`, in a folder without an app
    assert run(bin_dir, "--help").stdout.startswith(b"usage: entra-selftest [-h] [--version] COMMAND ")


def test_judge(bin_dir: Path) -> None:
    """A reply from a pipe is judged."""
    done = run(bin_dir, "judge", "--body", "-", stdin=GOOD_BODY)
    assert (done.returncode, json.loads(done.stdout)["minted"]) == (0, True)
    assert run(bin_dir, "judge", "--failure", "timeout").returncode == 1


def test_explain(bin_dir: Path) -> None:
    """A code, a check and a statement of the doctor are explained, and commands have the script's name."""
    done = run(bin_dir, "explain", "1003005", "T01", "D01")
    assert done.returncode == 0
    assert b"CustomExtensionTimedOut" in done.stdout
    assert run(bin_dir, "explain", "1").returncode == 2


def test_explanations_name_files_that_are_installed(bin_dir: Path) -> None:
    """Where no checkout and no copy is, each file of the endpoint is named where the wheel has it."""
    ids = [entry["id"] for entry in json.loads(run(bin_dir, "explain", "--list", "--json").stdout)]
    shown = run(bin_dir, "explain", *ids, "--json").stdout.decode()
    assert "python -m selftest" not in shown
    named = set(re.findall(r"(?<![\w.-])[\w/.-]*\b(?:claims|docs|selftest|tests)/[\w/.-]+\.(?:md|py)\b", shown))
    assert len(named) > 10
    assert not [name for name in named if not Path(name).is_file()]


def test_check_signin_and_load_against_a_url(bin_dir: Path, tmp_path: Path) -> None:
    """An endpoint that runs elsewhere is checked, signed in to and loaded."""
    with serving(good) as url:
        elsewhere = ("--url", url, "--authority-port", "0")
        checked = run(bin_dir, "check", "C01", *elsewhere, "--junit", "junit.xml")
        assert (checked.returncode, checked.stderr) == (0, b"")
        signed_in = run(bin_dir, "signin", *elsewhere, "--json")
        assert (signed_in.returncode, json.loads(signed_in.stdout)["verdict"]["minted"]) == (0, True)
        loaded = run(bin_dir, "load", *elsewhere, "--rate", "20", "--duration", "1s", "--warmup", "100ms")
        # How late the generator is on a busy machine decides between the two.
        assert loaded.returncode in {0, 3}, loaded
        assert b"Traceback" not in loaded.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "selftest-report"]
    assert {path.name for path in Path("selftest-report").iterdir()} >= {"report.html", "results.json", "junit.xml"}


def test_entra_serves_and_ends(bin_dir: Path) -> None:
    """The emulated Entra prints what an endpoint needs and ends on a signal."""
    process = subprocess.Popen([bin_dir / "entra-selftest", "entra", "--port", "0"], stdout=subprocess.PIPE)  # noqa: S603
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(b"# listening on "):
            break
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 0
    assert any(line.startswith(b"AuthenticationEvents__AuthorityUrl=http://127.0.0.1:") for line in lines)


def test_missing_extra_is_named(bin_dir: Path) -> None:
    """A command that needs an extra says in one sentence which one, with exit code 2."""
    done = run(bin_dir, "objects", "status", "--env", "dev", "--tenant", "22222222-2222-4222-8222-222222222222")
    assert done.returncode == 2
    assert b"install the extra 'tenant', as in pipx install --force 'entra-selftest[tenant]'" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("command", ["run", "check", "signin", "load", "host"])
def test_folder_without_an_app_says_what_to_name(bin_dir: Path, command: str) -> None:
    """Without --url an app is needed."""
    done = run(bin_dir, command)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{command}: there is no function_app.py in ".encode())


def test_help_of_every_command(bin_dir: Path) -> None:
    """Help needs no extra. One process asks for all of it: it is the same parser each time."""
    script = (
        "import sys\nsys.argv[0] = 'entra-selftest'\nfrom selftest.__main__ import main\n"
        "for command in sys.argv[1:]:\n"
        "  try: main([command, '--help'])\n"
        "  except SystemExit as end: assert not end.code\n"
    )
    words: list[str] = [str(bin_dir / "python"), "-c", script, *COMMANDS]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603 - as installed
    assert re.findall(r"^usage: entra-selftest ([\w-]+)", shown, re.MULTILINE) == [*COMMANDS]


@pytest.mark.parametrize("command", MAX_MODULES)
def test_command_loads_little(bin_dir: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The number of modules that a light command loads is printed, and has a limit."""
    script = (
        "import sys\nsys.argv[0] = 'entra-selftest'\nfrom selftest.__main__ import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('\\n', len(sys.modules), *{name.partition('.')[0] for name in sys.modules})"
    )
    words: list[str] = [str(bin_dir / "python"), "-c", script, *command.split()]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603 - as installed
    count, *names = shown.rpartition("\n ")[2].split()
    with capsys.disabled():
        sys.stdout.write(f"\nmodules: {command} {count}\n")
    assert int(count) <= MAX_MODULES[command]
    assert not HEAVY & set(names)


def test_package_that_is_missing_is_named(bin_dir: Path) -> None:
    """An environment that is not whole says how to make one, without a traceback."""
    hidden = "import sys; sys.modules['aiohttp'] = None; from selftest.__main__ import main; sys.exit(main(['entra']))"
    done = subprocess.run([bin_dir / "python", "-c", hidden], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert re.fullmatch(r"entra: the package 'aiohttp' is missing here: pipx install --force .*\n", done.stderr)


def test_console_script_of_a_closed_pipe_is_silent(bin_dir: Path) -> None:
    """A reader that leaves is no error to report."""
    shell = f"'{bin_dir / 'entra-selftest'}' explain --list | head -1"
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=True, env=os.environ)  # noqa: S603
    assert done.stderr == ""
