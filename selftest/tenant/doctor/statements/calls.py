"""D26 to D29: how long Entra waits, how often it tries, and whether the endpoint's budget fits into that.

What holds is the listener's override where there is one, else the extension's value, else Microsoft's default.
"""

from collections.abc import Iterator
from typing import Final

from selftest.contract import DEFAULT_TIMEOUT_MS, MAX_RETRIES, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from selftest.tenant.doctor.case import Case
from selftest.tenant.doctor.evidence.wiring_objects import CallSettings, ExtensionObject, ListenerObject
from selftest.tenant.doctor.registry import EvidenceMissing, Finding, statement
from selftest.tenant.doctor.statements.az_rest import app_setting, patch_extension, patch_listener

_LATE: Final = 1003005
_CLIENT: Final = "Microsoft Graph v1.0 customExtensionClientConfiguration, customExtensionOverwriteConfiguration"
_PORTAL: Final = (
    "Entra > External Identities > Custom authentication extensions > the extension > Endpoint configuration"
)
#: What the connection, TLS and the host in front of the endpoint take of Entra's time; docs/timing-budget.md.
_RESERVE_MS: Final = 200


@statement(
    "D26",
    "the timeout and the retries are within Microsoft's limits",
    code=_LATE,
    needs=("extension",),
    source=_CLIENT,
    why="Values outside of the limits are refused or replaced, and what holds then is not what is written.",
    fix=f"{_PORTAL}: 2000 ms and one retry.",
    explain=f"timeoutInMilliseconds is {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS} or null, maximumRetries 0 to "
    f"{MAX_RETRIES} or null: at the "
    "extension, and at every listener that calls it.",
    bad='"clientConfiguration": {"timeoutInMilliseconds": 5000, "maximumRetries": 3}',
    good='"clientConfiguration": {"timeoutInMilliseconds": 2000, "maximumRetries": 1}',
)
def call_is_within_limits(case: Case) -> Iterator[Finding]:
    """Look at each place that may hold the values."""
    for where, call, command in _places(case):
        if call.timeout_ms is not None and not MIN_TIMEOUT_MS <= call.timeout_ms <= MAX_TIMEOUT_MS:
            expected = f"{MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS} ms"
            yield Finding(expected=expected, actual=f"{call.timeout_ms} ms at {where}", command=command)
        if call.retries is not None and not 0 <= call.retries <= MAX_RETRIES:
            yield Finding(expected=f"0 to {MAX_RETRIES} retries", actual=f"{call.retries} at {where}", command=command)


@statement(
    "D27",
    "Entra waits as long as it can",
    level="should",
    code=_LATE,
    needs=("extension",),
    source=f"{_CLIENT}; entra-docs custom-extension-troubleshoot.md (performance)",
    why="Every millisecond less is a sign-in lost on a slow day, and the default is half of what may be had.",
    fix=f"{_PORTAL}: timeout 2000 ms.",
    explain=f"The effective timeout is {MAX_TIMEOUT_MS} ms. Not set, it is {DEFAULT_TIMEOUT_MS} ms.",
    bad='"clientConfiguration": null',
    good='"clientConfiguration": {"timeoutInMilliseconds": 2000, "maximumRetries": 1}',
)
def timeout_is_longest(case: Case) -> Iterator[Finding]:
    """Look at the effective timeout; one out of bounds is D26's."""
    for where, timeout_ms, command in _effective(case):
        if MIN_TIMEOUT_MS <= timeout_ms < MAX_TIMEOUT_MS:
            yield Finding(expected=f"{MAX_TIMEOUT_MS} ms", actual=f"{timeout_ms} ms ({where})", command=command)


