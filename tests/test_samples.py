"""The samples of the pages can be copied: they pass the linter, the types, the checks and their own tests."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from selftest.checks import REGISTRY
from selftest.checks.bench.variant import GIVEN
from selftest.cli import main
from selftest.testing.loopback_api import LoopbackApi
from selftest.testing.users import USERS
from tests.checkout import ROOT, copied_app
from tests.starter.commands import succeed

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TESTING = (ROOT / "docs/testing-your-provider.md").read_text()
#: A test of a copier's is a plain function without types.
_NOT_IN_TESTS = "ANN,D100"


@dataclass(frozen=True, slots=True)
class Sample:
    """A block of Python in a page, with the file that the line before it names."""

    page: str
    path: str
    code: str


def samples() -> list[Sample]:
    """Return every block of Python in every page; an indented one is a part of a list, and no file."""
    return [
        Sample(page.name, path, code)
        for page in PAGES
        for path, code in re.findall(
            r"(?:`([\w/.]+)`:\n\n)?^```python\n(.*?)```", page.read_text(), re.DOTALL | re.MULTILINE
        )
    ]


PROVIDERS = [sample for sample in samples() if sample.path.startswith("claims/providers/")]
TESTS = [sample for sample in samples() if sample.path.startswith("tests/")]


def test_each_sample_names_its_file() -> None:
    """So none is left out here, and the reader knows where it goes."""
    assert {sample.path for sample in samples()} == {sample.path for sample in (*PROVIDERS, *TESTS)}
    assert {sample.page for sample in PROVIDERS} == {"make-it-yours.md"}
    assert {sample.page for sample in TESTS} == {"README.md", "testing-your-provider.md"}


@pytest.fixture(params=PROVIDERS, ids=lambda sample: sample.path)
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a copy of the app with the provider of a page."""
    return copied_app(tmp_path, mine=request.param.code)


def test_provider_passes_make_check(provider: Path) -> None:
    """The linter and the types of this project, as in its checkout."""
    mine = "claims/providers/mine.py"
    tool = (sys.executable, "-m")
    config = ROOT / "pyproject.toml"
    succeed((*tool, "ruff", "check", "--no-cache", "--config", config, mine), provider)
    succeed((*tool, "ruff", "format", "--check", "--no-cache", "--config", config, mine), provider)
    succeed((*tool, "mypy", "--config-file", config, mine), provider)


#: The setting of the sample that asks an API.
_ASKS = "Claims__Crm__Url"


def test_the_provider_of_an_api_asks_it(
    tmp_path: Path, loopback_api: LoopbackApi, capsys: pytest.CaptureFixture[str]
) -> None:
    """One request with the user's id; its members become the claims, and 404 is a user without any."""
    (crm,) = (sample for sample in PROVIDERS if _ASKS in sample.code)
    app = copied_app(tmp_path, crm=crm.code)
    words = (
        "signin",
        "--app",
        str(app),
        "--setting",
        "Claims__Provider=crm",
        "--setting",
        f"{_ASKS}={loopback_api.url}",
    )
    loopback_api.answers({"tier": "gold", "contracts": ["A1", "B2"]})
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert '"Tier": "gold"' in printed
    assert "token minted with 2 custom claims" in printed
    assert re.fullmatch(r"/contacts/[0-9a-f-]{36}", loopback_api.requests[0].path)
    loopback_api.answers({}, status=404)
    assert main(words) == 0
    assert "token minted with 0 custom claims" in capsys.readouterr().out


def test_provider_passes_the_checks(
    provider: Path, loopback_api: LoopbackApi, capsys: pytest.CaptureFixture[str]
) -> None:
    """The contract, and every fault that can be played around a provider."""
    loopback_api.answers({"tier": "gold"})
    asks = _ASKS in (provider / "claims/providers/mine.py").read_text()
    around = [name for name, check in REGISTRY.items() if check.variant == GIVEN]
    words = ("check", "C", *around, "--strict", "--app", str(provider), "--setting", "Claims__Provider=mine")
    words += ("--setting", f"{_ASKS}={loopback_api.url}") if asks else ()
    assert main(words) == 0, capsys.readouterr().out


def test_tests_pass(tmp_path: Path) -> None:
    """With the provider of the page on providers, in an environment that has the tool; each page has a folder."""
    app = copied_app(tmp_path, mine=PROVIDERS[0].code)
    paths = [sample.path.replace("tests/", f"tests/{sample.page.removesuffix('.md')}/") for sample in TESTS]
    for sample, path in zip(TESTS, paths, strict=True):
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        (app / path).write_text(sample.code)
    ruff = (sys.executable, "-m", "ruff", "check", "--no-cache", "--config", ROOT / "pyproject.toml")
    succeed((*ruff, "--extend-ignore", f"{_NOT_IN_TESTS},INP001", *paths), app)
    words = ("-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "selftest.testing.plugin", "--rootdir", app)
    printed = succeed((sys.executable, *words, "--import-mode=importlib", *paths), app, PYTHONPATH=str(ROOT))
    passed = re.findall(r"^(\S+)::\S+ PASSED", printed, re.MULTILINE)
    assert set(passed) == set(paths)


def test_page_names_every_user_and_every_fault() -> None:
    """And no other one."""
    from selftest.testing.loopback_api import API_FAULTS  # noqa: PLC0415 (what it is about)

    users, _, rest = TESTING.partition("What it returns:")
    first_cells = " ".join(re.findall(r"^\| (.+?) \|", users, re.MULTILINE))
    assert set(re.findall(r"`([a-z-]+)`", first_cells)) - {"user"} == set(USERS)
    faults = rest.partition("`fails(fault)` takes")[2].partition("The answer that was configured last")[0]
    assert set(re.findall(r"`([a-z-]+)`", faults)) == set(API_FAULTS)
