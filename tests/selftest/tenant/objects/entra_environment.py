"""The steps at an emulated Graph in simulated time, each request compared with Microsoft's description."""

import contextlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.objects.actions import SWITCH
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.activation import phase_d
from selftest.tenant.objects.steps.apply import ApplyRun, plan_steps, report_plan
from selftest.tenant.objects.steps.extension import PHASE_C
from selftest.tenant.objects.steps.found_objects import FoundObjects
from selftest.tenant.objects.steps.registration import PHASE_A, PHASE_B
from selftest.tenant.objects.steps.removal import removals, remove
from selftest.tenant.objects.steps.step import SetupStep
from selftest.tenant.objects.wait_times import WaitTimes
from tests.emulated_graph.healthy_tenant import DEFAULT_HOST
from tests.emulated_graph.server import GraphServer
from tests.selftest.tenant.graph.connected_client import ConnectedClient, connected
from tests.selftest.tenant.graph.description import published
from tests.selftest.tenant.graph.wiring import bare_tenant

CLIENT = DEFAULT_TENANT.client.app_id
CLIENT_PRINCIPAL = DEFAULT_TENANT.client.id
PLAIN = Intent(environment="dev", host=DEFAULT_HOST)
ENABLED = Intent(environment="dev", host=DEFAULT_HOST, clients=(CLIENT,))
CANARY = Intent(environment="canary", host=f"canary-{DEFAULT_HOST}", clients=(CLIENT,))


_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass
class EntraEnvironment:
    """One tenant, and the reported steps."""

    server: GraphServer
    client: GraphClient
    times: WaitTimes
    reported: list[tuple[str, str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def report(self, state: str, what: str, name: str, lines: Sequence[str]) -> None:
        """Record a step."""
        self.reported.append((state, what, name))
        self.lines += lines

    @property
    def states(self) -> list[str]:
        """Return the states of the last run, in order."""
        return [state for state, _, _ in self.reported]

    @property
    def tenant(self) -> dict[str, Any]:
        """Return all objects."""
        return self.server.directory.export()

    async def plan(self, intent: Intent = ENABLED, *, phases: str = "ABCD") -> None:
        """Report what would be done."""
        self.reported.clear()
        report_plan(await plan_steps(self.client, intent, steps(intent, phases), FoundObjects()), self.report)

    async def apply(self, intent: Intent = ENABLED, *, phases: str = "ABCD") -> None:
        """Carry the steps out."""
        self.reported.clear()
        found = FoundObjects()
        await plan_steps(self.client, intent, steps(intent, phases), found)
        await ApplyRun(self.client, intent, found, self.report, self.times).apply(steps(intent, phases))

    async def remove(self, intent: Intent = ENABLED, *, clients: Sequence[str] = ()) -> None:
        """Remove the objects."""
        self.reported.clear()
        await remove(self.client, await removals(self.client, intent, clients), self.report, self.times)

    async def switch(self, command: str, client_id: str, intent: Intent = PLAIN) -> None:
        """Disable or enable one application."""
        self.reported.clear()
        found, chosen = FoundObjects(), SWITCH[command](client_id)
        await plan_steps(self.client, intent, chosen, found)
        await ApplyRun(self.client, intent, found, self.report, self.times).apply_switch(chosen)

    async def canary(self, command: str) -> None:
        """Enable the application in a second environment, or remove that environment."""
        intent = replace(CANARY, replace_policy=True)
        await (self.apply(intent) if command == "apply" else self.remove(intent))


def steps(intent: Intent, phases: str = "ABCD") -> list[SetupStep]:
    """Return the steps of some phases."""
    every = [*PHASE_A, *PHASE_B, *PHASE_C, *(step for each in intent.clients for step in phase_d(each))]
    return [step for step in every if step.phase in phases]


@contextlib.asynccontextmanager
async def entra(objects: Mapping[str, Any] | None = None, **options: Any) -> AsyncIterator[EntraEnvironment]:
    """Start a tenant in which nothing is wired; compare its requests with the description at the end."""
    async with connected(objects=bare_tenant() if objects is None else objects, **options) as at:
        yield EntraEnvironment(at.server, at.client, times_of(at))
        compare_with_the_description(at.server)


def times_of(at: ConnectedClient) -> WaitTimes:
    """Return wait times in the simulated time of a client."""
    return WaitTimes(clock=at.time, sleep=at.time.sleep)


def compare_with_the_description(server: GraphServer) -> None:
    """Compare every request that was sent with Microsoft's description of Graph in its version."""
    with contextlib.suppress(pytest.skip.Exception):
        for request in server.log:
            version, _, path = request.path.removeprefix("/").partition("/")
            if path == "organization":  # the published subset leaves it out
                continue
            found = [*published(version).body_misfits(request.method, f"/{path}", request.body)]
            found += published(version).violations(request.method, f"/{path}", request.query, {})
            assert found == [], found


def shape(tenant: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> str:
    """Return a tenant as text without what differs between two runs: ids that Graph assigned, and times."""
    known = set(_GUID.findall(json.dumps(bare_tenant() if before is None else before)))
    text = _TIME.sub("(time)", json.dumps(tenant, sort_keys=True, indent=1))
    numbers: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        return match[0] if match[0] in known else numbers.setdefault(match[0], f"(id {len(numbers)})")

    return _GUID.sub(placeholder, text)
