"""Every check, registered by importing the groups, which import the modules that define them.

``REGISTRY`` is in the order in which people read ids: by letter, then by number.
"""

from selftest.checks import body, contract, faults, load, token
from selftest.checks.registry import REGISTRY, Check, Outcome, UnknownCheckError, select

__all__ = ["REGISTRY", "Check", "Outcome", "UnknownCheckError", "select"]

_in_order = {check.id: check for check in select(())}
REGISTRY.clear()
REGISTRY.update(_in_order)
