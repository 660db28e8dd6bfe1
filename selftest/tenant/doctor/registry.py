"""The registry of the doctor's statements, and the form of what they find.

Each statement says something that must be true for Entra to call the endpoint and for the claims to reach the token.
Its function yields a finding for every place where it is false. Ids are D and a number, in the order in which a sign-in
meets the objects: settings 01, extension 20, service principals 30, consent 40, listener 45, limits 50, target
application 60, mapping 70, the endpoint from outside 80.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from selftest.judge.statement import Level, Statement
from selftest.judge.texts import read_texts
from selftest.tenant.doctor.case import Case, EvidenceName


class EvidenceMissing(Exception):
    """Raised by a statement that misses evidence which its `needs` do not list; the message says why.

    Attributes:
        asked: Whether the user asked for the evidence and it could not be read.
    """

    def __init__(self, reason: str, *, asked: bool = False) -> None:
        self.asked = asked
        super().__init__(reason)


class NotApplicable(Exception):
    """Raised by a statement that does not apply to this case; it is neither counted nor skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantFinding:
    """One place where a statement is false.

    Attributes:
        expected: What would be right, with its value.
        actual: What is there, with its value.
        command: A command line that fixes it; None where only the portal or a person can.
        fix: What to do by hand, where what was read needs another step than the statement's.
        code: What Entra would show for this one, where it is not the statement's code.
        hint: Whether it is worth a look and not a fault, whatever the statement's level.
        possible: Whether a hint can be the cause of the code today, by what no object shows.
    """

    expected: str
    actual: str
    command: str | None = None
    fix: str | None = None
    code: int | str | None = None
    hint: bool = False
    possible: bool = False


type _Run = Callable[[Case], Iterable[TenantFinding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantStatement(Statement):
    """One statement about the tenant, the settings or the endpoint.

    Attributes:
        code: What Entra logs or shows where it is false; None where it shows nothing.
        also: Other codes that it shows instead.
        needs: The evidence without which it is skipped.
        echo: Whether it may repeat what other statements find: such a finding is then reported by the other one only.
    """

    run: _Run = field(repr=False)
    level: Level = "sign-in"
    code: int | str | None = None
    also: Sequence[int | str] = ()
    needs: tuple[EvidenceName, ...] = ()
    echo: bool = False


TENANT_STATEMENTS: Final[dict[str, TenantStatement]] = {}
_TEXTS: Final = read_texts(Path(__file__).with_name("statements"))


def statement(statement_id: str, *needs: EvidenceName, echo: bool = False) -> Callable[[_Run], _Run]:
    """Register the decorated function as the statement with this id, whose texts are in the TOML file of its module.

    Raises:
        ValueError: The id is taken or has no texts.
    """

    def decorate(run: _Run) -> _Run:
        if statement_id in TENANT_STATEMENTS:
            raise ValueError(f'{statement_id} is "{TENANT_STATEMENTS[statement_id].title}"; use another id')
        if statement_id not in _TEXTS:
            raise ValueError(f"{statement_id} has no texts; add a table to the TOML file next to {run.__module__}")
        TENANT_STATEMENTS[statement_id] = TenantStatement(
            id=statement_id, run=run, needs=needs, echo=echo, **_TEXTS[statement_id]
        )
        return run

    return decorate


def complete() -> None:
    """Put the statements in the order of their ids, once all modules that define them are imported.

    Raises:
        ValueError: There are texts without a statement.
    """
    unused = _TEXTS.keys() - TENANT_STATEMENTS.keys()
    if unused:
        raise ValueError(f"no statement has the texts of {', '.join(sorted(unused))}; remove them")
    in_order = sorted(TENANT_STATEMENTS.items())
    TENANT_STATEMENTS.clear()
    TENANT_STATEMENTS.update(in_order)
