"""A check that sends one request and applies one rule to the response."""

from collections.abc import Callable

from selftest.checks.bench.environment import CheckEnvironment, CheckNeed
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import ResponseRule, must_keep
from selftest.checks.registry import TOKEN, CheckOutcome, check


def keeps(
    check_id: str,
    expected: str,
    rule: ResponseRule,
    *,
    request: Callable[[CheckEnvironment], RawRequest] = CheckEnvironment.good_request,
    status: int | None = 200,
    unreadable: ResponseRule = lambda _: None,
    needs: frozenset[CheckNeed] = TOKEN,
) -> None:
    """Register a check of a rule.

    Args:
        check_id: The check's id.
        expected: What a valid endpoint does.
        rule: Returns what is wrong with the response, or None.
        request: Makes the request; by default the valid one.
        status: See `must_keep`.
        unreadable: See `must_keep`.
        needs: See `Check`.
    """

    async def run(env: CheckEnvironment) -> CheckOutcome:
        return await must_keep(env, expected, rule, request=request(env), status=status, unreadable=unreadable)

    check(check_id, needs=needs, expected=expected)(run)
