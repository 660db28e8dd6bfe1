"""All statements of the doctor, registered by importing the modules that define them, in the order of the ids.

The texts of a module's statements are in the TOML file next to it, one table per id.
"""

from selftest.tenant.doctor.registry import TENANT_STATEMENTS, complete
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

complete()
