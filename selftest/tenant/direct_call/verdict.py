"""The conclusion from the comparison and the call, in one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from selftest.base.setting_names import ADDITIONAL_CALLER_APP_IDS
from selftest.judge.verdict import Verdict
from selftest.play.caller import Call
from selftest.tenant.direct_call.comparison import ComparedClaim
from selftest.tenant.verdict import TenantVerdict

_REFUSED: Final = frozenset({401, 403})
_CALLER_CLAIMS: Final = frozenset({"azp", "appid"})


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
        return _of_call(differing, call.attempts[-1].status, verdict, foreign=foreign)
    if differing:
        return Conclusion("FAIL", f"{', '.join(differing)} differ: the endpoint would answer 401")
    if any(row.state == "unknown" for row in rows):
        return Conclusion("INCONCLUSIVE", "the published keys and issuer could not be read, the rest is as expected")
    if foreign:
        return Conclusion(
            "PASS", "everything but the caller is as the endpoint expects; in this test the caller cannot be"
        )
    return Conclusion("PASS", "everything is as the endpoint expects")


def _of_call(differing: Sequence[str], status: int | None, verdict: Verdict, *, foreign: bool) -> Conclusion:
    named = ", ".join(differing)
    if verdict.minted and (foreign or differing):
        what = "a caller that is not Entra's event service" if foreign else f"a token whose {named} differ"
        return Conclusion(
            "FAIL",
            f"the endpoint accepted {what}: either {ADDITIONAL_CALLER_APP_IDS} names it there and not here, or the "
            "token is not validated (`check T --url URL`)",
        )
    if verdict.minted:
        return Conclusion("PASS", "the endpoint accepted the token, and Entra would mint one for the user")
    if status not in _REFUSED:
        return Conclusion(
            "FAIL", f"no token: {verdict.code} {verdict.name}: {verdict.reason} (`explain {verdict.code}`)"
        )
    if differing:
        return Conclusion("FAIL", f"refused with {status}: {named} differ")
    if foreign:
        return Conclusion(
            "PASS",
            f"refused with {status}, as it should be: the caller is not Entra's. The endpoint's log line should have "
            "the outcome caller, which proves iss, aud and tid; another outcome names what differs there",
        )
    return Conclusion(
        "FAIL",
        f"refused with {status}, though everything is as expected here: the endpoint has other settings; its log line "
        "names the claim",
    )
