"""What can go wrong in a sign-in of the playground: one list of everything, from a late API to a code of Entra's own.

There are three places to break a sign-in at. What the provider asks is played by the emulated downstream and reaches
the endpoint for real. A bad reply comes over the wire from a stand-in for the endpoint, and the judge gives it its
code. What happens before the call, or at Entra's side, no reply can show: there the emulator ends the call by decree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from selftest.downstream.faults import FAULTS, Fault
from selftest.judge.codes import CODES, ReplyPair, ReplySample

NONE: Final = "none"

type Kind = Literal["none", "downstream", "reply", "decree"]

_GROUPS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "none": "",
        "downstream": "What the endpoint depends on (provider profile_api)",
        "reply": "The endpoint answers badly",
        "decree": "Entra does not call, or fails itself",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that goes wrong.

    Attributes:
        id: its value in the form.
        label: what a person reads.
        kind: where it goes wrong.
        fault: of the downstream or the signing keys.
        code: what Entra logs, where the trouble is a code.
        sample: the reply that leads to the code.
    """

    id: str
    label: str
    kind: Kind
    fault: Fault | None = None
    code: int | None = None
    sample: ReplySample | None = None

    @property
    def group(self) -> str:
        """Give the heading that it stands under."""
        return _GROUPS[self.kind]


def _of_code(code: int) -> Trouble:
    entry = CODES[code]
    label = f"{code} {entry.name}"
    if isinstance(entry.pair, ReplyPair):
        return Trouble(id=f"reply:{code}", label=label, kind="reply", code=code, sample=entry.pair.bad)
    return Trouble(id=f"decree:{code}", label=label, kind="decree", code=code)


def _all() -> dict[str, Trouble]:
    of_faults = [
        Trouble(id=f"downstream:{name}", label=f"{fault.says} ({name})", kind="downstream", fault=fault)
        for name, fault in FAULTS.items()
    ]
    of_codes = [_of_code(code) for code in CODES if isinstance(code, int)]
    ordered = [
        Trouble(id=NONE, label="nothing", kind="none"),
        *of_faults,
        *(known for known in of_codes if known.kind == "reply"),
        *(known for known in of_codes if known.kind == "decree"),
    ]
    return {known.id: known for known in ordered}


#: Everything that can be chosen, by id, in the order of the page.
TROUBLES: Final[Mapping[str, Trouble]] = MappingProxyType(_all())


def grouped() -> list[tuple[str, list[Trouble]]]:
    """Give the troubles below their headings; what has none comes first."""
    groups: dict[str, list[Trouble]] = {}
    for known in TROUBLES.values():
        groups.setdefault(known.group, []).append(known)
    return list(groups.items())
