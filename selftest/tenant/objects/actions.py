"""Runs each command once flags and environment are read."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.base.daemon_thread import in_daemon_thread
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.token_permissions import TokenPermissions
from selftest.tenant.objects import azd_environment, permissions
from selftest.tenant.objects.connection import connect
from selftest.tenant.objects.endpoint_health import require_health
from selftest.tenant.objects.intent import CLAIMS, CLAIMS_FROM, PHASES, Intent
from selftest.tenant.objects.offline import show_needed
from selftest.tenant.objects.status import registered_host, show_status
from selftest.tenant.objects.steps.activation import phase_d
from selftest.tenant.objects.steps.apply import ApplyRun, Plan, StepState, plan_steps, report_plan
from selftest.tenant.objects.steps.extension import PHASE_C
from selftest.tenant.objects.steps.found_objects import FoundObjects
from selftest.tenant.objects.steps.listener import ListenerStep
from selftest.tenant.objects.steps.registration import PHASE_A, PHASE_B
from selftest.tenant.objects.steps.removal import named_removals, removals, remove
from selftest.tenant.objects.steps.step import SetupStep
from selftest.tenant.objects.steps.switch import ListenerBackStep, disabling, enabling
from selftest.tenant.objects.tenants import require_one_tenant
from selftest.tenant.objects.wait_times import WaitTimes

_MAX_ANSWER_BYTES: Final = 1024
_NOT_MAPPED: Final = (
    "these claims are registered at the extension, and no mapping policy is changed: with --enable APP_ID, the "
    "application's policy names them, too"
)

#: What takes the listener off an application, and what puts it back.
SWITCH: Final[Mapping[str, Callable[[str], tuple[SetupStep, ...]]]] = {"disable": disabling, "enable": enabling}
_SWITCHED: Final = {
    "disable": "verified: no listener includes {apps}, users sign in without the claims; back: objects enable {apps}",
    "enable": "verified: the listener is back; the sign-ins of {apps} need the endpoint again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A command with everything that it needs.

    Attributes:
        environ: Of the process, over azd's file.
    """

    args: argparse.Namespace
    intent: Intent
    environ: Mapping[str, str]
    times: WaitTimes

    @property
    def phases(self) -> tuple[str, ...]:
        """Return the phases of the command; a later one needs the earlier ones, a switch is one."""
        if self.args.command in {"status", "remove"}:
            return (*PHASES, "D")
        if self.args.command in SWITCH:
            return (str(self.args.command),)
        chosen = PHASES[: PHASES.index(self.args.phase) + 1]
        return (*chosen, "D") if self.intent.clients else chosen

    @property
    def sign_in_phases(self) -> tuple[str, ...]:
        """Return the phases whose permissions are asked for: also those of a later run with the same sign-in."""
        last = getattr(self.args, "sign_in_for", None)
        return tuple(dict.fromkeys((*self.phases, *PHASES[: PHASES.index(last) + 1]))) if last else self.phases

    @property
    def steps(self) -> list[SetupStep]:
        """Return the steps of the phases, in order."""
        steps = [step for step in (*PHASE_A, *PHASE_B, *PHASE_C) if step.phase in self.phases]
        return steps + [step for client_id in self.intent.clients for step in phase_d(client_id)]

    @property
    def writing(self) -> Sequence[permissions.NeededRequest] | None:
        """Return the requests that the command may write with; None: those of its phases."""
        return {"status": (), "plan": (), "remove": permissions.REMOVAL}.get(self.args.command)


def print_step(state: StepState, what: str, name: str, lines: Sequence[str]) -> None:
    """Print a step at once, so that an interrupted command has shown what it did."""
    print(f"{state:<13} {what:<18} {name}".rstrip(), flush=True)
    for line in lines:
        print(f"{'':<33}{line}", flush=True)


async def run(job: Job) -> None:
    """Sign in and run the command; only a plan can do without a tenant.

    Raises:
        CannotRun: It was stopped, by Graph or before.
    """
    if getattr(job.args, "offline", False):
        show_needed(job.intent, job.steps, permissions.scopes(job.phases), print_step)
        return
    async with connect(
        job.environ,
        credential=job.args.credential,
        tenant_id=job.args.tenant,
        graph_url=job.args.graph_url,
        permissions=permissions.scopes(job.sign_in_phases, writing=job.writing),
    ) as client:
        held = await client.permissions()
        permissions.require_reading(held, job.sign_in_phases, writing=job.writing)
        match job.args.command:
            case "status":
                await show_status(client, job.intent, print_step)
            case "remove":
                await _remove(client, job, held)
            case "disable" | "enable":
                await _switch(client, job, held)
            case _:
                await _apply(client, job, held)


