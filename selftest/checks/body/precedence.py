"""B80 to B89: the order header, token, body. The body of an unauthenticated caller is neither parsed nor held."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from selftest.base.loopback import is_this_machine
from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest, RawResponse, send_withholding
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.expectations import failed, must_refuse_alike, passed, skipped
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import ANYWHERE, CheckOutcome, check

_MIB: Final = 1024 * 1024
#: B84: large enough to show in the memory of a process that holds it, and small enough for any machine.
_CALLS: Final = 8
_LARGE_BYTES: Final = 8 * _MIB
_MAX_GROWTH_KB: Final = _CALLS * _LARGE_BYTES // 4 // 1024
_LARGE_TIMEOUT_MS: Final = 10_000


def _token_before(
    check_id: str, fault: Callable[[CheckEnvironment, RawRequest], RawRequest], *, host_may_refuse: bool = False
) -> None:
    """Register a check that adds a fault to a request with the attacker's token, which must not change the answer."""

    async def run(env: CheckEnvironment) -> CheckOutcome:
        attack = fault(env, env.request(TokenForge(env).by_attacker()))
        return await must_refuse_alike(env, attack, host_may_refuse=host_may_refuse)

    check(check_id, needs=ANYWHERE)(run)


def _too_large(env: CheckEnvironment, forged: RawRequest) -> RawRequest:
    return forged.with_body(encode({**env.event(), "padding": "x" * _MIB}))


def _of_another_tenant(env: CheckEnvironment, forged: RawRequest) -> RawRequest:
    event = env.event()
    event["data"]["tenantId"] = env.tenant.other_tenant_id
    return forged.with_body(encode(event))


_token_before("B80", lambda _, forged: forged.with_body(b"{"))
_token_before("B81", _too_large, host_may_refuse=True)
_token_before("B82", lambda _, forged: forged.with_header("Content-Type", "text/plain"))
_token_before("B83", _of_another_tenant)


@check("B84", needs=ANYWHERE, calls=_CALLS, size_mib=_LARGE_BYTES // _MIB, growth_mib=_MAX_GROWTH_KB // 1024)
async def holds_no_large_body(env: CheckEnvironment) -> CheckOutcome:
    """Check the responses, the memory of the process, and its health."""
    expected = f"{_CALLS} refusals, less than {_MAX_GROWTH_KB // 1024} MiB held, and HTTP 200 from health"
    if not is_this_machine(env.url):
        return skipped(expected, "this much data is sent only to an endpoint on this machine")
    growth_kb = None if env.peak_growth is None else env.peak_growth()
    responses = await _at_once(env, env.request().with_body(bytes(_LARGE_BYTES)))
    let_in = next((response for response in responses if response.status == 200), None)
    if let_in is not None:
        return failed(let_in, expected)
    silent = [response for response in responses if response.status is None]
    if silent and "app" not in env.have:
        return skipped(expected, f"{len(silent)} requests got no answer ({silent[0]}), which is not a refusal")
    if silent:
        return failed(silent[0], expected, f"{len(silent)} requests got {silent[0]}")
    grown_kb = None if growth_kb is None else growth_kb()
    if grown_kb is not None and grown_kb >= _MAX_GROWTH_KB:
        return failed(responses[0], expected, f"the app's process grew by {grown_kb // 1024} MiB")
    if "app" in env.have:
        health = await env.send(RawRequest(url=env.health_url, method="GET"))
        if health.status != 200:
            return failed(health, expected, f"health afterwards: {health}")
    held = "" if grown_kb is None else f", {max(0, grown_kb) // 1024} MiB held"
    return passed(responses[0], expected, f"{responses[0]}{held}")


async def _at_once(env: CheckEnvironment, attack: RawRequest) -> Sequence[RawResponse]:
    """Send the request several times at once; each last byte waits until all requests are sent or answered."""
    arrived = [asyncio.Event() for _ in range(_CALLS)]

    async def all_arrived() -> None:
        await asyncio.gather(*(event.wait() for event in arrived))

    async def one(event: asyncio.Event) -> RawResponse:
        async def until() -> None:
            event.set()
            await all_arrived()

        try:
            return await send_withholding(
                env.session, attack, withheld_bytes=1, until=until, timeout_ms=_LARGE_TIMEOUT_MS
            )
        finally:
            event.set()

    return await asyncio.gather(*(one(event) for event in arrived))
