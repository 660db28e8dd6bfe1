"""The registry of what the doctor can find, and the form of what it finds.

A diagnosis is a statement that is true of a tenant in which the endpoint is called and the token gets its claims. Its
function yields a problem for every place where it is not. Ids are D and a number, in the order in which a sign-in meets
the things: settings 01, extension 20, service principals 30, consent 40, listener 45, limits 50, target application 60,
mapping 70, the endpoint from outside 80.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from selftest.judge.statement import Level, Statement
from selftest.tenant.doctor.case import Case, Need

__all__ = ["DIAGNOSES", "CannotTell", "Diagnosis", "NotConcerned", "Problem", "diagnosis"]


class CannotTell(Exception):
    """Raised by a statement that turns out to lack evidence; the message is the reason.

    Attributes:
        asked: whether the evidence was asked for and could not be had.
    """

    def __init__(self, reason: str, *, asked: bool = False) -> None:
        self.asked = asked
        super().__init__(reason)


class NotConcerned(Exception):
    """Raised by a statement that says nothing about this case; it is neither counted nor skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One place where a statement is false.

    Attributes:
        expected: what would be right, with its value.
        actual: what is there, with its value.
        command: a command line that mends it; None where the portal or a person has to.
        code: what Entra would show for this one, where it is not the statement's code.
        hint: whether it is worth saying and yet no fault, whatever the statement's level.
    """

    expected: str
    actual: str
    command: str | None = None
    code: int | str | None = None
    hint: bool = False


type Run = Callable[[Case], Iterable[Problem]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis(Statement):
    """One statement about the tenant, the settings or the endpoint.

    Attributes:
        code: what Entra logs or shows where it is false; None where it shows nothing.
        needs: the evidence without which it is skipped.
        echo: whether it repeats others' findings, which then are told once, under the others.
    """

    run: Run = field(repr=False)
    code: int | str | None = None
    needs: tuple[Need, ...] = ()
    echo: bool = False


DIAGNOSES: Final[dict[str, Diagnosis]] = {}


def diagnosis(
    id: str,  # noqa: A002 - it is the name of the field, and named at every call
    title: str,
    *,
    source: str,
    why: str,
    fix: str,
    explain: str,
    level: Level = "must",
    code: int | str | None = None,
    needs: tuple[Need, ...] = (),
    bad: str | None = None,
    good: str | None = None,
    echo: bool = False,
) -> Callable[[Run], Run]:
    """Register the decorated function as the statement of this id.

    Raises:
        ValueError: The id is taken.
    """

    def decorate(run: Run) -> Run:
        if id in DIAGNOSES:
            raise ValueError(f'{id} is "{DIAGNOSES[id].title}"; "{title}" needs an id of its own')
        DIAGNOSES[id] = Diagnosis(
            id=id,
            title=title,
            level=level,
            source=source,
            why=why,
            fix=fix,
            explain=explain,
            bad=bad,
            good=good,
            code=code,
            needs=needs,
            echo=echo,
            run=run,
        )
        return run

    return decorate
