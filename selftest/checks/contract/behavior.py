"""C85 to C94: URLs, headers and concurrency of requests, and the health endpoint."""

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
    "answers at a URL with a function key",
    level="convention",
    source="entra-docs custom-extension-tokenissuancestart-configuration.md shows a target URL with ?code=",
    why="The function URL that the portal shows contains a key; using it must not break the sign-in.",
    fix="Ignore query parameters.",
    explain="Sends the valid request to the URL with ?code=… appended.\nExpected: 200.",
)
async def tolerates_a_function_key(env: CheckEnvironment) -> CheckOutcome:
    """Add a query parameter; a key that is there already stays, and was used in every other check."""
    url = str(URL(env.url).update_query(code=URL(env.url).query.get("code", "not-a-key")))
    return await must_answer(env, replace(env.good_request(), url=url))


@check(
    "C86",
    "answers regardless of the User-Agent",
    level="sign-in",
    source="entra-docs custom-claims-provider-reference.md documents two headers; User-Agent is not one of them",
    why="A filter by User-Agent blocks Entra as soon as its client changes, and does not stop attackers.",
    fix="Disable such filters, also in front ends and proxies.",
    explain=(
        "Sends the valid request without a User-Agent, and then with one and with a request id header in "
        "Microsoft's style.\nExpected: 200 to both."
    ),
)
async def tolerates_any_client(env: CheckEnvironment) -> CheckOutcome:
    """Send no User-Agent, and then an unknown one."""
    named = env.good_request().with_header("User-Agent", "unheard-of/0.1")
    named = named.with_header("x-ms-client-request-id", env.new_id())
    return await must_answer(env, env.good_request(), named)


@check(
    "C87",
    "answers a request with a trace header",
    level="sign-in",
    source="W3C Trace Context",
    why="Front ends add traceparent; an invalid one must not matter either.",
    fix="Do not read trace headers, or read them leniently.",
    explain="Sends the valid request with a valid traceparent, and then with an invalid one.\nExpected: 200 to both.",
)
async def tolerates_traces(env: CheckEnvironment) -> CheckOutcome:
    """Send a valid and an invalid traceparent."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    requests = [env.good_request().with_header("traceparent", value) for value in (trace, "00-zz")]
    return await must_answer(env, *requests)


@check(
    "C88",
    "answers twenty concurrent calls",
    level="sign-in",
    source="ours: sign-ins arrive in bursts",
    why="One slow call that blocks the others delays all of them.",
    fix="Handle requests asynchronously and do not block the event loop.",
    explain=f"Sends {_AT_ONCE} concurrent valid events.\nExpected: 200 to each within 2000 ms.",
)
async def answers_at_once(env: CheckEnvironment) -> CheckOutcome:
    """Report the first call that fails."""
    expected = f"HTTP 200 to each of {_AT_ONCE}"
    responses = await asyncio.gather(*(env.send(env.good_request()) for _ in range(_AT_ONCE)))
    bad = [response for response in responses if response.status != 200]
    if bad:
        return failed(bad[0], expected, f"{bad[0]} to {len(bad)} of them")
    return passed(max(responses, key=lambda response: response.latency_ms), expected)


@check(
    "C89",
    "never mixes up concurrent calls",
    level="security",
    source="ours: one user's claims in another user's token are the worst possible failure",
    why="State that two requests share can put one user's claims into another's token.",
    fix="Keep all state of a request in arguments and local variables.",
    explain=f"Sends {_AT_ONCE} concurrent events with different correlation ids and looks for the ids in the replies."
    "\nExpected: each contains its own id and no other. Skipped if no claim contains the id.",
)
async def never_mixes_up(env: CheckEnvironment) -> CheckOutcome:
    """Look in each response for the ids of all events."""
    expected = "each response contains its own correlation id and no other"
    ids = [env.new_id() for _ in range(_AT_ONCE)]
    requests = [env.good_request(env.event(correlation_id)) for correlation_id in ids]
    responses = await asyncio.gather(*(env.send(request) for request in requests))
    bodies = [response.body.decode(errors="replace") for response in responses]
    if not any(other in body for body in bodies for other in ids):
        return skipped(expected, "no claim contains the correlation id, so a mix-up would not be visible")
    for own, body, response in zip(ids, bodies, responses, strict=True):
        if own not in body or any(other in body for other in ids if other != own):
            return failed(response, expected, "a response contains another call's id, or not its own")
    return passed(responses[0], expected, "each does")


@check(
    "C90",
    "answers the same event twice with the same claims",
    level="hardening",
    source="entra-docs custom-extension-troubleshoot.md: Entra may call again; the retry carries the same event",
    why="Entra repeats a call that took too long; a repetition must not change the claims or repeat side effects.",
    fix="Derive claims from the event and stored data only; run side effects once per correlationId.",
    explain="Sends one event twice.\nExpected: 200 and the same claims both times.",
)
async def answers_alike(env: CheckEnvironment) -> CheckOutcome:
    """Compare the claims."""
    expected = "the same claims both times"
    event = env.event()
    first, second = [await env.send(env.good_request(event)) for _ in range(2)]
    if not first.status == second.status == 200:
        return skipped(expected, f"there are not two replies to compare: {first} and {second}")
    complaint = None if claims_of(first) == claims_of(second) else "the claims differ"
    return judged(second, expected, complaint, actual="they are equal")


@check(
    "C91",
    "reports that it is ready",
    level="convention",
    source=_OURS,
    why="Without it, missing signing keys are noticed only at the first sign-in.",
    fix="Add GET /api/health: 200 if signing keys are loaded, 503 with a reason otherwise.",
    explain="Sends GET to `health` next to the endpoint.\nExpected: 200.",
    needs=ANYWHERE,
)
async def is_ready(env: CheckEnvironment) -> CheckOutcome:
    """Send GET without a token."""
    return await must_answer(env, RawRequest(url=env.health_url, method="GET"))


@check(
    "C92",
    "reveals no ids when it reports that it is ready",
    level="convention",
    source=_OURS,
    why="The URL is public; a tenant id and an audience help an attacker.",
    fix="Answer with a constant. See claims/endpoint.py.",
    explain=(
        "Sends GET to `health` next to the endpoint.\nExpected: no tenant id, audience or authority in the response."
    ),
    needs=ANYWHERE,
)
async def reveals_no_ids(env: CheckEnvironment) -> CheckOutcome:
    """Look for the emulated tenant's ids."""
    expected = "no tenant id, audience or authority"
    response = await env.send(RawRequest(url=env.health_url, method="GET"))
    if response.status not in {200, 503}:
        return skipped(expected, f"there is no health response to read: {response}")
    text = response.body.decode(errors="replace") + str(response.headers)
    secrets = {
        "tenant id": env.tenant.tenant_id,
        "audience": env.tenant.audience_app_id,
        "authority": env.entra.base_url,
    }
    named = [name for name, value in secrets.items() if value in text]
    complaint = f"it contains: {', '.join(named)}" if named else None
    return judged(response, expected, complaint, actual="it contains none")
