"""What each outcome in the endpoint's log line means, and what to do next.

The codes are those of ``claims/``; a test compares them with this table. A detail is shown only for outcomes whose
detail the endpoint itself writes, from settings, limits and shortened ids: a provider may write any text.
"""

from dataclasses import dataclass
from typing import Final

from selftest.judge.texts import own_table


@dataclass(frozen=True, slots=True)
class OutcomeMeaning:
    """The meaning of one outcome, or of several similar ones.

    Attributes:
        says: What happened, as the end of a sentence.
        way_on: A command, without ``python -m selftest``.
        detailed: Whether the line's detail may be shown.
    """

    codes: tuple[str, ...]
    says: str
    way_on: str
    detailed: bool = False


def _read() -> dict[str, OutcomeMeaning]:
    """Return the table in the file, by code."""
    rows = [OutcomeMeaning(**{**row, "codes": tuple(row["codes"])}) for row in own_table(__file__)["outcome"]]
    return {code: row for row in rows for code in row.codes}


OUTCOMES: Final = _read()
_UNKNOWN: Final = OutcomeMeaning((), "its log has a code that this version does not know", "check C")


def outcome_of(code: str) -> OutcomeMeaning:
    """Return what an outcome means; a provider's own code is an unknown one."""
    return OUTCOMES.get(code, _UNKNOWN)
