"""A copy in an empty folder, with nothing of this repository beside it: the promises of its README, kept.

It is made by one command of the installed tool, tested, packed and planned; then the provider is changed and a later
version arrives. `STARTER_PROVIDERS=all` does the first half for every kind of provider, not for one's own alone.
"""

import asyncio
import hashlib
import json
import os
import re
import shlex
import sys
import zipfile
from pathlib import Path

import pytest

from selftest import __version__
from selftest.starter.answers import PROVIDERS
from selftest.starter.tool_wheel import wheel_from_file
from tests.emulated_graph.healthy_tenant import DEFAULT_HOST
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.graph.wiring import bare_tenant
from tests.starter.commands import run, succeed
from tests.starter.test_contents import MAX_FILES, MAX_PYTHON_LINES
from tests.starter.transcript import Command, steps
from tests.starter.wheels import LATER, built, later

KINDS = tuple(PROVIDERS) if os.environ.get("STARTER_PROVIDERS") == "all" else ("own",)
TENANT = "0a0a0a0a-1111-4111-8111-0123456789ab"
#: What a copier owns, with a line that is added to each.
MINE = {
    "README.md": "Ours.\n",
    "local.settings.sample.json": "\n",
    "pyproject.toml": "# ours\n",
    "tests/test_contoso.py": "\n\ndef test_ours(sign_in):\n    assert sign_in().claims['Level'] == '7'\n",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    return built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def tool(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone, and return the console script: `new` and `update` need none of its dependencies."""
    return installed(wheel, tmp_path_factory.mktemp("tool"))


def installed(wheel: Path, directory: Path) -> Path:
    """Make an environment with a wheel and nothing else, and return its console script."""
    succeed((sys.executable, "-m", "venv", "--without-pip", directory), directory)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", directory / "bin/python")
    succeed((*pip, "install", "-q", "--no-index", "--no-deps", "--no-compile", wheel), directory)
    return directory / "bin/entra-selftest"


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Return the kind of provider."""
    return str(request.param)


@pytest.fixture(scope="module")
def copy(kind: str, tool: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a copy by one command in an empty folder, and its environment by its Makefile."""
    empty = tmp_path_factory.mktemp("empty")
    printed = succeed((tool, "new", "contoso", "--tenant", TENANT, "--provider", kind), empty)
    assert printed.startswith(f"created  contoso, version {__version__}: ")
    succeed(("make", ".venv", f"PYTHON={sys.executable}"), empty / "contoso")
    return empty / "contoso"


def in_it(copy: Path) -> list[Path]:
    """Return the files of a copy that are under version control in a copier's hands."""
    made = {".venv", "build", "selftest-report", "__pycache__", ".pytest_cache"}
    return [path for path in copy.rglob("*") if path.is_file() and not made & set(path.relative_to(copy).parts)]


def hashes(copy: Path) -> dict[str, str]:
    """Return the hash of each file."""
    return {path.relative_to(copy).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in in_it(copy)}


def test_copy_is_small_and_has_the_wheel_that_made_it(copy: Path, wheel: Path) -> None:
    """The tool packs itself again: the same files as in the wheel from which it was installed."""
    files = in_it(copy)
    assert len(files) <= MAX_FILES
    python = [path for path in files if path.suffix == ".py"]
    assert sum(len(path.read_text().splitlines()) for path in python) <= MAX_PYTHON_LINES
    (packed,) = copy.glob("tools/*.whl")
    assert (packed.name, packed.read_bytes()) == wheel_from_file(wheel)
    with zipfile.ZipFile(packed) as theirs, zipfile.ZipFile(wheel) as ours:
        assert sorted(theirs.namelist()) == sorted(ours.namelist())
        record = f"entra_selftest-{__version__}.dist-info/RECORD"
        assert sorted(theirs.read(record).splitlines()) == sorted(ours.read(record).splitlines())


def test_make_test_passes(copy: Path) -> None:
    """And installs nothing the second time."""
    printed = succeed(("make", "test"), copy)
    assert "3 passed" in printed
    assert "installing" not in printed


def test_make_selftest_passes(copy: Path) -> None:
    """Every required check holds for the copier's provider, in the tenant of the answers.

    A machine that is too busy to send the load on time is no evidence against the endpoint: then it is tried again.
    """
    for _ in range(3):
        done = run(("make", "selftest"), copy)
        if "the measurement is NOT valid" not in done.stdout:
            break
    assert done.returncode == 0, done.stdout
    assert re.search(r"^PASS .* 7 of 7 sign-ins got a token", done.stdout, re.MULTILINE)
    assert (copy / "selftest-report/report.html").is_file()


def test_package_has_the_provider_and_nothing_of_the_tool(copy: Path, kind: str) -> None:
    """`make package` needs no source of the harness."""
    if kind == "own":
        pytest.skip("the first hour of the page packs it")
    succeed(("make", "package"), copy)
    with zipfile.ZipFile(copy / "build/package.zip") as package:
        names = package.namelist()
    assert "claims/providers/contoso.py" in names
    tops = {name.partition("/")[0] for name in names} - {"__pycache__"}
    assert tops == {"claims", "function_app.py", "host.json", "requirements.txt", ".python_packages"}


def test_preflight_judges_the_answers(copy: Path) -> None:
    """As azd's hook calls it: the tenant is known, the registration is made by a later step."""
    words = (".venv/bin/python", "-m", "infra.preflight")
    given = {"AZURE_ENV_NAME": "test"}
    settings = {
        "Claims__ProfileApi__Url": "https://api.contoso.example",
        "Claims__ProfileApi__Scope": "api://x/.default",
    }
    settings |= {"Claims__Graph__Attributes": "department", "Claims__Table__Name": "claims"}
    settings |= {"Claims__Table__Url": "https://contoso.table.core.windows.net"}
    assert "preflight: no errors" in succeed(words, copy, **given, **settings)
    refused = run(words, copy, **given, **settings, Claims__BudgetMs="5000")
    assert refused.returncode == 1
    assert "Claims__BudgetMs" in refused.stdout


async def test_objects_are_planned(copy: Path) -> None:
    """Against an emulated Graph, by the tool that is installed in the copy's environment."""
    words = (".venv/bin/entra-selftest", "objects", "plan", "--env", "test", "--host", DEFAULT_HOST)
    async with GraphServer(bare_tenant()) as server:
        printed = await asyncio.to_thread(succeed, (*words, "--graph-url", server.url), copy)
        assert server.writes == []
    assert re.search(r"^would create  app registration +Claims endpoint \(test\)$", printed, re.MULTILINE)


@pytest.mark.nightly
async def test_first_hour_of_the_page(copy: Path, kind: str, tool: Path, tmp_path: Path) -> None:
    """Each file, change, command and output of docs/make-it-yours.md, in a copy of its own with this one's packages."""
    if kind != "own":
        pytest.skip("the page is about a provider of one's own")
    mine = tmp_path / "contoso"
    succeed((tool, "new", mine, "--tenant", TENANT, "--provider", kind), tmp_path)
    (mine / ".venv").symlink_to(copy / ".venv")
    (copy / ".venv" / "ready").touch()
    text = (mine / "docs" / "make-it-yours.md").read_text()
    hour = text.split("## The first hour\n")[1].split("\n## ")[0]
    async with GraphServer(bare_tenant()) as server:
        for step in steps(hour):
            if not isinstance(step, Command):
                step.apply(mine)
                continue
            words = shlex.split(step.line.replace("<tenantId>", TENANT))
            words += ["--graph-url", server.url] if " objects " in step.line else []
            done = await asyncio.to_thread(run, words, mine)
            assert done.returncode == (1 if step.shown.startswith("FAIL") else 0), f"{step.line}\n{done.stdout}"
            assert step.missing(done.stdout) is None, f"{step.line}: {step.missing(done.stdout)}\n{done.stdout}"
    with zipfile.ZipFile(mine / "build" / "package.zip") as package:
        packed = package.namelist()
    names = {name for name in packed if not name.startswith(".python_packages/") and ".pyc" not in name}
    assert ".python_packages/lib/site-packages/azure/functions/__init__.py" in packed
    delivered = {path.relative_to(mine).as_posix() for path in (mine / "claims").rglob("*.py")}
    assert names == {*delivered, "function_app.py", "host.json", "requirements.txt"}


def test_update_from_a_later_version(copy: Path, kind: str, wheel: Path, tmp_path: Path) -> None:
    """Provider, test, README and settings stay; a file that both sides changed is a conflict; the rest is new."""
    if kind != "own":
        pytest.skip("one update is enough: it does not depend on the provider")
    provider = copy / "claims/providers/contoso.py"
    provider.write_text(provider.read_text().replace('return {"Region"', 'return {"Level": 7, "Region"'))
    test = copy / "tests/test_contoso.py"
    test.write_text(test.read_text().replace('{"Region"', '{"Level": "7", "Region"'))
    for path, text in MINE.items():
        (copy / path).write_text((copy / path).read_text() + text)
    (copy / "host.json").write_text((copy / "host.json").read_text() + "\n")
    (copy / "infra/tenant/signin-alert.bicep").unlink()
    before = hashes(copy)

    def change(files: dict[str, bytes]) -> None:
        files["claims/latency.py"] += b"\nLATER = True\n"
        files["claims/arrived.py"] = b'"""New in this version."""\n'
        files["host.json"] = files["host.json"].replace(b"00:00:30", b"00:00:40")
        del files["infra/queries/alert-p95.kql"]

    (tmp_path / "later").mkdir()
    tool = installed(later(wheel, tmp_path, change), tmp_path / "later")
    assert run((tool, "update", "--dry-run"), copy).returncode == 1
    assert hashes(copy) == before
    done = run((tool, "update"), copy)
    assert done.returncode == 1, done.stdout
    lines = re.findall(r"^(\S.*?) {2,}([\w./-]+)$|^(CONFLICT) +(\S+)$", done.stdout, re.MULTILINE)
    assert {(one[0] or one[2], one[1] or one[3]) for one in lines} >= {
        ("added", "claims/arrived.py"),
        ("replaced", "claims/latency.py"),
        ("removed", "infra/queries/alert-p95.kql"),
        ("replaced", "infra/hooks/requirements.txt"),
        ("CONFLICT", "host.json"),
    }
    assert "removed by you infra/tenant/signin-alert.bicep" in done.stdout
    after = hashes(copy)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    old_wheel, new_wheel = (f"tools/entra_selftest-{version}-py3-none-any.whl" for version in (__version__, LATER))
    assert changed == {
        *("claims/arrived.py", "claims/latency.py", "infra/queries/alert-p95.kql"),
        *("host.json.new", ".entra-selftest.json", "infra/hooks/requirements.txt", old_wheel, new_wheel),
    }
    assert '"00:00:40"' in (copy / "host.json.new").read_text()
    assert json.loads((copy / ".entra-selftest.json").read_text())["version"] == LATER
    printed = succeed(("make", "test"), copy)
    assert "4 passed" in printed
    assert succeed((".venv/bin/entra-selftest", "--version"), copy).strip() == f"entra-selftest {LATER}"
