"""One step: read what is there, compare it with what is wanted, and say what to write.

Comparing is pure and cheap, so it is done anew after each write: a step is done when it has nothing left to write.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from selftest.tenant.graph.client import GraphClient
from selftest.tenant.objects.intent import UNKNOWN, Intent, Phase
from selftest.tenant.objects.steps.found_objects import Found, GraphObject

type Verb = Literal["upsert", "create", "update", "assign", "unassign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One change of the tenant.

    Attributes:
        verb: what is done.
        path: below the version.
        body: what is sent; for ``assign`` nothing, as ``target`` is.
        target: the path of what is assigned.
    """

    verb: Verb
    path: str
    body: GraphObject = field(default_factory=dict)
    target: str = ""

    @property
    def method(self) -> str:
        """Give the method of HTTP."""
        return {"upsert": "PATCH", "update": "PATCH", "unassign": "DELETE"}.get(self.verb, "POST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a step would do.

    Attributes:
        name: of the object, for people: a name and an id.
        write: None when all is as it should be.
        lines: what would be different, member by member.
    """

    name: str
    write: Write | None = None
    lines: Sequence[str] = ()

    @property
    def is_new(self) -> bool:
        """Say whether something is made that is not there."""
        return self.write is not None and self.write.verb in {"upsert", "create", "assign"}


class Step(Protocol):
    """One object, or one relation between two."""

    @property
    def what(self) -> str:
        """Name the kind of object."""

    @property
    def phase(self) -> Phase | Literal["D"]:
        """Say when it is made."""

    @property
    def unique(self) -> bool:
        """Say whether Graph refuses a second one, so that making it twice is harmless."""

    async def read(self, client: GraphClient, intent: Intent, found: Found) -> None:
        """Read what this step is about into ``found``; what is not there is None.

        Raises:
            Conflict: there are two of one name.
            GraphError: it cannot be read.
        """

    def compare(self, intent: Intent, found: Found) -> Comparison:
        """Say what is to be done.

        Raises:
            Conflict: what is there must not be changed.
        """


def id_of(item: GraphObject | None, member: str = "id") -> str:
    """Give an object's id, or the word that stands for it while there is none."""
    return UNKNOWN if item is None else str(item[member])


def named(item: GraphObject | None, name: str) -> str:
    """Name an object for people."""
    return name if item is None else f"{name} {item['id']}"
