"""All checks, registered by importing each module of each group.

``REGISTRY`` is ordered by the ids: by letter, then by number.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from selftest.checks.registry import REGISTRY, TEXTS, Check, CheckOutcome, require_checks_of, select

__all__ = ["GROUPS", "REGISTRY", "Check", "CheckOutcome", "select"]

GROUPS: Final = ("body", "contract", "faults", "instances", "load", "token")

for _group in GROUPS:
    _package = import_module(f"{__name__}.{_group}")
    for _module in iter_modules(_package.__path__, f"{_package.__name__}."):
        import_module(_module.name)

require_checks_of(TEXTS, REGISTRY)
_in_order = {check.id: check for check in select(())}
REGISTRY.clear()
REGISTRY.update(_in_order)
