"""Every statement there is, of an endpoint and of a tenant, in one world of ids."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from selftest.checks import REGISTRY
from selftest.doctor.statements import DIAGNOSES
from selftest.statement import Statement

#: Checks first, then what the doctor tries; D is its letter, so no id can be in both.
STATEMENTS: Final[Mapping[str, Statement]] = MappingProxyType({**REGISTRY, **DIAGNOSES})
