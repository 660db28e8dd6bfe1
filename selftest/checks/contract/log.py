"""C95 to C99: the app's log, if the harness can read it, and that it contains no secrets.

Each request of an authenticated caller has one line. For unauthenticated callers, the first refusal of each code and
minute has a line; the next line of that code counts those without one.
"""

from collections.abc import Sequence
from typing import Any, Final

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.log_lines import logged, logged_before_a_valid_one, logged_during
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import failed, judged, passed, skipped
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import APP, LOG, CheckOutcome, check
from selftest.play.app_log import records_of

_MEMBERS: Final = frozenset({"event", "correlationId", "outcome", "status", "total_ms", "budget_ms", "phases"})
#: How many refusals of one kind C96 sends.
_SAME: Final = 3
_HOUR_S: Final = 3600
_PERSONAL: Final = ("displayName", "givenName", "surname", "mail", "userPrincipalName")
#: Makes the sample names unique, so that no app logs them by chance.
_MARK: Final = "zq7mark"


@check("C95", needs=APP)
async def logs_one_line(env: CheckEnvironment) -> CheckOutcome:
    """Find the line by its correlation id."""
    expected = f"one JSON line with {', '.join(sorted(_MEMBERS))}"
    correlation_id = env.new_id()
    good = env.good_request(env.event(correlation_id))
    response, lines = await logged(env, good, correlation_id=correlation_id)
    records = list(records_of(lines, correlation_id))
    if response.status is None and not records:
        return skipped(expected, f"the request was not answered ({response}), so it may have no line yet")
    if len(records) != 1:
        return failed(response, expected, f"{len(records)} lines with the correlation id")
    missing = _MEMBERS - records[0].keys()
    if missing:
        return failed(response, expected, f"the line lacks {', '.join(sorted(missing))}")
    if records[0]["status"] != response.status:
        return failed(response, expected, f"the line has status {records[0]['status']}, the response was {response}")
    return passed(response, expected, "it does")


@check("C96", needs=APP, same=_SAME)
async def logs_refusals(env: CheckEnvironment) -> CheckOutcome:
    """Find the lines without a correlation id. No earlier check is refused for the same reasons."""
    expected = "a JSON line with status 401 and an outcome for the first refusal of each kind"
    forge = TokenForge(env)
    not_yet_valid = forge.with_claims(nbf=forge.now_s + _HOUR_S)
    issued_in_future = forge.with_claims(iat=forge.now_s + _HOUR_S)
    requests = [env.request(token) for token in (*[not_yet_valid] * _SAME, issued_in_future)]
    responses, lines = await logged_before_a_valid_one(env, requests)
    other = next((response for response in responses if response.status != 401), None)
    if other is not None:
        return skipped(expected, f"invalid tokens should be refused with 401, but the answer was {other}")
    if lines is None:
        return failed(responses[0], expected, "the valid request that followed has no line")
    complaint = _refusals_wrong([record for record in records_of(lines, None) if record["status"] == 401])
    return judged(responses[0], expected, complaint, actual="it does")


def _refusals_wrong(records: Sequence[dict[str, Any]]) -> str | None:
    """Return what is wrong with the lines of the refusals that C96 sent, or None."""
    outcomes = [record.get("outcome") for record in records]
    if not all(isinstance(outcome, str) and outcome for outcome in outcomes):
        return "a refusal's line has no outcome"
    if not all(_is_count(record.get("not_written", 1)) for record in records):
        return "not_written is not a number above zero"
    if len(records) == _SAME + 1:
        return None
    if not records or outcomes[0] == outcomes[-1]:
        return (
            f"{_lines(len(records))} for {_SAME + 1} refusals of two kinds: {', '.join(map(str, outcomes)) or 'none'}"
        )
    if any("not_written" in record for record in (records[0], records[-1])):
        return "the first refusal of a kind has no line"
    counted = sum(1 + record.get("not_written", 0) for record in records if record["outcome"] == outcomes[0])
    return None if counted <= _SAME else f"{counted} refusals are counted where {_SAME} were sent"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _lines(number: int) -> str:
    return f"{number} line{'' if number == 1 else 's'}"


async def _leaks(
    env: CheckEnvironment, sent: Sequence[tuple[RawRequest, dict[str, str]]], correlation_id: str
) -> CheckOutcome:
    """Look for the texts of requests in all lines that the app logged while they were sent.

    An app may log accepted or refused requests alone, so all are sent before the log is judged.

    Args:
        env: The environment.
        sent: The requests and, of each, its texts by name.
        correlation_id: That of the last request.
    """
    expected = f"no {', no '.join(dict.fromkeys(name for _, secrets in sent for name in secrets))} in any line"
    responses, lines = await logged_during(env, [request for request, _ in sent], correlation_id=correlation_id)
    if not lines:
        return skipped(expected, "the app logged nothing meanwhile")
    text = "\n".join(lines)
    found = [[name for name, value in secrets.items() if value in text] for _, secrets in sent]
    most = max(found, key=len)
    complaint = f"the log contains: {', '.join(most)}" if most else None
    return judged(responses[found.index(most)], expected, complaint, actual=f"none in {_lines(len(lines))} of the log")


@check("C97", needs=LOG)
async def logs_no_token(env: CheckEnvironment) -> CheckOutcome:
    """Look for the parts of refused tokens and of an accepted one. No earlier check uses the version of the first.

    Many endpoints do not read the version, but each compares the audience.
    """
    forge = TokenForge(env)
    correlation_id = env.new_id()
    refused = (forge.with_claims(ver="9.0"), forge.with_claims(aud=env.new_id()))
    accepted = forge.good()
    requests = (*map(env.request, refused), env.request(accepted, env.event(correlation_id)))
    return await _leaks(env, list(zip(requests, map(_parts, (*refused, accepted)), strict=True)), correlation_id)


def _parts(token: str) -> dict[str, str]:
    _, payload, signature = token.split(".")
    return {"payload": payload[:40], "signature": signature[:40]}


@check("C98", needs=LOG)
async def logs_no_name(env: CheckEnvironment) -> CheckOutcome:
    """Look for the user's names after a refusal and after a reply."""
    correlation_id = env.new_id()
    event = env.event(correlation_id)
    user = event["data"]["authenticationContext"]["user"]
    secrets = {name: f"{user[name]}-{_MARK}" for name in _PERSONAL if name in user}
    user.update(secrets)
    requests = (env.good_request({**event, "type": "other"}), env.good_request(event))
    return await _leaks(env, [(request, secrets) for request in requests], correlation_id)
