"""The app's imports."""

import importlib
import sys
from pathlib import Path
from unittest import mock

import pytest

from selftest.host.app_path import put_first_on_path

APP = Path(__file__).parent / "apps" / "other_routes"


def test_apps_own_package_replaces_the_harness_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app that brings its own claims is not answered for by the claims that the harness has loaded."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    with mock.patch.dict(sys.modules):
        importlib.import_module("claims.contract")
        put_first_on_path(APP)
        assert importlib.import_module("claims").WHOSE == "the app's own"
        assert "claims.contract" not in sys.modules
        assert "selftest.host.app_path" in sys.modules
        assert "pytest" in sys.modules


def test_projects_own_app_keeps_what_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the app beside the harness there is nothing to replace."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    with mock.patch.dict(sys.modules):
        loaded = importlib.import_module("claims.contract")
        put_first_on_path(Path(__file__).parents[3])
        assert sys.modules["claims.contract"] is loaded
