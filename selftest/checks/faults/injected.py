"""Faults around any provider, injected in the app's process: the provider is called, and then fails as configured.

The local host calls `install` before it imports the app. From then on the module that ``Claims__Provider`` names
creates a provider that asks the module's own one and adds the fault that the event's correlation id names, or none.
The deployed code has no switch for it. The app's interpreter runs this file, so it imports the standard library only.
"""

import asyncio
import importlib.machinery
import os
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any, Final

#: What a provider raises with: no answer and no log line may show it.
MESSAGE: Final = "ada@sample.example"
HUGE_BYTES: Final = 4 * 1024 * 1024
#: How long a late provider takes beyond the budget, and for which part of the budget it blocks the event loop.
_LATE_S: Final = 0.3
_BLOCKED_SHARE: Final = 0.3
#: A correlation id with a fault starts with this; the fault's number follows.
_MARK: Final = "0fa17000"
_PROVIDER: Final = "Claims__Provider"
_BUDGET_MS: Final = "Claims__BudgetMs"
_OPTIONAL: Final = ("start", "aclose", "default_claims", "claim_names")

type _Claims = Mapping[Any, Any]
type _Provide = Callable[[Any, Any], Awaitable[_Claims]]


async def _late(claims: _Claims) -> _Claims:
    await asyncio.sleep(_budget_s() + _LATE_S)
    return claims


async def _hanging(_: _Claims) -> _Claims:
    await asyncio.Event().wait()
    raise AssertionError


async def _raising(_: _Claims) -> _Claims:
    raise LookupError(MESSAGE)


async def _exiting(_: _Claims) -> _Claims:
    raise SystemExit(MESSAGE)


async def _cancelled(_: _Claims) -> _Claims:
    raise asyncio.CancelledError(MESSAGE)


async def _shapeless(claims: _Claims) -> Any:
    return [*claims]


async def _unnamed(claims: _Claims) -> _Claims:
    return {**claims, 1: "value"}


async def _valueless(claims: _Claims) -> _Claims:
    return {**claims, "Value": object()}


async def _huge(claims: _Claims) -> _Claims:
    return {**claims, "Value": "x" * HUGE_BYTES}


async def _blocking(claims: _Claims) -> _Claims:
    time.sleep(_budget_s() * _BLOCKED_SHARE)  # noqa: ASYNC251 - the fault
    return claims


#: By name: what the provider does after its own work. Their order is the number in a correlation id.
INJECTED: Final[Mapping[str, Callable[[_Claims], Awaitable[_Claims]]]] = {
    "late": _late,
    "hanging": _hanging,
    "raising": _raising,
    "exiting": _exiting,
    "cancelled": _cancelled,
    "shapeless": _shapeless,
    "unnamed": _unnamed,
    "valueless": _valueless,
    "huge": _huge,
    "blocking": _blocking,
}


def correlation_id_with(fault: str) -> str:
    """Return a new correlation id that injects this fault."""
    return f"{_MARK}-{list(INJECTED).index(fault):04x}{str(uuid.uuid4())[13:]}"


def fault_of(correlation_id: str) -> str | None:
    """Return the fault that a correlation id injects; None without one."""
    mark, number, *_ = correlation_id.split("-")
    return list(INJECTED)[int(number, 16)] if mark == _MARK else None


def with_faults(provider: Any) -> Any:
    """Return a provider with the optional members of another one, that calls it and fails as configured."""
    theirs: _Provide = provider.provide

    async def provide(event: Any, context: Any) -> _Claims:
        claims = await theirs(event, context)
        fault = fault_of(event.context.correlation_id)
        return claims if fault is None else await INJECTED[fault](claims)

    members = {name: getattr(provider, name) for name in _OPTIONAL if hasattr(provider, name)}
    return SimpleNamespace(provide=provide, **members)


def install() -> None:
    """Inject faults around the provider that ``Claims__Provider`` names, when its module is imported."""
    sys.meta_path.insert(0, _Finder(f"claims.providers.{os.environ.get(_PROVIDER) or 'sample'}"))


class _Finder:
    """Finds one module as usual, and wraps what its ``create`` returns."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the module's specification with a loader of ours; None for every other module."""
        if name != self._name:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        """Execute the module's code and wrap its ``create``."""
        super().exec_module(module)
        create = module.create
        module.create = lambda environ: with_faults(create(environ))  # type: ignore[attr-defined] # each provider has it


def _budget_s() -> float:
    return int(os.environ.get(_BUDGET_MS) or 1500) / 1000
