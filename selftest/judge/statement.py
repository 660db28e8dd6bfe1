"""A statement that can be tested: what a check of an endpoint and a diagnosis of a tenant have in common.

Both have an id in one world of ids, so that `explain`, the page of codes and the reports need not know which is which.
"""

from dataclasses import dataclass
from typing import Literal

type Level = Literal["must", "should"]
type Status = Literal["pass", "fail", "skip", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One true sentence about something good.

    Attributes:
        id: A letter for the subject and a number that is never used twice.
        title: True where all is well; its module says what it is a sentence about.
        source: Where the rule comes from: a page, an RFC section, or "ours" with the reason.
        why: What goes wrong where the statement is false.
        fix: What to do about it.
        explain: How it is found out, in at most eight lines.
        bad: A header, claim, member or body that breaks the rule, where a line can show it.
        good: The same, keeping the rule.
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
        """Sort as people read: by letter, then by number."""
        return self.id[0], int(self.id[1:])