@statement(
    "D28",
    "the number of retries is set",
    level="should",
    code=_LATE,
    needs=("extension",),
    source=_CLIENT,
    why="What happens without a number is not published; one retry saves the sign-in whose first call was slow.",
    fix=f"{_PORTAL}: one retry.",
    explain="maximumRetries is set at the extension, or at the listener that calls it.",
    bad='"maximumRetries": null',
    good='"maximumRetries": 1',
)
def retries_are_set(case: Case) -> Iterator[Finding]:
    """Look for a number."""
    for extension in case.extensions:
        calls = [listener.call(extension) for listener in case.listeners_of(extension)] or [extension.call]
        if any(call.retries is None for call in calls):
            yield Finding(expected="1", actual="null", command=_extension_command(extension))


@statement(
    "D29",
    "the endpoint answers before Entra stops waiting",
    code=_LATE,
    needs=("settings", "extension"),
    source="ours: docs/timing-budget.md",
    why="An answer at the end of the budget comes too late then, and the user gets no token.",
    fix=f"{_PORTAL}: timeout 2000 ms; or set a smaller Claims__BudgetMs.",
    explain="Claims__BudgetMs is below the effective timeout. Where less than 200 ms are left for the "
    "connection, TLS and "
    "the host in front of the endpoint, it is a hint.",
    bad="Claims__BudgetMs=1500 with timeoutInMilliseconds 1000",
    good="Claims__BudgetMs=1500 with timeoutInMilliseconds 2000",
)
def budget_fits(case: Case) -> Iterator[Finding]:
    """Compare the budget with each effective timeout; one out of bounds is D26's."""
    budget_ms = case.required_settings.budget_ms
    if budget_ms is None:
        raise EvidenceMissing("Claims__BudgetMs is no number (D01)")
    for where, timeout_ms, longer in _effective(case):
        if not MIN_TIMEOUT_MS <= timeout_ms <= MAX_TIMEOUT_MS or budget_ms + _RESERVE_MS <= timeout_ms:
            continue
        yield Finding(
            expected=f"Claims__BudgetMs at most {timeout_ms - _RESERVE_MS}, for Entra waits {timeout_ms} ms ({where})",
            actual=f"{budget_ms}",
            command=longer if timeout_ms < MAX_TIMEOUT_MS else app_setting("Claims__BudgetMs", "1500"),
            hint=budget_ms < timeout_ms,
        )


def _places(case: Case) -> Iterator[tuple[str, CallSettings, str]]:
    """Name every place that may hold call settings, with a command that mends it."""
    for extension in case.extensions:
        yield f"extension {extension.id}", extension.call, _extension_command(extension)
        for listener in case.listeners_of(extension):
            yield f"listener {listener.id}", listener.override, _listener_command(listener)


def _effective(case: Case) -> Iterator[tuple[str, int, str]]:
    """Give the timeout that holds for each listener, or for an extension that none calls."""
    for extension in case.extensions:
        listeners = case.listeners_of(extension)
        if not listeners:
            told = "not set" if extension.call.timeout_ms is None else "the extension's"
            yield told, _timeout_ms(extension.call), _extension_command(extension)
        for listener in listeners:
            mine = listener.override.timeout_ms is not None
            told = f"of listener {listener.id}" if mine else "the extension's"
            if listener.call(extension).timeout_ms is None:
                told = "not set"
            command = _listener_command(listener) if mine else _extension_command(extension)
            yield told, _timeout_ms(listener.call(extension)), command


def _timeout_ms(call: CallSettings) -> int:
    return DEFAULT_TIMEOUT_MS if call.timeout_ms is None else call.timeout_ms


def _extension_command(extension: ExtensionObject) -> str:
    return patch_extension(extension.id, {"clientConfiguration": _BEST})


def _listener_command(listener: ListenerObject) -> str:
    handler = {
        "@odata.type": "#microsoft.graph.onTokenIssuanceStartCustomExtensionHandler",
        "configuration": {"clientConfiguration": _BEST},
    }
    return patch_listener(listener.id, {"handler": handler})


_BEST: Final = {"timeoutInMilliseconds": MAX_TIMEOUT_MS, "maximumRetries": MAX_RETRIES}
