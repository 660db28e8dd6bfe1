"""The tenant from a file: one JSON object of lists of Graph's objects, as ``doctor --export`` writes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from selftest.base.bounded_file import FileError, parse_json, read_text
from selftest.tenant.doctor.evidence.graph_model import ShapeError
from selftest.tenant.doctor.evidence.tenant_objects import LISTS, ListName, TenantObjects

#: A tenant with every application of a large company is some megabytes.
MAX_BYTES: Final = 64 * 1024 * 1024
_EXPORT: Final = "`doctor --tenant TENANT --credential browser --export FILE` writes such a file"


def read_document(path: Path) -> dict[str, Any]:
    """Read the file as JSON.

    Raises:
        FileError: It cannot be read, is not JSON, or is not an object with at least one of the lists.
    """
    document = parse_json(read_text(path, MAX_BYTES), path)
    if not isinstance(document, dict):
        raise FileError(f"{path} should hold an object of lists ({', '.join(LISTS)}); {_EXPORT}")
    if any(name in document for name in LISTS):
        return document
    if "value" in document or "@odata.context" in document or "appId" in document:
        raise FileError(
            f"{path} is one answer of Graph, and the doctor compares several kinds of objects; {_EXPORT}. By hand: one "
            f"object with the lists {', '.join(LISTS)}, each with what its answers have in value, and each service "
            "principal with its appRoleAssignments and claimsMappingPolicies"
        )
    raise FileError(f"{path} has none of the lists {', '.join(LISTS)}; {_EXPORT}")


def read_tenant(path: Path, document: Mapping[str, Any], unread: Mapping[ListName, str] | None = None) -> TenantObjects:
    """Read a document as a tenant's objects.

    Raises:
        FileError: A member has another type than Graph gives it; the message holds its path.
    """
    try:
        return TenantObjects.read(document, unread)
    except ShapeError as error:
        raise FileError(f"{path}: {error}") from error
