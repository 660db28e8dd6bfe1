"""Imports that fail in the package: found in the source, wherever they are."""

from pathlib import Path

import pytest

from infra.package_imports import missing_imports

#: The app's files and those of the dependencies, in the folder `deps`.
_FILES = (
    "claims/__init__.py",
    "claims/providers/__init__.py",
    "contoso/__init__.py",
    "contoso/levels.py",
    "plain/names.py",
    "deps/azure/core/__init__.py",
    "deps/six.py",
    "deps/fast.abi3.so",
)


def _missing(root: Path, source: str) -> list[str]:
    for name in _FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    provider = Path("claims/providers/mine.py")
    (root / provider).write_text(source, encoding="utf-8")
    return [line.removeprefix(f"{provider}:") for line in missing_imports(root, root / "deps", [provider])]


@pytest.mark.parametrize(
    "source",
    [
        "import os.path, json",
        "from contoso import LEVEL",
        "import contoso.levels",
        "from contoso.levels import LEVEL",
        "from . import mine",
        "from .mine import X",
        "from ..providers.mine import X",
        "from plain import names",
        "from azure.core import exceptions",
        "from six.moves import urllib",
        "import fast",
        "from contoso import *",
        "try:\n    import redis\nexcept (ImportError, OSError):\n    redis = None",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import redis",
        "import importlib\nimportlib.import_module(f'{__name__}.x')\nimportlib.import_module('.mine', __package__)",
        "print('redis', 5)",
    ],
)
def test_what_the_package_has_is_accepted(source: str, tmp_path: Path) -> None:
    """And what is optional, is read by type checkers only, or has a name that is not known before it runs."""
    assert _missing(tmp_path, source) == []


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("async def provide():\n    from helpers.h import f", "2: from helpers.h import f"),
        ("def f():\n    import redis", "2: import redis"),
        ("import contoso.missing", "1: import contoso.missing"),
        ("from contoso.missing import X", "1: from contoso.missing import X"),
        ("from contoso.levels.more import X", "1: from contoso.levels.more import X"),
        ("from .other import X", "1: from .other import X"),
        ("from plain import missing", "1: from plain import missing"),
        ("from azure.keyvault.secrets import SecretClient", "1: from azure.keyvault.secrets import SecretClient"),
        ("from azure import identity", "1: from azure import identity"),
        ("try:\n    import redis\nexcept Exception:\n    pass", "2: import redis"),
        ("try:\n    pass\nexcept ImportError:\n    import redis", "4: import redis"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    import redis",
            "5: import redis",
        ),
        ("import importlib\nimportlib.import_module('helpers.h')", "2: importlib.import_module('helpers.h')"),
        (
            "async def f():\n    await asyncio.to_thread(import_module, 'helpers.h')",
            "2: asyncio.to_thread(import_module, 'helpers.h')",
        ),
    ],
)
def test_what_would_fail_in_azure_only_is_named(source: str, missing: str, tmp_path: Path) -> None:
    """With its line, whether it is at the top, in a function or imported by name."""
    assert _missing(tmp_path, source) == [missing]
