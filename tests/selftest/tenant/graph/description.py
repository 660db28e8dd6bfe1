"""Microsoft's descriptions of Graph, read once for all tests of the emulated one."""

import pytest

from tests.graph_schema import BETA, NAME, GraphSchema, schema_file

#: By version, read once: parsing one takes half a second.
_READ: dict[str, GraphSchema] = {}


def published(version: str) -> GraphSchema:
    """Return Microsoft's description of a version; skip the test visibly without it."""
    name = BETA if version == "beta" else NAME
    if version not in _READ:
        file = schema_file(name)
        if file is None or not file.exists():
            pytest.skip(f"{name} was not found: set GRAPH_SCHEMA_DIR to its directory")
        _READ[version] = GraphSchema.load(file)
    return _READ[version]
