"""The tenant from a file: one JSON object of lists of Graph's objects, as ``doctor --export`` writes it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Never

from selftest.base.bounded_file import FileError, read_text
from selftest.tenant.doctor.evidence.graph_model import ShapeError
from selftest.tenant.doctor.evidence.tenant_objects import LISTS, ListName, TenantObjects

#: A tenant with every application of a large company is some megabytes.
MAX_BYTES: Final = 64 * 1024 * 1024


def read_document(path: Path) -> dict[str, Any]:
    """Read the file as JSON.

    Raises:
        FileError: It cannot be read, is not JSON, or is not an object with at least one of the lists.
    """
    text = read_text(path, MAX_BYTES)
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise FileError(f"{path} is nested too deeply to be a tenant's objects") from error
    except ValueError as error:
        raise FileError(f"{path} should be JSON and is not: {_where(error)}; is it complete?") from error
    if not isinstance(document, dict):
        raise FileError(f"{path} should hold an object of lists ({', '.join(LISTS)})")
    if not any(name in document for name in LISTS):
        raise FileError(f"{path} has none of the lists {', '.join(LISTS)}; `doctor --export FILE` writes them")
    return document


def read_tenant(path: Path, document: Mapping[str, Any], unread: Mapping[ListName, str] | None = None) -> TenantObjects:
    """Read a document as a tenant's objects.

    Raises:
        FileError: A member has another type than Graph gives it; the message holds its path.
    """
    try:
        return TenantObjects.read(document, unread)
    except ShapeError as error:
        raise FileError(f"{path}: {error}") from error


def _where(error: ValueError) -> str:
    """Return what is wrong and where, without the text that is there."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (line {error.lineno}, column {error.colno})"
    return "NaN or Infinity" if "constant" in str(error) else "a number that is too long"


def _no_constant(name: str) -> Never:
    raise ValueError(f"the constant {name}")
