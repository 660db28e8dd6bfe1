"""F92 to F95: the log tells the owner why sign-ins fail, where Azure shows it.

Azure's host drops every record that is written while no function runs: at import, in background tasks, in threads. The
local host marks such lines, so that they are no records here.
"""

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.log_lines import logged
from selftest.checks.bench.variant import KEYS_DOWN, KEYS_HANG, NO_TOKEN, WARNED
from selftest.checks.expectations import judged
from selftest.checks.registry import DOWNSTREAM, STARTED, CheckFunction, CheckOutcome, check
from selftest.play.app_log import records_of


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


for _id, _variant, _member in (
    ("F92", KEYS_DOWN, "detail"),
    ("F93", KEYS_HANG, "detail"),
    ("F94", WARNED, "settings_warnings"),
    ("F95", NO_TOKEN, "detail"),
):
    check(_id, needs=DOWNSTREAM if _variant.downstream else STARTED, variant=_variant)(_carried(_member))
