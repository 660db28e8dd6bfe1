"""What each outcome in the endpoint's log line means, and what to do next.

The codes are those of ``claims/``; a test compares them with this table. A detail is shown only for outcomes whose
detail the endpoint itself writes, from settings, limits and shortened ids: a provider may write any text.
"""

import re
from dataclasses import dataclass
from typing import Final

from selftest.base.program import PROGRAM, STARTS, command_line
from selftest.judge.app_cause import cause_of_code
from selftest.judge.codes import CODES
from selftest.judge.explain import Explanation, Section
from selftest.judge.texts import own_table


@dataclass(frozen=True, slots=True)
class OutcomeMeaning:
    """The meaning of one outcome, or of several similar ones.

    Attributes:
        says: What happened, as the end of a sentence.
        way_on: A command, without ``python -m selftest``.
        detailed: Whether the line's detail may be shown.
        fix: What to do; empty where the table of causes has it, as for every 503.
        leads_to: The code that Entra logs if the status is not 200; 0 where it is 200.
        shown_by: The command for ``explain``, if ``way_on`` is ``explain`` itself.
    """

    codes: tuple[str, ...]
    says: str
    way_on: str
    detailed: bool = False
    fix: str = ""
    leads_to: int = 1003002
    shown_by: str = ""


def _read(kind: str) -> dict[str, OutcomeMeaning]:
    """Return the tables of a kind in the file, by code."""
    rows = [OutcomeMeaning(**{**row, "codes": tuple(row["codes"])}) for row in own_table(__file__)[kind]]
    return {code: row for row in rows for code in row.codes}


OUTCOMES: Final = _read("outcome")
#: What `explain` knows besides: members of the line.
_EXPLAINED: Final = OUTCOMES | _read("member")
_UNKNOWN: Final = OutcomeMeaning((), "its log has a code that this version does not know", "check C")


def outcome_of(code: str) -> OutcomeMeaning:
    """Return what an outcome means; a provider's own code is an unknown one."""
    return OUTCOMES.get(code, _UNKNOWN)


def is_outcome(code: str) -> bool:
    """Whether a line of this project's endpoint, or of the local host, can have this code; or a member's name."""
    return code in _EXPLAINED or cause_of_code(code) is not None


def explained(code: str) -> Explanation:
    """Return the explanation of an outcome, short: the code that Entra logs is only named.

    Args:
        code: One for which `is_outcome` is true.
    """
    cause = cause_of_code(code)
    found = _EXPLAINED.get(code) or OutcomeMeaning((), cause.cause if cause else "", "check F")
    command = found.shown_by or found.way_on
    if command.partition(" ")[0] in STARTS and "--url" not in command:
        command += " --app DIR"  # printed far from the app
    means = cause.cause if cause else found.says
    sections = [
        Section(key="meaning", heading="What it means", text=(f"{means[:1].upper()}{means[1:]}.",)),
        Section(key="fix", heading="Fix", text=(cause.fix if cause else found.fix,)),
        Section(key="commands", heading="Commands that show it", text=(command_line(command),), style="sample"),
    ]
    if leads_to := cause.leads_to if cause else found.leads_to:
        logged = f"{leads_to} {CODES[leads_to].name}; `{PROGRAM} explain {leads_to}` explains this code."
        when = "If the line's status is 503: " if cause and code in OUTCOMES else ""
        sections.append(Section(key="seen", heading="What Entra logs", text=(f"{when}{logged}",)))
    return Explanation(
        id=code,
        title=re.split("[:;]", found.says)[0],
        kind="outcome",
        rank="during the call",
        source="the endpoint's log line",
        sections=tuple(sections),
    )
