"""The conclusion from the comparison and the call, in one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from selftest.judge.texts import own_table
from selftest.judge.verdict import Verdict
from selftest.play.caller import Call
from selftest.tenant.direct_call.comparison import ComparedClaim
from selftest.tenant.verdict import TenantVerdict

_REFUSED: Final = frozenset({401, 403})
_CALLER_CLAIMS: Final = frozenset({"azp", "appid"})
_TEXTS: Final = own_table(__file__)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The end of the command: its verdict and a sentence."""

    result: TenantVerdict
    says: str


def conclude(rows: Sequence[ComparedClaim], call: Call | None, verdict: Verdict | None) -> Conclusion:
    """Conclude from the comparison, and from the call where there was one."""
    differing = [row.name for row in rows if row.state == "differs"]
    foreign = any(row.name in _CALLER_CLAIMS and row.state == "note" for row in rows)
    if call is not None and verdict is not None:
        return _of_call(", ".join(differing), call.attempts[-1].status, verdict, foreign=foreign)
    if differing:
        return _conclusion("unlike", named=", ".join(differing))
    if any(row.state == "unknown" for row in rows):
        return _conclusion("unread")
    return _conclusion("foreign-caller" if foreign else "as-expected")


def _of_call(named: str, status: int | None, verdict: Verdict, *, foreign: bool) -> Conclusion:
    if verdict.minted and (foreign or named):
        what = "a caller that is not Entra's event service" if foreign else f"a token whose {named} differ"
        return _conclusion("wrongly-accepted", what=what)
    if verdict.minted:
        return _conclusion("accepted")
    if status not in _REFUSED:
        return _conclusion("no-token", code=verdict.code, name=verdict.name, reason=verdict.reason)
    if named:
        return _conclusion("refused-unlike", status=status, named=named)
    return _conclusion("refused-foreign-caller" if foreign else "refused-as-expected", status=status)


def _conclusion(name: str, /, **values: object) -> Conclusion:
    """Return the conclusion with this name in ``verdict.toml``, with these values in its sentence."""
    found = _TEXTS[name]
    return Conclusion(found["result"], found["says"].format(**values))
