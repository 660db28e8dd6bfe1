"""Shows what exists now and what differs; it changes nothing, and a conflict does not end it."""

from dataclasses import replace
from urllib.parse import urlsplit

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.objects.errors import Conflict
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.activation import phase_d
from selftest.tenant.objects.steps.apply import ReportStep, StepState
from selftest.tenant.objects.steps.extension import PHASE_C, ExtensionStep
from selftest.tenant.objects.steps.found_objects import FoundObjects
from selftest.tenant.objects.steps.registration import PHASE_A, PHASE_B
from selftest.tenant.objects.steps.removal import Holdings
from selftest.tenant.objects.steps.step import SetupStep


async def show_status(client: GraphClient, intent: Intent, report: ReportStep) -> None:
    """Report each object's state, for every application that was ever enabled.

    Raises:
        GraphError: The tenant cannot be read.
    """
    held, found = await Holdings.read(client, intent), FoundObjects()
    names = {intent.client_of(each.get("displayName")) for each in (*held.listeners, *held.policies)}
    clients = sorted(name for name in names if name)
    if intent.host is None:
        intent = replace(intent, host=await registered_host(client, intent, found))
    steps = list[SetupStep](PHASE_A)
    if intent.host is not None:
        steps += [*PHASE_B, *PHASE_C, *(step for each in clients for step in phase_d(each))]
    for step in steps:
        try:
            await step.read(client, intent, found)
            change = step.compare(intent, found)
        except Conflict as conflict:
            report("conflict", step.what, "", conflict.reasons)
            continue
        state: StepState = "missing" if change.is_new else "differs"
        lines = () if change.is_new else change.lines
        report("exists" if change.write is None else state, step.what, change.name, lines)
    if intent.host is None:
        report("missing", ExtensionStep.what, intent.display_name, ())


async def registered_host(client: GraphClient, intent: Intent, found: FoundObjects) -> str | None:
    """Return the endpoint's host as the extension has it."""
    try:
        await ExtensionStep().read(client, intent, found)
    except Conflict:
        return None
    url = ((found.extension or {}).get("endpointConfiguration") or {}).get("targetUrl")
    return urlsplit(str(url)).hostname if url else None
