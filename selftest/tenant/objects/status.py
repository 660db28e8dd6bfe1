"""What is there now, and what is not as it should be; nothing is changed, and nothing stops it half-way."""

from dataclasses import replace
from urllib.parse import urlsplit

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.objects.errors import Conflict
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.activation import phase_d
from selftest.tenant.objects.steps.apply import State, Tell
from selftest.tenant.objects.steps.extension import PHASE_C, Extension
from selftest.tenant.objects.steps.found_objects import Found
from selftest.tenant.objects.steps.registration import PHASE_A, PHASE_B
from selftest.tenant.objects.steps.removal import Holdings
from selftest.tenant.objects.steps.step import Step


async def show_status(client: GraphClient, intent: Intent, tell: Tell) -> None:
    """Tell each object's state, for every application that was ever enabled.

    Raises:
        GraphError: it cannot be read.
    """
    held, found = await Holdings.read(client, intent), Found()
    names = {intent.client_of(each.get("displayName")) for each in (*held.listeners, *held.policies)}
    clients = sorted(name for name in names if name)
    if intent.host is None:
        intent = replace(intent, host=await _host(client, intent, found))
    steps = list[Step](PHASE_A)
    if intent.host is not None:
        steps += [*PHASE_B, *PHASE_C, *(step for each in clients for step in phase_d(each))]
    for step in steps:
        try:
            await step.read(client, intent, found)
            comparison = step.compare(intent, found)
        except Conflict as conflict:
            tell("conflict", step.what, "", conflict.reasons)
            continue
        state: State = "missing" if comparison.is_new else "differs"
        lines = () if comparison.is_new else comparison.lines
        tell("exists" if comparison.write is None else state, step.what, comparison.name, lines)
    if intent.host is None:
        tell("missing", Extension.what, intent.display_name, ())


async def _host(client: GraphClient, intent: Intent, found: Found) -> str | None:
    """Take the endpoint's host from the extension, where nobody gave it."""
    try:
        await Extension().read(client, intent, found)
    except Conflict:
        return None
    url = ((found.extension or {}).get("endpointConfiguration") or {}).get("targetUrl")
    return urlsplit(str(url)).hostname if url else None
