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


@check("C85")
async def tolerates_a_function_key(env: CheckEnvironment) -> CheckOutcome:
    """Add a query parameter; a key that is there already stays, and was used in every other check."""
    url = str(URL(env.url).update_query(code=URL(env.url).query.get("code", "not-a-key")))
    return await must_answer(env, replace(env.good_request(), url=url))


@check("C86")
async def tolerates_any_client(env: CheckEnvironment) -> CheckOutcome:
    """Send no User-Agent, and then an unknown one."""
    named = env.good_request().with_header("User-Agent", "unheard-of/0.1")
    named = named.with_header("x-ms-client-request-id", env.new_id())
    return await must_answer(env, env.good_request(), named)


@check("C87")
async def tolerates_traces(env: CheckEnvironment) -> CheckOutcome:
    """Send a valid and an invalid traceparent."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    requests = [env.good_request().with_header("traceparent", value) for value in (trace, "00-zz")]
    return await must_answer(env, *requests)


@check("C88", calls=_AT_ONCE)
async def answers_at_once(env: CheckEnvironment) -> CheckOutcome:
    """Report the first call that fails."""
    expected = f"HTTP 200 to each of {_AT_ONCE}"
    responses = await asyncio.gather(*(env.send(env.good_request()) for _ in range(_AT_ONCE)))
    bad = [response for response in responses if response.status != 200]
    if bad:
        return failed(bad[0], expected, f"{bad[0]} to {len(bad)} of them")
    return passed(max(responses, key=lambda response: response.latency_ms), expected)


@check("C89", calls=_AT_ONCE)
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


@check("C90")
async def answers_alike(env: CheckEnvironment) -> CheckOutcome:
    """Compare the claims."""
    expected = "the same claims both times"
    event = env.event()
    first, second = [await env.send(env.good_request(event)) for _ in range(2)]
    if not first.status == second.status == 200:
        return skipped(expected, f"there are not two replies to compare: {first} and {second}")
    complaint = None if claims_of(first) == claims_of(second) else "the claims differ"
    return judged(second, expected, complaint, actual="they are equal")


@check("C91", needs=ANYWHERE)
async def is_ready(env: CheckEnvironment) -> CheckOutcome:
    """Send GET without a token."""
    return await must_answer(env, RawRequest(url=env.health_url, method="GET"))


@check("C92", needs=ANYWHERE)
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
