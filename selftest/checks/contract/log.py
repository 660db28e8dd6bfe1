"""C95 to C99: the app's own log, where the app is our process. One line a request, and no secrets in it."""

from typing import Final

from selftest.checks.bench.environment import Bench
from selftest.checks.bench.log_lines import logged, records_of
from selftest.checks.bench.probe import Request
from selftest.checks.expectations import failed, passed, skipped
from selftest.checks.forged_tokens import Forge
from selftest.checks.registry import APP, Outcome, check

_SOURCE: Final = "ours: the HTTP contract; the Functions worker keeps a log line's text and drops the rest"
_FIX: Final = "Log one JSON object a request, built from ids, codes and numbers only. claims/request_log.py shows it."
_MEMBERS: Final = frozenset({"event", "correlationId", "outcome", "status", "total_ms", "budget_ms", "phases"})
_PERSONAL: Final = ("displayName", "givenName", "surname", "mail", "userPrincipalName")
#: Makes the sample names into texts that no app logs by chance.
_MARK: Final = "zq7mark"


@check(
    "C95",
    "logs one JSON line for a request",
    source=_SOURCE,
    why="When a sign-in fails, this line is all there is: Entra tells the user nothing.",
    fix=_FIX,
    explain="Sends the good event and reads the app's log.\nWanted: one line with the event's correlation id, a JSON "
    "object with event, outcome, status, total_ms, budget_ms and phases.",
    needs=APP,
    good='{"event":"onTokenIssuanceStart","correlationId":"…","outcome":"claims","status":200,…}',
)
async def logs_one_line(bench: Bench) -> Outcome:
    """Find the line by its correlation id."""
    expected = f"one JSON line with {', '.join(sorted(_MEMBERS))}"
    correlation_id = bench.new_id()
    answer, lines = await logged(bench, bench.good_request(bench.event(correlation_id)), correlation_id=correlation_id)
    records = list(records_of(lines, correlation_id))
    if len(records) != 1:
        return failed(answer, expected, f"{len(records)} lines with the correlation id")
    missing = _MEMBERS - records[0].keys()
    if missing:
        return failed(answer, expected, f"the line lacks {', '.join(sorted(missing))}")
    if records[0]["status"] != answer.status:
        return failed(answer, expected, f"the line says {records[0]['status']}, the answer was {answer}")
    return passed(answer, expected, "it does")


@check(
    "C96",
    "logs a refusal with its reason",
    source=_SOURCE,
    why="The caller learns nothing on purpose; whoever runs the endpoint must.",
    fix=_FIX,
    explain="Sends an expired token and reads the app's log.\nWanted: one JSON line with status 401 and an outcome.",
    needs=APP,
)
async def logs_a_refusal(bench: Bench) -> Outcome:
    """Find the line of a request without a correlation id."""
    expected = "one JSON line with status 401 and an outcome"
    forge = Forge(bench)
    request = bench.request(forge.with_claims(exp=forge.now_s - 3600))
    answer, lines = await logged(bench, request, correlation_id=None)
    if answer.status != 401:
        return skipped(expected, f"there is no refusal: {answer}")
    records = [record for record in records_of(lines, None) if record["status"] == 401 and record.get("outcome")]
    if len(records) != 1:
        return failed(answer, expected, f"{len(records)} such lines")
    return passed(answer, expected, "it does")


async def _leaks(bench: Bench, request: Request, correlation_id: str | None, secrets: dict[str, str]) -> Outcome:
    """Look for texts in everything that the app wrote during a request."""
    expected = f"no {', no '.join(secrets)} in any line"
    answer, lines = await logged(bench, request, correlation_id=correlation_id)
    if not lines:
        return skipped(expected, "the app logged nothing, so nothing was looked at; C95 fails")
    text = "\n".join(lines)
    found = [name for name, value in secrets.items() if value in text]
    if found:
        return failed(answer, expected, f"the log holds: {', '.join(found)}")
    return passed(answer, expected, f"{len(lines)} lines hold none")


@check(
    "C97",
    "logs no token",
    source=_SOURCE,
    why="Logs are read by more people, and kept longer, than a token may be.",
    fix=_FIX,
    explain="Sends a good and an expired token and reads the app's log.\nWanted: neither token's payload or signature.",
    needs=APP,
)
async def logs_no_token(bench: Bench) -> Outcome:
    """Look for the parts of a believed and of a refused token."""
    forge = Forge(bench)
    correlation_id = bench.new_id()
    believed, refused = forge.with_claims(), forge.with_claims(exp=forge.now_s - 3600)
    good = bench.request(believed, bench.event(correlation_id))
    first = await _leaks(bench, good, correlation_id, _parts(believed))
    return first if first.status != "pass" else await _leaks(bench, bench.request(refused), None, _parts(refused))


def _parts(token: str) -> dict[str, str]:
    _, payload, signature = token.split(".")
    return {"payload": payload[:40], "signature": signature[:40]}


@check(
    "C98",
    "logs no name and no mail",
    source=_SOURCE,
    why="A log with names is a register of who signed in when, and has to be treated as one.",
    fix=_FIX,
    explain="Sends the event of a member and one whose type is wrong, and reads the app's log.\nWanted: none of the "
    "user's names and addresses.",
    needs=APP,
)
async def logs_no_name(bench: Bench) -> Outcome:
    """Look for the user's members, after an answer and after a refusal."""
    correlation_id = bench.new_id()
    event = bench.event(correlation_id)
    user = event["data"]["authenticationContext"]["user"]
    secrets = {name: f"{user[name]}-{_MARK}" for name in _PERSONAL if name in user}
    user.update(secrets)
    first = await _leaks(bench, bench.good_request(event), correlation_id, secrets)
    if first.status != "pass":
        return first
    return await _leaks(bench, bench.good_request({**event, "type": "other"}), None, secrets)
