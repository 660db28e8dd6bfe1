"""The faults that can be chosen for a sign-in, from a slow API to a code that Entra logs.

A sign-in can fail in three places. The emulated downstream injects the faults of what the provider calls, so they reach
the real endpoint. A bad reply comes from a substitute for the endpoint, and the judge determines its code. A code for
which Entra makes no call, or which is Entra's own failure, has no reply: the emulator sets it as the outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from selftest.downstream.faults import FAULTS, Fault
from selftest.judge.codes import CODES, ReplyPair, ReplySample

NONE: Final = "none"

type FaultKind = Literal["none", "downstream", "reply", "preset"]

_GROUPS: Final[Mapping[FaultKind, str]] = MappingProxyType(
    {
        "none": "",
        "downstream": "Dependencies of the endpoint (provider profile_api)",
        "reply": "Bad replies of the endpoint",
        "preset": "Entra does not call, or fails itself",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOption:
    """One fault that can be chosen.

    Attributes:
        kind: Where the sign-in fails.
        downstream: The fault of the downstream or the signing keys.
        code: The code that Entra logs; None if it depends on the endpoint.
        sample: The reply that leads to the code.
    """

    id: str
    label: str
    kind: FaultKind
    downstream: Fault | None = None
    code: int | None = None
    sample: ReplySample | None = None


def _of_code(code: int) -> FaultOption:
    entry = CODES[code]
    label = f"{code} {entry.name}"
    if isinstance(entry.pair, ReplyPair):
        return FaultOption(id=f"reply:{code}", label=label, kind="reply", code=code, sample=entry.pair.bad)
    return FaultOption(id=f"preset:{code}", label=label, kind="preset", code=code)


def _all() -> dict[str, FaultOption]:
    of_downstream = [
        FaultOption(id=f"downstream:{name}", label=f"{fault.says} ({name})", kind="downstream", downstream=fault)
        for name, fault in FAULTS.items()
    ]
    # Replies come before presets.
    of_codes = sorted(
        (_of_code(code) for code in CODES if isinstance(code, int)), key=lambda known: known.sample is None
    )
    ordered = [FaultOption(id=NONE, label="no fault", kind="none"), *of_downstream, *of_codes]
    return {known.id: known for known in ordered}


#: Every option by its id, in the order of the page.
FAULT_OPTIONS: Final[Mapping[str, FaultOption]] = MappingProxyType(_all())


def grouped() -> list[tuple[str, list[FaultOption]]]:
    """Return the options by their headings; the option without a heading comes first."""
    groups: dict[str, list[FaultOption]] = {}
    for known in FAULT_OPTIONS.values():
        groups.setdefault(_GROUPS[known.kind], []).append(known)
    return list(groups.items())
