"""F92 to F95: the log tells the owner why sign-ins fail, where Azure shows it.

Azure's host drops every record that is written while no function runs: at import, in background tasks, in threads. The
local host marks such lines, so that they are no records here.
"""

from typing import Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.log_lines import logged, records_of
from selftest.checks.bench.variant import KEYS_DOWN, KEYS_HANG, NO_TOKEN, WARNED, AppVariant
from selftest.checks.expectations import judged
from selftest.checks.registry import DOWNSTREAM, STARTED, CheckFunction, CheckOutcome, check

_SOURCE: Final = "Microsoft's Functions host 4.1037.0, run: records outside an invocation are dropped"
_WHY: Final = "What is logged at the start or in the background never reaches Azure's log; nobody learns the reason."
_FIX: Final = (
    "Keep the reason of a background failure, and put it into the line of the request that suffers from it. "
    "See claims/request_log.py."
)


def _carried(member: str) -> CheckFunction:
    """Return a check of the first request's line: whatever it answers, in time or not, the line has the member."""
    expected = f"{member} in the request's line"

    async def run(env: CheckEnvironment) -> CheckOutcome:
        correlation_id = env.new_id()
        response, lines = await logged(env, env.good_request(env.event(correlation_id)), correlation_id=correlation_id)
        # Without keys the body, and with it the correlation id, is not read.
        records = [record for read in (correlation_id, None) for record in records_of(lines, read)]
        complaint = None if any(record.get(member) for record in records) else f"{len(records)} lines without {member}"
        return judged(response, expected, complaint, actual="it is")

    return run


def _register(check_id: str, title: str, explain: str, variant: AppVariant, *, member: str) -> None:
    register = check(
        check_id,
        title,
        level="hardening",
        source=_SOURCE,
        why=_WHY,
        fix=_FIX,
        explain=explain,
        needs=DOWNSTREAM if variant.downstream else STARTED,
        variant=variant,
    )
    register(_carried(member))


_register(
    "F92",
    "logs why the signing keys are not loaded, in a request's line",
    "Starts the app while the key host answers 503 and sends the valid event.\nExpected: the line has detail.",
    KEYS_DOWN,
    member="detail",
)
_register(
    "F93",
    "logs that the key host never answers, in a request's line",
    "Starts the app while the key host never answers and sends the valid event.\nExpected: the line has detail.",
    KEYS_HANG,
    member="detail",
)
_register(
    "F94",
    "logs a warning about a setting in the first request's line",
    "Starts the app with another caller than Entra allowed, and sends the valid event.\nExpected: the "
    "request's line has settings_warnings.",
    WARNED,
    member="settings_warnings",
)
_register(
    "F95",
    "logs why there is no downstream token, in a request's line",
    "Starts the app while the identity answers garbage and sends the valid event.\nExpected: the request's line "
    "has detail.",
    NO_TOKEN,
    member="detail",
)
