"""C51 to C55: the status of each kind of refusal. To Entra all are alike; people and tools tell them apart."""

from collections.abc import Callable, Collection, Sequence

from selftest.checks.bench.environment import CheckEnvironment, CheckNeed
from selftest.checks.bench.probe import RawRequest
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.contract.refusal_rules import expired, marked_garbage, no_token, other_tenant
from selftest.checks.expectations import failed, in_words, is_host_refusal, no_refusal, passed
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import ANYWHERE, TOKEN, CheckOutcome, check

type _Requests = Callable[[CheckEnvironment], Sequence[RawRequest]]


def _bad_tokens(env: CheckEnvironment) -> Sequence[RawRequest]:
    forge = TokenForge(env)
    # A key of another type makes some verifiers raise, which becomes a 500.
    wrong_type = forge.signed(header=forge.header(alg="HS256"), key=forge.public_modulus(), alg="HS256")
    return (
        no_token(env),
        env.request("garbage"),
        env.request(forge.by_attacker()),
        env.request(wrong_type),
        expired(env),
    )


def _bad_bodies(env: CheckEnvironment) -> Sequence[RawRequest]:
    good = env.good_request()
    return marked_garbage(env), *(good.with_body(body) for body in (b"", b"[]", b"null"))


def _large_body(env: CheckEnvironment) -> Sequence[RawRequest]:
    return (env.good_request().with_body(encode({**env.event(), "padding": "x" * 64 * 1024})),)


def _another_type(env: CheckEnvironment) -> Sequence[RawRequest]:
    return (env.good_request().with_header("Content-Type", "text/plain"),)


def _status(
    check_id: str,
    requests: _Requests,
    statuses: Collection[int],
    *,
    needs: frozenset[CheckNeed] = TOKEN,
    host_may_refuse: bool = False,
) -> None:
    """Register a check of the status with which these requests are refused; what is let in others find."""
    expected = f"HTTP {in_words(statuses)}" + (", or the web host's empty 500" if host_may_refuse else "")

    async def run(env: CheckEnvironment) -> CheckOutcome:
        judged = None
        for request in requests(env):
            response = await env.send(request)
            if response.status in {None, 200}:
                continue
            judged = response
            if response.status not in statuses and not (host_may_refuse and is_host_refusal(response)):
                return failed(response, expected)
        return no_refusal(expected, response) if judged is None else passed(judged, expected)

    check(check_id, needs=needs, expected=expected, statuses=in_words(statuses))(run)


_status("C51", _bad_tokens, {401}, needs=ANYWHERE)
_status("C52", _bad_bodies, {400})
_status("C53", _another_type, {415})
_status("C54", _large_body, {413}, host_may_refuse=True)
_status("C55", lambda env: (other_tenant(env),), {403})
