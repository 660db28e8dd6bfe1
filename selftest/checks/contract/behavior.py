"""C85 to C94: what shows only in how the request came, in several requests, or beside them."""

import asyncio
from dataclasses import replace
from typing import Final

from yarl import URL

from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.probe import RawRequest
from selftest.checks.expectations import claims_of, failed, judged, must_answer, passed, skipped
from selftest.checks.registry import ANYWHERE, CheckOutcome, check

_AT_ONCE: Final = 20
_OURS: Final = "ours: the HTTP contract"


@check(
    "C85",
    "answers at an address with a function key",
    source="entra-docs custom-extension-tokenissuancestart-configuration.md shows a target URL with ?code=",
    why="The portal's own address of a function carries a key; who pastes it must not break the sign-in.",
    fix="Ignore query parameters.",
    explain="Sends the good request to the address with ?code=… behind it.\nWanted: 200.",
)
async def tolerates_a_function_key(env: CheckEnvironment) -> CheckOutcome:
    """Add a parameter that means nothing."""
    url = str(URL(env.url).update_query(code="not-a-key"))
    return await must_answer(env, replace(env.good_request(), url=url))


@check(
    "C86",
    "answers whatever the client calls itself",
    source="entra-docs custom-claims-provider-reference.md documents two headers, and User-Agent is none of them",
    why="A filter by User-Agent stops Entra on the day its client changes, and no attacker ever.",
    fix="Switch such filters off, also in what stands in front of the endpoint.",
    explain="Sends the good request without a User-Agent, then with one, and an id header of Microsoft's style."
    "\nWanted: 200 to both.",
)
async def tolerates_any_client(env: CheckEnvironment) -> CheckOutcome:
    """Send the header not at all, then with a value that nobody knows."""
    named = env.good_request().with_header("User-Agent", "unheard-of/0.1")
    named = named.with_header("x-ms-client-request-id", env.new_id())
    return await must_answer(env, env.good_request(), named)


@check(
    "C87",
    "answers a traced request",
    source="W3C Trace Context",
    why="Front ends add traceparent; also a broken one must not matter.",
    fix="Read no trace header, or read it leniently.",
    explain="Sends the good request with a traceparent, then with one that is malformed.\nWanted: 200 to both.",
)
async def tolerates_traces(env: CheckEnvironment) -> CheckOutcome:
    """Send a good and a malformed one."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    requests = [env.good_request().with_header("traceparent", value) for value in (trace, "00-zz")]
    return await must_answer(env, *requests)


@check(
    "C88",
    "answers twenty calls at once",
    source="ours: sign-ins come in bursts",
    why="One slow call that blocks the others makes all of them late.",
    fix="Handle requests asynchronously and let nothing block the event loop.",
    explain=f"Sends {_AT_ONCE} good events at once.\nWanted: 200 to each within 2000 ms.",
)
async def answers_at_once(env: CheckEnvironment) -> CheckOutcome:
    """Report the first call that failed."""
    expected = f"HTTP 200 to each of {_AT_ONCE}"
    responses = await asyncio.gather(*(env.send(env.good_request()) for _ in range(_AT_ONCE)))
    bad = [response for response in responses if response.status != 200]
    if bad:
        return failed(bad[0], expected, f"{bad[0]} to {len(bad)} of them")
    return passed(max(responses, key=lambda response: response.latency_ms), expected)


@check(
    "C89",
    "never mixes up two calls",
    source="ours: a claim of one user in another's token is the worst that can happen here",
    why="State that two requests share gives one user the other's claims.",
    fix="Keep everything of a request in arguments and local variables.",
    explain=f"Sends {_AT_ONCE} events at once, each with its own correlation id, and looks for the ids in the claims."
    "\nWanted: each answer holds its own id and no other. Skipped where no claim echoes the id.",
)
async def never_mixes_up(env: CheckEnvironment) -> CheckOutcome:
    """Compare each answer with the ids of all events."""
    expected = "each answer holds its own correlation id and no other"
    ids = [env.new_id() for _ in range(_AT_ONCE)]
    requests = [env.good_request(env.event(correlation_id)) for correlation_id in ids]
    responses = await asyncio.gather(*(env.send(request) for request in requests))
    bodies = [response.body.decode(errors="replace") for response in responses]
    if not any(other in body for body in bodies for other in ids):
        return skipped(expected, "no claim echoes the correlation id, so a mix-up would not show")
    for own, body, response in zip(ids, bodies, responses, strict=True):
        if own not in body or any(other in body for other in ids if other != own):
            return failed(response, expected, "an answer holds another call's id, or not its own")
    return passed(responses[0], expected, "they do")


@check(
    "C90",
    "answers the same event twice alike",
    level="should",
    source="entra-docs custom-extension-troubleshoot.md: Entra may call again; the retry carries the same event",
    why="Entra repeats a call that took too long; the repetition must not be another answer, or another mail sent.",
    fix="Derive claims from the event and from stored data only; make side effects happen once a correlationId.",
    explain="Sends one event twice.\nWanted: 200 and the same claims both times.",
)
async def answers_alike(env: CheckEnvironment) -> CheckOutcome:
    """Compare the claims."""
    expected = "the same claims both times"
    event = env.event()
    first, second = [await env.send(env.good_request(event)) for _ in range(2)]
    if not first.status == second.status == 200:
        return skipped(expected, f"there are no two replies to compare: {first} and {second}")
    complaint = None if claims_of(first) == claims_of(second) else "the claims differ"
    return judged(second, expected, complaint, actual="they are equal")


@check(
    "C91",
    "tells that it is ready",
    level="should",
    source=_OURS,
    why="Without it nobody knows before the first sign-in whether the keys are loaded.",
    fix="Add GET /api/health: 200 when signing keys are loaded, 503 with a reason otherwise.",
    explain="Sends GET to `health` beside the endpoint.\nWanted: 200.",
    needs=ANYWHERE,
)
async def is_ready(env: CheckEnvironment) -> CheckOutcome:
    """Ask without a token."""
    return await must_answer(env, RawRequest(url=env.health_url, method="GET"))


@check(
    "C92",
    "names nobody when it tells that it is ready",
    level="should",
    source=_OURS,
    why="The address is public; a tenant's id and an audience are where an attack begins.",
    fix="Answer with a constant. claims/endpoint.py shows it.",
    explain="Sends GET to `health` beside the endpoint.\nWanted: no tenant id, audience or authority in the answer.",
    needs=ANYWHERE,
)
async def names_nobody(env: CheckEnvironment) -> CheckOutcome:
    """Look for the ids of the tenant that is played."""
    expected = "no tenant id, audience or authority"
    response = await env.send(RawRequest(url=env.health_url, method="GET"))
    if response.status not in {200, 503}:
        return skipped(expected, f"there is no health to read: {response}")
    told = response.body.decode(errors="replace") + str(response.headers)
    secrets = {
        "tenant id": env.tenant.tenant_id,
        "audience": env.tenant.audience_app_id,
        "authority": env.entra.base_url,
    }
    named = [name for name, value in secrets.items() if value in told]
    complaint = f"it names: {', '.join(named)}" if named else None
    return judged(response, expected, complaint, actual="it names none")
