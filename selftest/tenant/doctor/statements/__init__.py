"""Every statement of the doctor's, registered by importing the modules that define them, in the order of the ids."""

from selftest.tenant.doctor.diagnosis import DIAGNOSES, Diagnosis
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

__all__ = ["DIAGNOSES", "Diagnosis"]

_in_order = dict(sorted(DIAGNOSES.items()))
DIAGNOSES.clear()
DIAGNOSES.update(_in_order)
