"""All statements of the doctor, registered by importing the modules that define them, in the order of the ids."""

from selftest.tenant.doctor.registry import TENANT_STATEMENTS
from selftest.tenant.doctor.statements import (  # noqa: F401 - imported to be registered
    calls,
    endpoint,
    extension,
    hosting,
    listener,
    mapping,
    principals,
    settings,
    target,
)

__all__ = ["TENANT_STATEMENTS"]

_in_order = dict(sorted(TENANT_STATEMENTS.items()))
TENANT_STATEMENTS.clear()
TENANT_STATEMENTS.update(_in_order)
