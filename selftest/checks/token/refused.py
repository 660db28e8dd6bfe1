"""Checks of one kind: a token or a header that must be refused.

They differ only in what is sent, so each is a row of a table and this module turns the rows into checks.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from selftest.checks.bench.environment import Bench, Need
from selftest.checks.bench.probe import Request
from selftest.checks.expectations import UNAUTHORIZED, must_refuse
from selftest.checks.forged_tokens import Forge, TokenMaker
from selftest.checks.registry import ISSUER, Check, Outcome, Run, register

FIX_VALIDATION = (
    "Validate before reading anything: exactly one Bearer credential, strict compact serialisation, RS256 with a "
    "published key, then every claim. claims/token/validator.py shows the order."
)

type RequestChange = Callable[[Bench, Request], Request]


def good_v2(forge: Forge) -> str:
    """Give the usual control."""
    return forge.good()


def good_v1(forge: Forge) -> str:
    """Give the control of what concerns v1.0 tokens."""
    return forge.good("1.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One hostile request, of which either the token or something else is wrong.

    Attributes:
        title: True of a good endpoint: "refuses …".
        sends: What is sent, for the explanation.
        token: Makes the hostile token.
        request: Makes the hostile request out of the good one.
        control: Makes the token without the fault, which must be believed.
        statuses: What a refusal is.
        needs: Without "token" the attack is sent also where no control is possible.
    """

    id: str
    title: str
    sends: str
    why: str
    token: TokenMaker | None = None
    request: RequestChange | None = None
    control: TokenMaker = good_v2
    statuses: Collection[int] = UNAUTHORIZED
    fix: str = FIX_VALIDATION
    needs: frozenset[Need] = ISSUER
    bad: str | None = None
    good: str | None = None
    source: str | None = None

    def run(self) -> Run:
        """Make the function that sends it.

        Raises:
            ValueError: The row says both or neither of ``token`` and ``request``.
        """
        if self.token is not None and self.request is None:
            return refused_token(self.token, control=self.control, statuses=self.statuses)
        if self.request is not None and self.token is None:
            return refused_request(self.request, statuses=self.statuses)
        raise ValueError(f"{self.id} needs either a token or a request to send")


def register_attacks(rows: Collection[Attack], *, source: str) -> None:
    """Make a must of each row.

    Args:
        rows: The attacks.
        source: Where the rule comes from, for rows that do not say.
    """
    for row in rows:
        wanted = " or ".join(str(status) for status in sorted(row.statuses))
        register(
            Check(
                id=row.id,
                title=row.title,
                level="must",
                source=row.source or source,
                why=row.why,
                fix=row.fix,
                explain=f"Sends {row.sends}.\nEverything else about the request is good. The same request without the "
                f"fault is sent first and must be answered 200.\nWanted: {wanted} with WWW-Authenticate: Bearer.",
                bad=row.bad,
                good=row.good,
                needs=row.needs,
                run=row.run(),
            )
        )


def refused_token(forge: TokenMaker, *, control: TokenMaker = good_v2, statuses: Collection[int] = UNAUTHORIZED) -> Run:
    """Make the run of an attack by token; the attacker's key set must stay unread."""

    async def run(bench: Bench) -> Outcome:
        bench_forge = Forge(bench)
        before = bench_forge.attacker_hits()

        def nobody_fetched() -> str | None:
            fetched = bench_forge.attacker_hits() - before
            return f"the attacker's key set was fetched {fetched} times" if fetched else None

        allowed = bench.request(control(bench_forge)) if "token" in bench.have else None
        attack = bench.request(forge(bench_forge))
        return await must_refuse(bench, attack, control=allowed, statuses=statuses, also=nobody_fetched)

    return run


def refused_request(change: RequestChange, *, statuses: Collection[int] = UNAUTHORIZED) -> Run:
    """Make the run of an attack that changes the good request itself."""

    async def run(bench: Bench) -> Outcome:
        believed = "token" in bench.have
        good = bench.good_request() if believed else bench.request(bench.entra.mint.callout_token())
        return await must_refuse(bench, change(bench, good), control=good if believed else None, statuses=statuses)

    return run
