"""Where the published files are, and a copy of the checkout that a test may break."""

import shutil
from pathlib import Path

import pytest

from infra.check import ROOT
from infra.checker.azd_file import find_schema
from infra.checker.published_types import PublishedTypes, find_types, load_types
from infra.checker.rules import Outside

#: What the checker reads of a checkout.
_READ = ("infra", "azure.yaml", "host.json", "Makefile", "docs/deploy.md")


@pytest.fixture(scope="session")
def published() -> PublishedTypes:
    """Give Azure's published types, or skip."""
    path = find_types(ROOT)
    if path is None:
        pytest.skip("Azure's published types are not here; BICEP_TYPES names the file")
    return load_types(path)


@pytest.fixture(scope="session")
def azd_schema() -> Path:
    """Give azd's published schema, or skip."""
    path = find_schema(ROOT)
    if path is None:
        pytest.skip("azd's published schema is not here; AZD_SCHEMA names the file")
    return path


@pytest.fixture(scope="session")
def outside() -> Outside:
    """Give what is here of the published files."""
    types = find_types(ROOT)
    return Outside(load_types(types) if types else None, find_schema(ROOT))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what the checker reads."""
    for name in _READ:
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copyfile(source, target)
    return tmp_path
