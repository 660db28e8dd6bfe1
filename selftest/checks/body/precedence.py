"""B80 to B89: the order header, token, body. The body of an unauthenticated caller is neither parsed nor held."""

import asyncio
from collections.abc import Sequence
from typing import Final

from selftest.base.loopback import is_this_machine
from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest, RawResponse, send_withholding
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.expectations import failed, must_refuse_alike, passed, skipped
from selftest.checks.forged_tokens import TokenForge
from selftest.checks.registry import ANYWHERE, CheckOutcome, check

_SOURCE: Final = (
    "ours: the HTTP contract's order header, token, body; OWASP API4:2023, unrestricted resource consumption"
)
_FIX: Final = "Validate the token before the body is read. See claims/endpoint.py for the order."
_MIB: Final = 1024 * 1024
#: B84: large enough to show in the memory of a process that holds it, and small enough for any machine.
_CALLS: Final = 8
_LARGE_BYTES: Final = 8 * _MIB
_MAX_GROWTH_KB: Final = _CALLS * _LARGE_BYTES // 4 // 1024
_LARGE_TIMEOUT_MS: Final = 10_000


async def _refused(env: CheckEnvironment, body: bytes, *, host_may_refuse: bool = False) -> CheckOutcome:
    """Send this body with the attacker's token; it must be answered as the same token with a valid event is."""
    attack = env.request(TokenForge(env).by_attacker()).with_body(body)
    return await must_refuse_alike(env, attack, host_may_refuse=host_may_refuse)


@check(
    "B80",
    "validates the token before a body that is not JSON",
    level="convention",
    source=_SOURCE,
    why="A 400 reveals that the body of an unauthenticated caller was parsed, and lets anyone use the parser's time.",
    fix=_FIX,
    explain="Sends `{` with the attacker's token.\nExpected: the same status as with a valid event, and not 400.",
    needs=ANYWHERE,
)
async def token_before_json(env: CheckEnvironment) -> CheckOutcome:
    """Send an unparsable body."""
    return await _refused(env, b"{")


@check(
    "B81",
    "validates the token before the body's size",
    level="convention",
    source=_SOURCE,
    why="If the body is read first, an unauthenticated caller decides how much is read.",
    fix=_FIX,
    explain="Sends 1 MiB of event with the attacker's token.\nExpected: the same status as with a valid event. The "
    "web host may also refuse the "
    "announced length with 413 or, as Microsoft's host does, with an empty 500; it must then do so again while the "
    "body is withheld.",
    needs=ANYWHERE,
)
async def token_before_size(env: CheckEnvironment) -> CheckOutcome:
    """Send a body larger than any event."""
    return await _refused(env, encode({**env.event(), "padding": "x" * _MIB}), host_may_refuse=True)


@check(
    "B82",
    "validates the token before the content type",
    level="convention",
    source=_SOURCE,
    why="A 415 reveals to an unauthenticated caller which types the endpoint accepts.",
    fix=_FIX,
    explain="Sends the valid event as text/plain with the attacker's token.\n"
    "Expected: the same status as with a valid event, and not 415.",
    needs=ANYWHERE,
)
async def token_before_media(env: CheckEnvironment) -> CheckOutcome:
    """Send another content type."""
    attack = env.request(TokenForge(env).by_attacker()).with_header("Content-Type", "text/plain")
    return await must_refuse_alike(env, attack)


@check(
    "B83",
    "validates the token before the event's tenant",
    level="convention",
    source=_SOURCE,
    why="A 403 reveals to an unauthenticated caller which tenant the endpoint belongs to.",
    fix=_FIX,
    explain="Sends an event of another tenant with the attacker's token.\n"
    "Expected: the same status as with a valid event, and not 403.",
    needs=ANYWHERE,
)
async def token_before_tenant(env: CheckEnvironment) -> CheckOutcome:
    """Send an event of another tenant."""
    event = env.event()
    event["data"]["tenantId"] = env.tenant.other_tenant_id
    return await _refused(env, encode(event))


@check(
    "B84",
    "does not hold large bodies of unauthenticated callers",
    level="hardening",
    source=_SOURCE,
    why="Anyone who knows the URL could exhaust the worker's memory, which fails every sign-in.",
    fix=(
        "Let the web host refuse bodies over 64 KiB before they are read: "
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT=65536 in the app settings of Azure Functions, client_max_body_size"
        " or its equivalent elsewhere."
    ),
    explain=f"Sends {_CALLS} bodies of {_LARGE_BYTES // _MIB} MiB at once without a token; the last byte of each "
    "waits until all others are sent. Sent only to an endpoint on this machine.\nExpected: each is refused. If the "
    f"harness runs the app, its process grows by less than {_MAX_GROWTH_KB // 1024} MiB in the meantime, and the "
    "health endpoint answers 200 afterwards.",
    needs=ANYWHERE,
)
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
