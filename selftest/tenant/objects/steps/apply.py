"""Carries steps out: read, compare, write what is missing, read it back, go on.

The next run finds whatever an interrupted run left. Two cases need care. An object without a unique name could be
created twice, by a run that does not see yet what an earlier one created: it is read several times before it is
created. And a create without an answer is not sent again: the object is looked up instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from selftest.base.cannot_run import CannotRun
from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.errors import GraphError, OutcomeUnknown, RequestRefused
from selftest.tenant.objects.errors import Conflict
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.found_objects import FoundObjects
from selftest.tenant.objects.steps.step import PlannedChange, SetupStep, Write
from selftest.tenant.objects.steps.validation import validate
from selftest.tenant.objects.wait_times import WaitTimes

type StepState = Literal[
    "exists",
    "created",
    "changed",
    "clean",
    "deleted",
    "restored",
    "would create",
    "would change",
    "would delete",
    "would restore",
    "missing",
    "differs",
    "conflict",
    "needed",
]
#: Takes a state, the kind of object, its name, and lines that say what is different.
type ReportStep = Callable[[StepState, str, str, Sequence[str]], None]
type Plan = Sequence[tuple[SetupStep, PlannedChange]]

_BEFORE_VALIDATION: Final = frozenset({"A", "B"})


async def plan_steps(client: GraphClient, intent: Intent, steps: Sequence[SetupStep], found: FoundObjects) -> Plan:
    """Read the objects of all steps, and return what each step would do. Nothing is written.

    Raises:
        Conflict: With everything that prevents it.
        GraphError: The objects cannot be read.
    """
    plan, reasons = [], list[str]()
    for step in steps:
        try:
            await step.read(client, intent, found)
        except Conflict as conflict:
            reasons += conflict.reasons
    for step in steps:
        try:
            plan.append((step, step.compare(intent, found)))
        except Conflict as conflict:
            reasons += conflict.reasons
    if reasons:
        raise Conflict(*dict.fromkeys(reasons))
    return plan


def report_plan(plan: Plan, report: ReportStep) -> None:
    """Report what would be done."""
    for step, change in plan:
        state: StepState = "would create" if change.is_new else "would change"
        report("exists" if change.write is None else state, step.what, change.name, change.lines)


@dataclass(frozen=True, slots=True)
class ApplyRun:
    """One run.

    Attributes:
        found: As `plan_steps` read it.
        report: Called with each step when it is done.
    """

    client: GraphClient
    intent: Intent
    found: FoundObjects
    report: ReportStep
    times: WaitTimes

    async def apply(self, steps: Sequence[SetupStep]) -> None:
        """Carry the steps out in their order, with Entra's validation before the extension.

        Raises:
            CannotRun: The rest is not done; another run continues there.
        """
        validated = False
        for step in steps:
            if step.phase not in _BEFORE_VALIDATION and not validated:
                await validate(self.client, self.intent, self.found, self.times)
                self.report("clean", "validation", self.intent.target_url, ())
                validated = True
            await self._carry_out(step)

    async def apply_switch(self, steps: Sequence[SetupStep]) -> None:
        """Carry out steps that leave the extension alone, so that Entra has nothing to validate.

        Raises:
            CannotRun: The rest is not done; another run continues there.
        """
        for step in steps:
            await self._carry_out(step)

    async def _carry_out(self, step: SetupStep) -> None:
        change = await self._certain(step)
        if change.write is None:
            self.report("exists", step.what, change.name, ())
            return
        failure: GraphError | None = None
        try:
            await _send(self.client, change.write)
        except OutcomeUnknown as error:
            failure = error
        except RequestRefused as error:
            # It may be refused because the wanted object exists already.
            if not change.is_new:
                raise
            failure = error
        done = await self._settled(step, self.times.doubt_s if failure else self.times.settle_s)
        if done is None:
            raise failure or CannotRun(
                f"{step.what}: Graph accepted the change, and does not show it after {self.times.settle_s:g} s: "
                "run the same command again in a minute"
            )
        state: StepState = "created" if change.is_new else "changed"
        if change.write.verb == "delete":
            self.report("deleted", step.what, change.name, change.lines)
        else:
            self.report("exists" if isinstance(failure, RequestRefused) else state, step.what, done.name, change.lines)

    async def _certain(self, step: SetupStep) -> PlannedChange:
        """Compare; and read again before something is created that could be created twice."""
        change = step.compare(self.intent, self.found)
        for _ in range(self.times.absent_reads - 1):
            if step.unique or not change.is_new:
                break
            await self.times.sleep(self.times.between_s)
            change = await self._read(step)
        return change

    async def _settled(self, step: SetupStep, patience_s: float) -> PlannedChange | None:
        """Read back until nothing is left to write; return None when that does not happen in time."""
        deadline = self.times.clock() + patience_s
        while True:
            change = await self._read(step)
            if change.write is None:
                return change
            if self.times.clock() + self.times.between_s >= deadline:
                return None
            await self.times.sleep(self.times.between_s)

    async def _read(self, step: SetupStep) -> PlannedChange:
        await step.read(self.client, self.intent, self.found)
        return step.compare(self.intent, self.found)


async def _send(client: GraphClient, write: Write) -> None:
    match write.verb:
        case "upsert":
            await client.upsert(write.path, write.body)
        case "create":
            await client.create(write.path, write.body, replicating=True)
        case "update":
            await client.update(write.path, write.body, replicating=True)
        case "assign":
            await client.add_ref(write.path, write.target, replicating=True)
        case "unassign" | "delete":
            await client.delete(write.path)
