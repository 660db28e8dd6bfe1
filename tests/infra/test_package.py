"""The package: what is in it, that it is the same every time, and that it answers with nothing else on the path."""

import asyncio
import json
import os
import re
import shutil
import struct
import sys
import uuid
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infra import package
from infra.package_files import PackageError, app_files
from selftest.base.app_folder import AppFolder
from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.entra.payloads import VARIETIES
from selftest.entra.server import EntraServer
from selftest.host.command import serve_command
from selftest.judge.verdict import judge
from selftest.play.caller import Caller, caller_session
from selftest.play.target import endpoint_settings

_OURS = {"claims", "function_app.py", "host.json", "requirements.txt", ".python_packages"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it once."""
    out = tmp_path_factory.mktemp("built") / "package.zip"
    package.build(out)
    return out


@pytest.fixture(scope="module")
def unzipped(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unzip it into an empty folder."""
    directory = tmp_path_factory.mktemp("wwwroot")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(directory)
    return directory


def test_holds_the_app_and_its_dependencies_only(unzipped: Path) -> None:
    """Nothing of the harness, the tests, the infrastructure, nor a local secret."""
    tops = {path.name for path in unzipped.iterdir()} - {"__pycache__"}
    assert tops == _OURS
    distributions = {path.name.split("-")[0].lower() for path in (unzipped / package.SITE_PACKAGES).glob("*.dist-info")}
    pins = re.findall(r"^([A-Za-z0-9._-]+)==", (package.ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert distributions <= {pin.lower().replace("-", "_") for pin in pins}
    assert {"cryptography", "azure_functions", "aiohttp"} <= distributions


def test_every_module_has_a_pyc_that_is_not_checked(unzipped: Path) -> None:
    """PEP 552: flags 0b01 say that the file belongs to its source by hash, and that nobody compares."""
    for source in [*unzipped.glob("*.py"), *(unzipped / "claims").rglob("*.py")]:
        compiled = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        assert struct.unpack("<I", compiled.read_bytes()[4:8]) == (0b01,), source
    packages = unzipped / package.SITE_PACKAGES
    assert len(list(packages.rglob("*.pyc"))) == len(list(packages.rglob("*.py")))


def test_extension_modules_are_the_platforms(unzipped: Path) -> None:
    """Each is built for CPython 3.13 or its stable interface, on 64-bit Linux."""
    modules = list((unzipped / package.SITE_PACKAGES).rglob("*.so"))
    assert modules
    for module in modules:
        assert re.search(r"\.(cpython-313-x86_64-linux-gnu|abi3)\.so$", module.name), module.name


@pytest.mark.nightly
def test_an_extra_adds_its_packages_and_no_others(tmp_path: Path, built: Path) -> None:
    """The client of the shared cache, which the setting needs; without the extra it is absent."""
    package.build(tmp_path / "package.zip", extra="shared-cache")
    with zipfile.ZipFile(built) as without, zipfile.ZipFile(tmp_path / "package.zip") as extended:
        added = set(extended.namelist()) - set(without.namelist())
    tops = {Path(name).relative_to(package.SITE_PACKAGES).parts[0] for name in added}
    assert {top.partition("-")[0] for top in tops} == {"redis"}
    with pytest.raises(PackageError, match=r"there is no extra 'more': requirements-more\.txt is missing"):
        package.build(tmp_path / "package.zip", extra="more")


def app_copy(root: Path) -> Path:
    """Copy the app's own files to another place."""
    for path in app_files(package.ROOT):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package.ROOT / path, root / path)
    return root


def small_app(root: Path) -> Path:
    """Write an app with one dependency: what the package does with it is the same, in a tenth of the time."""
    (pin,) = re.findall(r"^isodate==.*(?:\n .*)+\n", (package.ROOT / "requirements.txt").read_text(), re.MULTILINE)
    provider = root / "claims/providers/mine.py"
    provider.parent.mkdir(parents=True)
    provider.write_text("from isodate import parse_duration\n")
    (root / "requirements.txt").write_text(pin)
    (root / "host.json").write_text("{}\n")
    (root / "function_app.py").write_text("import claims.providers.mine\n")
    return root


@pytest.mark.parametrize("make", [small_app, pytest.param(app_copy, marks=pytest.mark.nightly)])
def test_the_same_sources_give_the_same_bytes(make: Callable[[Path], Path], tmp_path: Path) -> None:
    """From another checkout at another place, whose files have other times."""
    zips = []
    for number in range(2):
        root = make(tmp_path / f"checkout{number}")
        for path in root.rglob("*"):
            os.utime(path, (number, number))
        zips.append(tmp_path / f"package{number}.zip")
        package.build(zips[-1], root=root)
    assert zips[0].read_bytes() == zips[1].read_bytes()


@asynccontextmanager
async def _served(unzipped: Path, settings: dict[str, str]) -> AsyncIterator[str]:
    """Serve the unzipped folder with nothing on the path but it, the standard library and the bare host."""
    _, *words = serve_command(AppFolder.at(unzipped))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", *words), cwd=unzipped, env=settings, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        assert line.startswith("listening on "), line
        yield line.removeprefix("listening on ").strip()
    finally:
        process.terminate()
        await process.wait()


async def test_answers_with_only_its_folder_on_the_path(unzipped: Path) -> None:
    """Microsoft's worker library out of the package runs the app out of the package, and Entra would mint."""
    async with (
        EntraServer() as entra,
        _served(unzipped, endpoint_settings(entra)) as url,
        caller_session() as session,
    ):
        event = VARIETIES[0].build(entra.tenant, str(uuid.uuid4()))
        call = await Caller(session).call(url + CALLOUT_PATH, token=entra.mint.callout_token(), event=event)
        verdict = judge(call.reply)
        assert verdict.minted, verdict
        assert "CorrelationId" in json.loads(call.reply.body)["data"]["actions"][0]["claims"]


def test_no_index_is_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A package that cannot be made leaves the old one alone, and says why."""
    out = tmp_path / "out" / "package.zip"
    out.parent.mkdir()
    out.write_bytes(b"the last good one")
    root = app_copy(tmp_path / "root")
    (root / "requirements.txt").write_text("isodate==0.7.2 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(PackageError, match="cannot be installed"):
        package.build(out, root=root)
    assert out.read_bytes() == b"the last good one"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"def f(:\n    pass\n", "SyntaxError: invalid syntax"),
        (b"x = (\n", "SyntaxError: '(' was never closed"),
        (b'x = "\xff"\n', "SyntaxError: (unicode error) 'utf-8' codec can't decode byte 0xff"),
        (b"x = 1\x00\n", "SyntaxError: source code string cannot contain null bytes"),
        (b"x = " + b"(" * 1000 + b")" * 1000, "SyntaxError: too many nested parentheses"),
    ],
    ids=["syntax", "unclosed", "encoding", "null", "nested"],
)
@pytest.mark.parametrize("version", [sys.version_info[:2], (3, 99)], ids=["the platform's Python", "another Python"])
def test_a_module_that_does_not_compile_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: bytes, said: str, version: tuple[int, int]
) -> None:
    """With its line and the reason, before anything is installed, whatever Python runs the command."""
    monkeypatch.setattr(package, "PYTHON_VERSION", version)
    root = app_copy(tmp_path)
    (root / "claims/providers/mine.py").write_bytes(b"import os\n" + source)
    with pytest.raises(PackageError) as raised:
        package.build(tmp_path / "package.zip", root=root)
    assert re.search(rf"claims/providers/mine\.py:\d: {re.escape(said)}", str(raised.value))


def test_another_python_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would compile for itself."""
    monkeypatch.setattr(package, "PYTHON_VERSION", (3, 99))
    with pytest.raises(PackageError, match=r"the platform runs Python 3\.99"):
        package.build(tmp_path / "package.zip")


def test_a_package_that_the_app_misses_is_named(tmp_path: Path) -> None:
    """A provider's late import of a package beside the endpoint fails here, not in Azure; once named, it is there."""
    root = small_app(tmp_path / "root")
    (root / "contoso").mkdir()
    (root / "contoso/__init__.py").write_text("LEVEL = 7\n")
    (root / "claims/providers/mine.py").write_text("def late():\n    from contoso import LEVEL\n")
    refused = r"(?s)mine\.py:2: from contoso import LEVEL.*\[tool.entra-selftest.package\]"
    with pytest.raises(PackageError, match=refused):
        package.build(tmp_path / "package.zip", root=root)
    (root / "pyproject.toml").write_text('[tool.entra-selftest.package]\ninclude = ["contoso/"]\n')
    assert "contoso/__init__.py" in package.build(tmp_path / "package.zip", root=root)
