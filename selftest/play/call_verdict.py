"""The verdict on a call of one or two attempts: that on its last response, and a warning if the first one failed."""

from dataclasses import replace

from selftest.judge.mapping import MappingPolicy
from selftest.judge.restricted_claims import TokenFormat
from selftest.judge.verdict import Verdict, judge
from selftest.judge.warnings import ReplyWarning
from selftest.play.caller import Attempt, Call

#: The kind of the warning.
BY_RETRY = "minted-by-retry"


def judge_call(
    call: Call,
    *,
    registered: frozenset[str] | None = None,
    mapping: MappingPolicy | None = None,
    token: TokenFormat = "jwt",  # noqa: S107 - a format
) -> Verdict:
    """Return the verdict as `selftest.judge.verdict.judge` does, with a warning first if only the retry was minted."""
    verdict = judge(call.reply, registered=registered, mapping=mapping, token=token)
    if not verdict.minted or len(call.attempts) == 1:
        return verdict
    attempts = ", ".join(f"attempt {number} {_in_words(one)}" for number, one in enumerate(call.attempts, start=1))
    message = f"the token was minted by the retry alone: {attempts}; the next slow answer loses the sign-in"
    return replace(verdict, warnings=(ReplyWarning(kind=BY_RETRY, claim=None, message=message), *verdict.warnings))


def whole_ms(call: Call) -> float:
    """Return the time from when the call was due to the end of its last attempt, in milliseconds."""
    return (call.attempts[-1].end_s - call.attempts[0].due_s) * 1000


def _in_words(attempt: Attempt) -> str:
    if attempt.failure == "timeout":
        return f"timed out after {attempt.latency_ms:,.0f} ms"
    if attempt.failure is not None:
        return f"had no connection after {attempt.latency_ms:,.0f} ms"
    return f"answered {attempt.status} in {attempt.latency_ms:,.0f} ms"
