"""B80 to B89: header, then token, then body. Who is not authenticated gets nothing parsed."""

from typing import Final

from selftest.checks.bench.environment import Bench
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.expectations import must_refuse
from selftest.checks.forged_tokens import Forge
from selftest.checks.registry import ANYWHERE, Outcome, check

_SOURCE: Final = (
    "ours: the HTTP contract's order header, token, body; OWASP API4:2023, unrestricted resource consumption"
)
_FIX: Final = "Validate the token before the body is looked at. claims/endpoint.py shows the order."
_MIB: Final = 1024 * 1024


async def _refused(bench: Bench, body: bytes) -> Outcome:
    """Send this body with the attacker's token; the control is the good request."""
    control = bench.good_request() if "token" in bench.have else None
    attack = bench.request(Forge(bench).by_attacker()).with_body(body)
    return await must_refuse(bench, attack, control=control)


@check(
    "B80",
    "judges the token before a body that is not JSON",
    source=_SOURCE,
    why="A 400 tells an unauthenticated caller that the body was parsed, and lets anybody make the parser work.",
    fix=_FIX,
    explain="Sends `{` with the attacker's token.\nWanted: 401, and not 400.",
    needs=ANYWHERE,
)
async def token_before_json(bench: Bench) -> Outcome:
    """Send what no parser can read."""
    return await _refused(bench, b"{")


@check(
    "B81",
    "judges the token before the body's size",
    source=_SOURCE,
    why="A 413 tells an unauthenticated caller where the limit is.",
    fix=_FIX,
    explain="Sends 1 MiB of event with the attacker's token.\nWanted: 401, and not 413.",
    needs=ANYWHERE,
)
async def token_before_size(bench: Bench) -> Outcome:
    """Send more than any event."""
    return await _refused(bench, encode({**bench.event(), "padding": "x" * _MIB}))


@check(
    "B82",
    "judges the token before the content type",
    source=_SOURCE,
    why="A 415 tells an unauthenticated caller what the endpoint would accept.",
    fix=_FIX,
    explain="Sends the good event as text/plain with the attacker's token.\nWanted: 401, and not 415.",
    needs=ANYWHERE,
)
async def token_before_media(bench: Bench) -> Outcome:
    """Declare another content type."""
    control = bench.good_request() if "token" in bench.have else None
    attack = bench.request(Forge(bench).by_attacker()).with_header("Content-Type", "text/plain")
    return await must_refuse(bench, attack, control=control)


@check(
    "B83",
    "judges the token before the event's tenant",
    source=_SOURCE,
    why="A 403 tells an unauthenticated caller which tenant the endpoint is for.",
    fix=_FIX,
    explain="Sends an event of another tenant with the attacker's token.\nWanted: 401, and not 403.",
    needs=ANYWHERE,
)
async def token_before_tenant(bench: Bench) -> Outcome:
    """Ask for another tenant."""
    event = bench.event()
    event["data"]["tenantId"] = bench.tenant.other_tenant_id
    return await _refused(bench, encode(event))
