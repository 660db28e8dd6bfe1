"""A statement that can be tested: the common part of a check of an endpoint and a diagnosis of a tenant.

Their ids share one namespace, so that `explain`, the page of codes and the reports treat both alike.
"""

from dataclasses import dataclass
from typing import Final, Literal

#: What could happen when a statement is false: users cannot sign in; somebody who is not Entra gets claims, or learns
#: what he should not; nothing that Entra's tokens and events can bring about, or only together with another fault;
#: nothing but surprise.
type Level = Literal["sign-in", "security", "hardening", "convention"]
#: From the worst to the least.
LEVELS: Final[tuple[Level, ...]] = ("sign-in", "security", "hardening", "convention")
#: The levels that fail a run that is not strict.
COUNTING_LEVELS: Final[frozenset[Level]] = frozenset({"sign-in", "security"})
type Status = Literal["pass", "fail", "skip", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One sentence that is true of a good endpoint or tenant.

    Attributes:
        id: A letter for the subject and a number that is never used twice.
        title: The sentence without its subject, which the module names.
        source: The source of the rule: a page, an RFC section, or "ours" with the reason.
        why: The consequence of breaking the rule.
        fix: How to fix it.
        explain: How it is tested, in at most eight lines.
        bad: A header, claim, member or body that breaks the rule, if a line can show it.
        good: The same without the error.
    """

    id: str
    title: str
    level: Level
    source: str
    why: str
    fix: str
    explain: str
    bad: str | None = None
    good: str | None = None

    @property
    def order(self) -> tuple[str, int]:
        """Return the sort key: the letter, then the number."""
        return self.id[0], int(self.id[1:])
