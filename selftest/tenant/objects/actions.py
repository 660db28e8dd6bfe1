"""What each command does, once it is clear what is wanted."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.token_permissions import TokenPermissions
from selftest.tenant.objects import azd_environment, permissions
from selftest.tenant.objects.confirmation import ask
from selftest.tenant.objects.connection import connect
from selftest.tenant.objects.endpoint_health import require_health
from selftest.tenant.objects.errors import UsageError
from selftest.tenant.objects.intent import PHASES, Intent
from selftest.tenant.objects.status import show_status
from selftest.tenant.objects.steps.activation import phase_d
from selftest.tenant.objects.steps.apply import Applying, State, survey, tell_plan
from selftest.tenant.objects.steps.extension import PHASE_C
from selftest.tenant.objects.steps.found_objects import Found
from selftest.tenant.objects.steps.listener import Listener
from selftest.tenant.objects.steps.registration import PHASE_A, PHASE_B
from selftest.tenant.objects.steps.removal import named_removals, removals, remove
from selftest.tenant.objects.steps.step import Comparison, Step
from selftest.tenant.objects.wait_times import Pace

_ALL: Final = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command with all that it needs.

    Attributes:
        args: the flags.
        intent: what they mean.
        environ: of the process, over azd's file.
        pace: how long to wait.
    """

    args: argparse.Namespace
    intent: Intent
    environ: Mapping[str, str]
    pace: Pace

    @property
    def phases(self) -> tuple[str, ...]:
        """Name the phases of the command; a later one needs the earlier ones."""
        if self.args.command in {"status", "remove"}:
            return _ALL
        chosen = PHASES[: PHASES.index(self.args.phase) + 1]
        return (*chosen, "D") if self.intent.clients else chosen

    @property
    def steps(self) -> list[Step]:
        """Give the steps of the phases, in order."""
        of_phase = {"A": PHASE_A, "B": PHASE_B, "C": PHASE_C}
        steps = [step for phase in self.phases for step in of_phase.get(phase, ())]
        return steps + [step for client_id in self.intent.clients for step in phase_d(client_id)]

    @property
    def writing(self) -> Sequence[permissions.Request] | None:
        """Name the requests that the command may write with; None: those of its phases."""
        return {"status": (), "plan": (), "remove": permissions.REMOVAL}.get(self.args.command)


def say(state: State, what: str, name: str, lines: Sequence[str]) -> None:
    """Print a step; at once, so that what is done can be read off when the program is cut off."""
    print(f"{state:<13} {what:<18} {name}".rstrip(), flush=True)
    for line in lines:
        print(f"{'':<33}{line}", flush=True)


async def run(job: Job) -> None:
    """Sign in and do it.

    Raises:
        EntraError, GraphError: as their leaves say.
    """
    async with connect(
        job.environ,
        credential=job.args.credential,
        tenant_id=job.args.tenant,
        graph_url=job.args.graph_url,
        permissions=permissions.scopes(job.phases, writing=job.writing),
    ) as client:
        held = await client.permissions()
        permissions.require_reading(held, job.phases, writing=job.writing)
        match job.args.command:
            case "status":
                await show_status(client, job.intent, say)
            case "remove":
                await _remove(client, job, held)
            case _:
                await _make(client, job, held)


async def _make(client: GraphClient, job: Job, held: TokenPermissions) -> None:
    found = Found()
    plan = await survey(client, job.intent, job.steps, found)
    if job.args.command == "plan":
        tell_plan(plan, say)
        return
    permissions.require_writing(held, [request for step, each in plan for request in _requests(step, each)])
    begins = any(isinstance(step, Listener) and each.write for step, each in plan)
    if begins and not job.args.no_health_check:
        await require_health(job.intent.health_url)
    await Applying(client, job.intent, found, say, job.pace).apply(job.steps)
    _tell_app_id(job, found)


def _requests(step: Step, comparison: Comparison) -> Iterator[permissions.Request]:
    if comparison.write is not None:
        write = comparison.write
        yield permissions.Request(write.method, write.path, of_others=step.phase == "D")


async def _remove(client: GraphClient, job: Job, held: TokenPermissions) -> None:
    if job.args.ids:
        found = await named_removals(client, job.intent, job.args.ids)
    else:
        found = await removals(client, job.intent, job.args.app)
    if not found:
        print(f"nothing of {job.intent.display_name!r} is there")
        return
    permissions.require_writing(held, [permissions.Request(each.method, each.path) for each in found])
    if not job.args.yes:
        for each in found:
            say("would delete" if each.restored is None else "would restore", each.what, each.name, each.lines)
        if not sys.stdin.isatty():
            raise UsageError("nobody is there to ask: say --yes")
        if (await ask("Do this? [y/N] ")).casefold() not in {"y", "yes"}:
            raise UsageError("nothing was removed")
    await remove(client, found, say, job.pace)


def _tell_app_id(job: Job, found: Found) -> None:
    if found.application is None:
        return
    app_id = str(found.application["appId"])
    if job.args.set_azd_env:
        azd_environment.tell(job.intent.environment, app_id)
    elif job.environ.get(azd_environment.API_APP_ID) != app_id:
        print(azd_environment.hint(job.intent.environment, app_id))
