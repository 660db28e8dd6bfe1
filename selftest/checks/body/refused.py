"""Checks of one kind: a body, or what declares it, that must be refused with a clear 4xx and never with a 5xx."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from selftest.checks.bench.environment import Bench
from selftest.checks.bench.probe import Request
from selftest.checks.bench.raw_bytes import encode
from selftest.checks.expectations import must_refuse
from selftest.checks.registry import TOKEN, Check, Level, Outcome, Run, register

type Event = dict[str, Any]
type BodyMaker = Callable[[Event], bytes]
type EventChange = Callable[[Event], None]

BAD_REQUEST: Final = frozenset({400})
FIX_EVENT: Final = (
    "Parse the body once, strictly, into a typed event, and answer 400 for what is not one. claims/event.py shows it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyFault:
    """One bad request of an authentic caller. Exactly one of the three makers is given.

    Attributes:
        body: Makes the bytes out of the good event.
        change: Changes the good event in place.
        request: Changes the good request as a whole.
        host_may_refuse: See `must_refuse`.
    """

    id: str
    title: str
    sends: str
    why: str
    body: BodyMaker | None = None
    change: EventChange | None = None
    request: Callable[[Request], Request] | None = None
    statuses: Collection[int] = BAD_REQUEST
    host_may_refuse: bool = False
    fix: str = FIX_EVENT
    level: Level = "must"
    bad: str | None = None
    good: str | None = None
    source: str | None = None

    def apply(self, good: Request, event: Event) -> Request:
        """Write the bad request.

        Raises:
            ValueError: The row says how in no way, or in several.
        """
        match self.body, self.change, self.request:
            case (body, None, None) if body is not None:
                return good.with_body(body(event))
            case (None, change, None) if change is not None:
                change(event)
                return good.with_body(encode(event))
            case (None, None, request) if request is not None:
                return request(good)
        raise ValueError(f"{self.id} needs exactly one of body, change and request")


def register_faults(rows: Collection[BodyFault], *, source: str) -> None:
    """Make a check of each row.

    Args:
        rows: The faults.
        source: Where the rule comes from, for rows that do not say.
    """
    for row in rows:
        wanted = " or ".join(str(status) for status in sorted(row.statuses)) + ", and never a 5xx"
        if row.host_may_refuse:
            wanted += " but a host's: an empty 500 at once, from the announced length alone"
        register(
            Check(
                id=row.id,
                title=row.title,
                level=row.level,
                source=row.source or source,
                why=row.why,
                fix=row.fix,
                explain=f"Sends {row.sends}, with a good token.\nThe good event is sent first and must be answered 200."
                f"\nWanted: {wanted}.",
                bad=row.bad,
                good=row.good,
                needs=TOKEN,
                run=_refused(row),
            )
        )


def _refused(row: BodyFault) -> Run:
    async def run(bench: Bench) -> Outcome:
        good = bench.good_request()
        attack = row.apply(good, bench.event())
        return await must_refuse(
            bench, attack, control=good, statuses=row.statuses, host_may_refuse=row.host_may_refuse
        )

    return run