async def _apply(client: GraphClient, job: Job, held: TokenPermissions) -> None:
    found = FoundObjects()
    plan = await plan_steps(client, job.intent, job.steps, found)
    _say_what_claims_lack(job)
    if job.args.command == "plan":
        report_plan(plan, print_step)
        return
    await _require_allowed(plan, job, job.intent, held)
    await require_one_tenant(job.environ, job.args.tenant, held.tenant_id)
    await ApplyRun(client, job.intent, found, print_step, job.times).apply(job.steps)
    if found.application is None:
        return
    app_id = str(found.application["appId"])
    if job.args.set_azd_env:
        azd_environment.set_app_id(job.intent.environment, app_id)
    elif job.environ.get(azd_environment.API_APP_ID) != app_id:
        print(azd_environment.hint(job.intent.environment, app_id))


async def _switch(client: GraphClient, job: Job, held: TokenPermissions) -> None:
    """Take the listeners off the applications, or put them back."""
    found, make = FoundObjects(), SWITCH[job.args.command]
    intent = job.intent
    if job.args.command == "enable" and intent.host is None:
        intent = replace(intent, host=await registered_host(client, intent, found))
    steps = [step for client_id in dict.fromkeys(job.args.apps) for step in make(client_id.lower())]
    plan = await plan_steps(client, intent, steps, found)
    await _require_allowed(plan, job, intent, held)
    await ApplyRun(client, intent, found, print_step, job.times).apply_switch(steps)
    print(_SWITCHED[job.args.command].format(apps=" ".join(job.args.apps)))


async def _require_allowed(plan: Plan, job: Job, intent: Intent, held: TokenPermissions) -> None:
    """Check that the writes are allowed, and that the endpoint answers before sign-ins depend on it."""
    writes = [(step, change.write) for step, change in plan if change.write is not None]
    permissions.require_writing(
        held, [permissions.NeededRequest(write.method, write.path, step.phase == "D") for step, write in writes]
    )
    if any(isinstance(step, ListenerStep | ListenerBackStep) for step, _ in writes) and not job.args.no_health_check:
        await require_health(intent.health_url)


def _say_what_claims_lack(job: Job) -> None:
    """Print where claims that flags name are not taken over: in policies, and in azd's next run."""
    if not (job.args.claims or job.args.claims_from):
        return
    if "C" in job.phases and not job.intent.clients:
        print(f"objects: {_NOT_MAPPED}", file=sys.stderr)
    if job.args.claims_from and job.environ.get(CLAIMS) and not job.environ.get(CLAIMS_FROM):
        print(
            f"objects: azd's hooks register {CLAIMS} again: azd env set {CLAIMS_FROM} {job.args.claims_from}",
            file=sys.stderr,
        )


async def _remove(client: GraphClient, job: Job, held: TokenPermissions) -> None:
    if job.args.ids:
        found = await named_removals(client, job.intent, job.args.ids)
    else:
        found = await removals(client, job.intent, job.args.app)
    if not found:
        print(f"nothing of {job.intent.display_name!r} exists")
        return
    permissions.require_writing(held, [permissions.NeededRequest(each.method, each.path) for each in found])
    if not job.args.yes:
        for each in found:
            print_step("would delete" if each.restored is None else "would restore", each.what, each.name, each.lines)
        if not sys.stdin.isatty():
            raise CannotRun("there is no terminal to ask for confirmation: pass --yes")
        if (await ask("Do this? [y/N] ")).casefold() not in {"y", "yes"}:
            raise CannotRun("nothing was removed")
    await remove(client, found, print_step, job.times)


async def ask(question: str) -> str:
    """Return what a person types at the terminal, without the end of the line; an interrupt ends the wait."""
    print(question, end="", flush=True)
    # Not through sys.stdin: a thread that waits in it would hold its lock when the interpreter ends.
    typed = await in_daemon_thread(lambda: os.read(sys.stdin.fileno(), _MAX_ANSWER_BYTES))
    return typed.decode(errors="replace").strip()
