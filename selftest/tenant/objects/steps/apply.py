"""Carries steps out: look, compare, write what is missing, read it back, go on.

A run that is cut off leaves nothing that the next one does not find. Two things need care. An object without a unique
name could be made twice, by a run that does not see yet what an earlier one made: it is looked for several times before
it is made. And a create whose answer never came is not sent again: the object is looked for, and found or not.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.errors import GraphError, OutcomeUnknown, RequestRefused
from selftest.tenant.objects.errors import Conflict, NotSettled
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.found_objects import Found
from selftest.tenant.objects.steps.step import Comparison, Step, Write
from selftest.tenant.objects.steps.validation import validate
from selftest.tenant.objects.wait_times import Pace

type State = Literal[
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
]
#: Takes a state, the kind of object, its name, and lines that say what is different.
type Tell = Callable[[State, str, str, Sequence[str]], None]
type Plan = Sequence[tuple[Step, Comparison]]

_BEFORE_VALIDATION: Final = frozenset({"A", "B"})


async def survey(client: GraphClient, intent: Intent, steps: Sequence[Step], found: Found) -> Plan:
    """Read all that the steps are about, and say what each would do. Nothing is written.

    Raises:
        Conflict: with everything that stands in the way.
        GraphError: it cannot be read.
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


def tell_plan(plan: Plan, tell: Tell) -> None:
    """Say what would be done."""
    for step, comparison in plan:
        made: State = "would create" if comparison.is_new else "would change"
        tell("exists" if comparison.write is None else made, step.what, comparison.name, comparison.lines)


class Applying:
    """One run.

    Args:
        client: signed in.
        intent: what is wanted.
        found: as `survey` read it.
        tell: says what was done, when it is done.
        pace: how long to wait.
    """

    def __init__(self, client: GraphClient, intent: Intent, found: Found, tell: Tell, pace: Pace) -> None:
        self._client = client
        self._intent = intent
        self._found = found
        self._tell = tell
        self._pace = pace

    async def apply(self, steps: Sequence[Step]) -> None:
        """Carry the steps out in their order, with Entra's validation before the extension.

        Raises:
            EntraError, GraphError: the rest is not done; running it again goes on there.
        """
        validated = False
        for step in steps:
            if step.phase not in _BEFORE_VALIDATION and not validated:
                await validate(self._client, self._intent, self._found, self._pace)
                self._tell("clean", "validation", self._intent.target_url, ())
                validated = True
            await self._carry_out(step)

    async def _carry_out(self, step: Step) -> None:
        comparison = await self._certain(step)
        if comparison.write is None:
            self._tell("exists", step.what, comparison.name, ())
            return
        failure: GraphError | None = None
        try:
            await _send(self._client, comparison.write)
        except OutcomeUnknown as error:
            failure = error
        except RequestRefused as error:
            # What is refused because it is there already is what is wanted.
            if not comparison.is_new:
                raise
            failure = error
        done = await self._settled(step, self._pace.doubt_s if failure else self._pace.settle_s)
        if done is None:
            raise failure or NotSettled(
                f"{step.what}: Graph took the change, and does not show it after {self._pace.settle_s:g} s: "
                "run the same command again in a minute"
            )
        made: State = "created" if comparison.is_new else "changed"
        self._tell("exists" if isinstance(failure, RequestRefused) else made, step.what, done.name, comparison.lines)

    async def _certain(self, step: Step) -> Comparison:
        """Compare; and look again before something is made that could be made twice."""
        comparison = step.compare(self._intent, self._found)
        for _ in range(self._pace.absent_looks - 1):
            if step.unique or not comparison.is_new:
                break
            await self._pace.sleep(self._pace.between_s)
            comparison = await self._look(step)
        return comparison

    async def _settled(self, step: Step, patience_s: float) -> Comparison | None:
        """Read back until nothing is left to write; None when that does not happen in time."""
        deadline = self._pace.clock() + patience_s
        while True:
            comparison = await self._look(step)
            if comparison.write is None:
                return comparison
            if self._pace.clock() + self._pace.between_s >= deadline:
                return None
            await self._pace.sleep(self._pace.between_s)

    async def _look(self, step: Step) -> Comparison:
        await step.read(self._client, self._intent, self._found)
        return step.compare(self._intent, self._found)


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
        case "unassign":
            await client.remove_ref(write.path)
