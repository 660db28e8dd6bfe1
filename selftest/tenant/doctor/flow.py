"""Where in a sign-in the evidence points to: Microsoft's order of looking, as three questions about one log entry.

::

    does the sign-in show Authentication Events?
    ├── no entry          Entra does not try: no extension, no listener, or the application is not named
    ├── 0 attempts        Entra refuses before it calls: the code is one of the wiring
    └── attempts          Entra calls: the endpoint refuses the call, fails, or is late
    and with a token that lacks the claims: the mapping; with an AADSTS code instead of a token: the application

Source: entra-docs ``custom-extension-troubleshoot.md``; that 0 attempts means no call: Microsoft Q&A 12786368.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from selftest.base.program import PROGRAM
from selftest.judge.codes import CODES
from selftest.judge.texts import own_table
from selftest.tenant.doctor.diagnosis import Diagnosis

_UNTRIED: Final = frozenset({"D20", "D45", "D47", "D48"})
_MAPPING: Final = ("D68", "D69", "D7")
_TARGET: Final = "D6"
_BRANCHES: Final = own_table(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One case of what the sign-in log shows."""

    shows: str
    checks: tuple[str, ...]
    next_command: str


def branches(diagnosis: Diagnosis, *, probed_url: str | None = None) -> tuple[Branch, ...]:
    """Sort the faults by what a sign-in would show, the earliest first."""
    found: dict[str, list[str]] = {}
    codes: dict[str, list[str]] = {}
    for one, finding in diagnosis.faults:
        code = one.code_of(finding)
        place = _place(one.statement.id, code)
        found.setdefault(place, []).append(one.statement.id)
        codes.setdefault(place, []).extend(f"code {each}" for each in one.codes_of(finding))
    return tuple(
        Branch(
            shows=text["shows"].format(codes=" or ".join(dict.fromkeys(codes[place])) or "a code"),
            checks=tuple(dict.fromkeys(found[place])),
            next_command=f"{PROGRAM} {_command(text, found[place][0], probed_url)}",
        )
        for place, text in _BRANCHES.items()
        if place in found
    )


def _command(text: Mapping[str, str], first_id: str, probed_url: str | None) -> str:
    """Return a command that runs as it is; without a URL, or a command for the place, the page of the first finding."""
    command = text.get("next_command", "")
    if not command or ("{url}" in command and probed_url is None):
        return f"explain {first_id}"
    return command.format(url=probed_url)


def _place(statement_id: str, code: int | str | None) -> str:
    if statement_id in _UNTRIED:
        return "untried"
    if statement_id.startswith(_MAPPING):
        return "mapping"
    entry = None if code is None else CODES.get(code)
    if isinstance(code, str) or statement_id.startswith(_TARGET):
        return "app"
    return "before" if entry is not None and entry.phase == "before the call" else "during"
