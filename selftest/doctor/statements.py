"""Every statement of the doctor's, registered by importing the modules that define them, in the order of the ids."""

from selftest.doctor import (  # noqa: F401 - imported to be registered
    statements_calls,
    statements_endpoint,
    statements_extension,
    statements_hosting,
    statements_listener,
    statements_mapping,
    statements_principals,
    statements_settings,
    statements_target,
)
from selftest.doctor.diagnosis import DIAGNOSES, Diagnosis

__all__ = ["DIAGNOSES", "Diagnosis"]

_in_order = dict(sorted(DIAGNOSES.items()))
DIAGNOSES.clear()
DIAGNOSES.update(_in_order)
