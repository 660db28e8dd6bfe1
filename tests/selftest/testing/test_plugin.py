"""The plugin in a project that has the tool: no import, no conftest, next to no cost where it is not used."""

import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from selftest.play.target import open_target
from selftest.testing import apps
from selftest.testing.apps import RunningApps
from selftest.testing.loop_thread import LoopThread
from selftest.testing.users import user_of
from tests.checkout import ROOT, copied_app
from tests.starter.commands import run, succeed

#: What pytest imports at each start where the tool is installed; a test that uses a fixture imports the rest.
IMPORTED = {"selftest", "selftest.contract", "selftest.testing", "selftest.testing.plugin"}
MINE = """
import logging


class Provider:
    async def provide(self, event, context):
        logging.getLogger("mine").warning("asked about a user")
        return {"Name": event.context.user.nam}


def create(environ):
    return Provider()
"""
CONFIGURATION = """
[tool.pytest.ini_options]
claims_app = "app"
claims_settings = ["Claims__Provider=mine", "Claims__OnFailure=omit"]
"""
TEST = """
def test_settings(sign_in):
    signed_in = sign_in()
    assert signed_in.line["outcome"] == "omitted"
    assert "mine.py:8" in signed_in.line["detail"]


def test_that_fails(sign_in):
    assert sign_in(Claims__OnFailure="fail").minted


def test_that_cannot_start(sign_in):
    sign_in(Claims__Provider="nine")
"""


def test_wheel_names_the_plugin() -> None:
    """Under the module's name: one that is loaded twice, by the wheel and by name, is one plugin to pytest."""
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert named == {"selftest.testing.plugin": "selftest.testing.plugin"}
    assert hasattr(import_module(named["selftest.testing.plugin"]), "sign_in")


def test_plugin_imports_next_to_nothing() -> None:
    """Neither the harness nor its libraries."""
    code = (
        "import sys, pytest; before = {*sys.modules}; import selftest.testing.plugin\nprint(*({*sys.modules} - before))"
    )
    added = set(succeed((sys.executable, "-c", code), ROOT).split())
    assert {name for name in added if name.startswith("selftest")} == IMPORTED
    assert not added & {"aiohttp", "cryptography", "jwt", "asyncio", "rich"}


def test_project_of_a_copier(tmp_path: Path) -> None:
    """The settings of the configuration file count, a failed assertion shows the log's line, and a start its reason."""
    (tmp_path / "app").mkdir()
    copied_app(tmp_path / "app", mine=MINE)
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION)
    (tmp_path / "test_mine.py").write_text(TEST)
    words = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "selftest.testing.plugin")
    done = run(words, tmp_path, PYTHONPATH=str(ROOT))
    assert "2 failed, 1 passed" in done.stdout, done.stdout
    assert "AttributeError at claims/providers/mine.py:8" in done.stdout
    assert re.search(r"--- Captured app log call ---+\nasked about a user\n\{", done.stdout)
    assert "Claims__Provider names 'nine', and there is no claims/providers/nine.py" in done.stdout


def test_setting_without_a_value_is_named(tmp_path: Path) -> None:
    """The configuration file is what is wrong, and not the test."""
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nclaims_settings = ["Claims__Provider"]\n')
    (tmp_path / "test_mine.py").write_text(TEST)
    words = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "selftest.testing.plugin")
    done = run(words, tmp_path, PYTHONPATH=str(ROOT))
    assert "claims_settings in the configuration file: expected NAME=VALUE, got 'Claims__Provider'" in done.stdout


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Return the settings of each app that is started."""
    found: list[dict[str, str]] = []

    def counted(args: object) -> object:
        found.append(dict(args.settings))  # type: ignore[attr-defined] # a namespace of arguments
        return open_target(args)  # type: ignore[arg-type] # the same

    monkeypatch.setattr(apps, "open_target", counted)
    return found


def test_app_is_kept_for_its_settings(started: list[dict[str, str]]) -> None:
    """At most three at once; one that was ended is started again."""
    loop, running = LoopThread(), RunningApps(ROOT)
    options = {"timeout_ms": 2000, "retries": 0, "mapping": None}
    budgets = [{"Claims__BudgetMs": str(number)} for number in (1001, 1002, 1003, 1004)]
    try:
        for settings in (budgets[0], budgets[0], *budgets, budgets[0]):
            signed_in = loop.run(running.sign_in(user_of("member"), settings, **options))  # type: ignore[arg-type] # each
            assert signed_in.line["budget_ms"] == int(settings["Claims__BudgetMs"])
        assert started == [*budgets, budgets[0]]
        loop.run(running.stop(budgets[0]))
        loop.run(running.sign_in(user_of("member"), budgets[0], **options))  # type: ignore[arg-type] # the same
        assert started == [*budgets, budgets[0], budgets[0]]
    finally:
        loop.run(running.stop())
        loop.close()
