"""The tool and the endpoint have the same names for the settings, in constants and in texts."""

import re
from pathlib import Path

import pytest

import selftest.tenant
from claims.settings import settings as endpoint
from claims.settings.settings import SETTINGS
from selftest.base import setting_names

_NAME = re.compile(r"\b(?:AuthenticationEvents|Claims)__[A-Za-z]+(?:__[A-Za-z]+)?")
_MODULES = sorted(Path(selftest.tenant.__file__).parent.rglob("*.py"))


def test_constants_are_the_endpoints() -> None:
    """A constant of the tool has the value of the endpoint's constant with the same name."""
    ours = {name: value for name, value in vars(setting_names).items() if name.isupper() and name != "PREFIXES"}
    assert len(ours) > 8
    assert ours == {name: getattr(endpoint, name) for name in ours}


@pytest.mark.parametrize("module", _MODULES, ids=lambda path: path.stem)
def test_texts_name_settings_that_exist(module: Path) -> None:
    """A setting that a text tells somebody to change is one that the endpoint reads; providers have their own."""
    named = {name for name in _NAME.findall(module.read_text()) if name.count("__") == 1}
    assert named <= set(SETTINGS)
