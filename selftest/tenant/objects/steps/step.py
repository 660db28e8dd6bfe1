"""One step: read an object, compare it with the wanted one, and return what to write.

Comparing is pure and cheap, so it is repeated after each write: a step is done when it has nothing left to write.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.graph.objects import GraphObject
from selftest.tenant.objects.intent import Intent
from selftest.tenant.objects.steps.difference import differences
from selftest.tenant.objects.steps.found_objects import FoundObjects

type Verb = Literal["upsert", "create", "update", "assign", "unassign", "delete"]
type SetupPhase = Literal["A", "B", "C", "D"]

#: Replaces an id in a plan while Graph has not assigned it.
UNKNOWN: Final = "known-after-apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One change of the tenant.

    Attributes:
        path: Below the version.
        body: What is sent; empty for ``assign``, which sends ``target``.
        target: The path of the object to assign.
    """

    verb: Verb
    path: str
    body: GraphObject = field(default_factory=dict)
    target: str = ""

    @property
    def method(self) -> str:
        """Return the method of HTTP."""
        return {"upsert": "PATCH", "update": "PATCH", "unassign": "DELETE", "delete": "DELETE"}.get(self.verb, "POST")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """What a step would do.

    Attributes:
        name: Of the object, for people: a name and an id.
        write: None when the object is as wanted.
        lines: What would be different, member by member.
    """

    name: str
    write: Write | None = None
    lines: Sequence[str] = ()

    @property
    def is_new(self) -> bool:
        """Whether something is created that does not exist."""
        return self.write is not None and self.write.verb in {"upsert", "create", "assign"}


class SetupStep(ABC):
    """One object, or one relation between two.

    Attributes:
        unique: Whether Graph refuses a second one, so that creating it twice is harmless.
    """

    what: ClassVar[str]
    phase: ClassVar[SetupPhase]
    unique: ClassVar[bool] = True

    @abstractmethod
    async def read(self, client: GraphClient, intent: Intent, found: FoundObjects) -> None:
        """Read the objects of this step into ``found``; a missing one is None.

        Raises:
            Conflict: There are two with one name.
            GraphError: They cannot be read.
        """

    @abstractmethod
    def compare(self, intent: Intent, found: FoundObjects) -> PlannedChange:
        """Return what is to be done.

        Raises:
            Conflict: An existing object must not be changed.
        """


@dataclass(frozen=True)
class ClientStep(SetupStep):
    """A step for one client application (phase D)."""

    client_id: str
    phase = "D"


def planned_change(
    name: str, wanted: GraphObject, existing: GraphObject | None, *, path: str, create: Write | None = None
) -> PlannedChange:
    """Return the change that gives an object the wanted members.

    Args:
        name: Of the object, for people.
        wanted: The members that matter.
        existing: The object; None where there is none.
        path: Of the object's collection.
        create: Creates the object where there is none; None: it is created by another step.
    """
    lines = tuple(differences(wanted, existing))
    if not lines:
        return PlannedChange(name=name)
    update = Write(verb="update", path=f"{path}/{id_of(existing)}", body=wanted)
    return PlannedChange(name=name, lines=lines, write=create if create and existing is None else update)


def id_of(item: GraphObject | None, member: str = "id") -> str:
    """Return an object's id, or `UNKNOWN` while there is none."""
    return UNKNOWN if item is None else str(item[member])


def named(item: GraphObject | None, name: str) -> str:
    """Return the name of an object for people."""
    return name if item is None else f"{name} {item['id']}"
