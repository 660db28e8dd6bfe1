"""D26 to D29: how long Entra waits, how often it tries, and whether the endpoint's budget fits.

The listener's override has precedence over the extension's value, and that over Microsoft's default.
"""

from collections.abc import Iterator
from typing import Final

from selftest.base.setting_names import BUDGET_MS
from selftest.contract import DEFAULT_TIMEOUT_MS, MAX_RETRIES, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.wiring_objects import CallSettings, ExtensionObject, ListenerObject
from selftest.tenant.doctor.registry import EvidenceMissing, TenantFinding, statement
from selftest.tenant.doctor.statements.az_rest import app_setting, patch_extension, patch_handler

#: Time for the connection, TLS and the host in front of the endpoint; docs/timing-budget.md.
RESERVE_MS: Final = 200


@statement("D26", "extension")
def call_is_within_limits(case: Case) -> Iterator[TenantFinding]:
    """Check each object that may hold the values."""
    for where, call, command in _places(case):
        if call.timeout_ms is not None and not MIN_TIMEOUT_MS <= call.timeout_ms <= MAX_TIMEOUT_MS:
            expected = f"{MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS} ms"
            yield TenantFinding(expected=expected, actual=f"{call.timeout_ms} ms at {where}", command=command)
        if call.retries is not None and not 0 <= call.retries <= MAX_RETRIES:
            yield TenantFinding(
                expected=f"0 to {MAX_RETRIES} retries", actual=f"{call.retries} at {where}", command=command
            )


@statement("D27", "extension")
def timeout_is_longest(case: Case) -> Iterator[TenantFinding]:
    """Check the effective timeout; D26 checks the limits."""
    for where, timeout_ms, command in _effective(case):
        if MIN_TIMEOUT_MS <= timeout_ms < MAX_TIMEOUT_MS:
            yield TenantFinding(expected=f"{MAX_TIMEOUT_MS} ms", actual=f"{timeout_ms} ms ({where})", command=command)


@statement("D28", "extension")
def retries_are_set(case: Case) -> Iterator[TenantFinding]:
    """Check for a number."""
    for extension in case.extensions:
        calls = [listener.call(extension) for listener in case.listeners_of(extension)] or [extension.call]
        if any(call.retries is None for call in calls):
            yield TenantFinding(expected="1", actual="null", command=_extension_command(extension))


@statement("D29", "settings", "extension")
def budget_fits(case: Case) -> Iterator[TenantFinding]:
    """Compare the budget with each effective timeout; D26 checks the limits."""
    budget_ms = case.required_settings.budget_ms
    if budget_ms is None:
        raise EvidenceMissing("Claims__BudgetMs is not a number (D01)")
    for where, timeout_ms, longer in _effective(case):
        if not MIN_TIMEOUT_MS <= timeout_ms <= MAX_TIMEOUT_MS or budget_ms + RESERVE_MS <= timeout_ms:
            continue
        yield TenantFinding(
            expected=f"{BUDGET_MS} at most {timeout_ms - RESERVE_MS}, because Entra waits {timeout_ms} ms ({where})",
            actual=f"{budget_ms}",
            command=longer if timeout_ms < MAX_TIMEOUT_MS else app_setting(BUDGET_MS, "1500"),
            hint=budget_ms < timeout_ms,
        )


def _places(case: Case) -> Iterator[tuple[str, CallSettings, str]]:
    """Yield every object that may hold call settings, with the command that corrects it."""
    for extension in case.extensions:
        yield f"extension {extension.id}", extension.call, _extension_command(extension)
        for listener in case.listeners_of(extension):
            yield f"listener {listener.id}", listener.override, _listener_command(listener)


def _effective(case: Case) -> Iterator[tuple[str, int, str]]:
    """Yield the effective timeout of each listener, or of an extension that no listener calls."""
    for extension in case.extensions:
        listeners = case.listeners_of(extension)
        if not listeners:
            source = "not set" if extension.call.timeout_ms is None else "the extension's"
            yield source, _timeout_ms(extension.call), _extension_command(extension)
        for listener in listeners:
            mine = listener.override.timeout_ms is not None
            source = f"of listener {listener.id}" if mine else "the extension's"
            if listener.call(extension).timeout_ms is None:
                source = "not set"
            command = _listener_command(listener) if mine else _extension_command(extension)
            yield source, _timeout_ms(listener.call(extension)), command


def _timeout_ms(call: CallSettings) -> int:
    return DEFAULT_TIMEOUT_MS if call.timeout_ms is None else call.timeout_ms


def _extension_command(extension: ExtensionObject) -> str:
    return patch_extension(extension.id, {"clientConfiguration": _BEST})


def _listener_command(listener: ListenerObject) -> str:
    return patch_handler(listener.id, {"configuration": {"clientConfiguration": _BEST}})


_BEST: Final = {"timeoutInMilliseconds": MAX_TIMEOUT_MS, "maximumRetries": MAX_RETRIES}
