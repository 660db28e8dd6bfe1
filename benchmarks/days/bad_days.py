"""Bad days: what happens to good sign-ins while keys roll, hosts hang, attackers flood and downstreams dawdle.

Every day has a control and a bad window in the same process, one right after the other, and starts with everything new.
The control has as many arrivals as the bad window, all of them good, so that a flood is not charged for the work of
answering it. A wrong answer is a good sign-in that got no claims within two seconds, or a bad one that was not refused.
"""

import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from benchmarks.days.bad_day_setup import COOLDOWN_S, LIFESPAN_S, RATE, BadDaySetup, bad_day_setup
from benchmarks.load import LoadResult
from benchmarks.rounds import percentile
from benchmarks.servers import FASTAPI, HANDWRITTEN, OURS_AGED, Peer
from benchmarks.table import Must, Part, Table
from selftest.downstream.faults import Fault

_OUR_ROUNDS: Final = 3
#: A round in which the load process itself was later than this at its 99th percentile says little about a tail.
_LATE_MS: Final = 1.0
_WINDOW_S: Final = 5.0
#: Longer than anybody waits.
_HANG_S: Final = 60.0
#: Of an hour that takes `LIFESPAN_S`: so much longer than the hour is a key published before it signs.
_PUBLISHED_EARLIER_S: Final = 0.5
_TOKEN_LIFE_S: Final = 8
_TOKEN_REQUEST_S: Final = 0.1
_LONG_TOKEN_LIFE_S: Final = 3600
_SLOW_S: Final = 0.8
_SLOW_WEIGHT: Final = 0.1
_MAX_RATIO: Final = 1.5

type Windows = tuple[LoadResult, LoadResult]


_METHOD: Final = f"""\
Good sign-ins at random times, {RATE:.0f} a second, before the trouble and in it; a flood adds to these, and then the
control has as many arrivals, all good. Latencies are of good sign-ins, timed from when each was due and given up after
two seconds. This endpoint: {_OUR_ROUNDS} rounds, samples of all rounds
together; ratios as the median of those rounds in which the load process itself was never held up for more than
{_LATE_MS:g} ms at its 99th percentile, or of all where there is none. The others: one round."""
_NOTES: Final = (
    f"""\
Keys age fast where the peer lets them: an hour of this endpoint's takes {LIFESPAN_S:g} s (its constants are changed by
  the measurement, it has no setting; its pause between forced fetches stays a minute). The hand-written handler's key
  client is given {LIFESPAN_S:g} s instead of 300, with its pause between forced fetches in proportion,
  {COOLDOWN_S:g} s instead of 30. fastapi-azure-auth keeps keys for 24 hours and offers neither: its hangs and outages
  are within that age, where nothing is asked of the key host. Past it, its source answers 401 to everybody.""",
    """\
A roll: half of the tokens are signed with the new key. The first of them waits for the forced fetch, so the latencies
  are of the other half, which must not notice; a refusal counts in either. After a flood, which took the forced fetch
  of its minute, the new key is published for an hour of the keys' age before it signs, as Entra does.""",
    "The flood: as many tokens with unknown key ids as good ones.",
    f"""\
Downstream tokens live {_TOKEN_LIFE_S} s, and a new one takes {_TOKEN_REQUEST_S * 1000:.0f} ms. The peers cache theirs
  for half of that, and fetch in the request that finds it ended.""",
    f"Slow for one in eleven: their profile takes {_SLOW_S * 1000:.0f} ms; the latencies are of all the others.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One bad day.

    Attributes:
        name: in tables.
        play: runs the control and the bad window.
        token_life_s: of the first downstream tokens, where claims come from the profile API; None: they are constant.
    """

    name: str
    play: Callable[[BadDaySetup], Awaitable[Windows]]
    token_life_s: int | None = None


async def _roll(on: BadDaySetup) -> Windows:
    control = await on.arrive(_WINDOW_S, on.more())
    old = on.good()
    on.entra.keys.prepare_rotation()
    on.entra.keys.rotate()
    return control, await on.arrive(_WINDOW_S, on.more(), good=old)


async def _roll_after_flood(on: BadDaySetup) -> Windows:
    control = await on.arrive(_WINDOW_S, on.more())
    # It takes the one forced fetch of this minute, so only the hourly refresh can bring the new key. Entra publishes
    # a key before it signs with it.
    await on.arrive(_WINDOW_S, on.unknown(1.0))
    old = on.good()
    on.entra.keys.prepare_rotation()
    on.entra.keys.rotate()
    await on.arrive(LIFESPAN_S + _PUBLISHED_EARLIER_S, good=old)
    return control, await on.arrive(_WINDOW_S, on.more(), good=old)


async def _hang(on: BadDaySetup) -> Windows:
    control = await on.arrive(_WINDOW_S)
    on.entra.delay_s = _HANG_S
    return control, await on.arrive(_WINDOW_S)


async def _outage(on: BadDaySetup) -> Windows:
    control = await on.arrive(_WINDOW_S)
    on.entra.outage = True
    return control, await on.arrive(_WINDOW_S)


async def _flood(on: BadDaySetup) -> Windows:
    return await on.arrive(_WINDOW_S, on.more()), await on.arrive(_WINDOW_S, on.unknown(1.0))


async def _flood_in_hang(on: BadDaySetup) -> Windows:
    control = await on.arrive(_WINDOW_S, on.more())
    on.entra.delay_s = _HANG_S
    return control, await on.arrive(_WINDOW_S, on.unknown(1.0))


async def _token_ends(on: BadDaySetup) -> Windows:
    # Short tokens first, since who holds a long one asks for no other.
    dawdling = Fault(name="token-latency", place="identity", says="a token takes its time", delay_s=_TOKEN_REQUEST_S)
    with on.downstream.playing(dawdling):
        bad = await on.arrive(_WINDOW_S + _TOKEN_LIFE_S)
    on.downstream.identity.lifetime_s = _LONG_TOKEN_LIFE_S
    await on.arrive(float(_TOKEN_LIFE_S))
    return await on.arrive(_WINDOW_S), bad


async def _slow_for_some(on: BadDaySetup) -> Windows:
    control = await on.arrive(_WINDOW_S, on.more(_SLOW_WEIGHT))
    on.downstream.slow_s = _SLOW_S
    return control, await on.arrive(_WINDOW_S, on.slow(_SLOW_WEIGHT))


DAYS: Final = (
    Day(name="the signing key rolls", play=_roll),
    Day(name="the key host hangs", play=_hang),
    Day(name="the key host is down, past the cache's age", play=_outage),
    Day(name="a flood of unknown key ids", play=_flood),
    Day(name="the flood while the key host hangs", play=_flood_in_hang),
    Day(name="the key rolls within the minute after a flood", play=_roll_after_flood),
    Day(name="downstream tokens end", play=_token_ends, token_life_s=_TOKEN_LIFE_S),
    Day(name="the downstream is slow for one user in eleven", play=_slow_for_some, token_life_s=_LONG_TOKEN_LIFE_S),
)


async def measure() -> Part:
    """Play every day, ours in several rounds."""
    ours: dict[str, list[Windows]] = defaultdict(list)
    theirs: dict[tuple[str, str], Windows] = {}
    for number in range(_OUR_ROUNDS):
        for day in DAYS:
            ours[day.name].append(await _play(day, OURS_AGED))
            if number == 0:
                for peer in (HANDWRITTEN, FASTAPI):
                    theirs[day.name, peer.name] = await _play(day, peer)
    return _part(ours, theirs)


def _is_quiet(windows: Windows) -> bool:
    return max(window.late_ms for window in windows) <= _LATE_MS


async def _play(day: Day, peer: Peer) -> Windows:
    if sys.stderr.isatty():
        print(f"{day.name}: {peer.title} ...", file=sys.stderr)
    async with bad_day_setup(peer, token_life_s=day.token_life_s) as on:
        return await day.play(on)


def _part(ours: Mapping[str, list[Windows]], theirs: Mapping[tuple[str, str], Windows]) -> Part:
    rows: list[tuple[str, ...]] = []
    musts: list[Must] = []
    for day in DAYS:
        rows.append(_row(day.name, OURS_AGED, ours[day.name]))
        rows += [_row("", peer, [theirs[day.name, peer.name]]) for peer in (HANDWRITTEN, FASTAPI)]
        quiet = [windows for windows in ours[day.name] if _is_quiet(windows)]
        ratio = median(_tail_ms([bad]) / _tail_ms([control]) for control, bad in quiet or ours[day.name])
        says = f"{day.name}: p99.9 over control ({len(quiet)} of {len(ours[day.name])} rounds undisturbed)"
        musts.append(Must(says=says, measured=ratio, limit=_MAX_RATIO, judged=bool(quiet)))
    undisturbed = [windows for rounds in ours.values() for windows in rounds if _is_quiet(windows)]
    wrong = sum(_wrong(bad) for _, bad in undisturbed)
    says = f"wrong answers of this endpoint, all days ({len(undisturbed)} rounds undisturbed)"
    musts.append(Must(says=says, measured=wrong, limit=0, judged=bool(undisturbed)))
    columns = ("", "", "control p99.9 ms", "p50 ms", "p99 ms", "p99.9 ms", "good refused or late", "bad not refused")
    return Part(
        name="bad-days",
        title="Bad days",
        method=_METHOD,
        tables=(Table(title="", columns=columns, rows=tuple(rows)),),
        musts=tuple(musts),
        notes=_NOTES,
    )


def _row(day: str, peer: Peer, rounds: Sequence[Windows]) -> tuple[str, ...]:
    bad = [window for _, window in rounds]
    latencies_ms = [each for window in bad for each in window.kinds["good"].latencies_ms]
    return (
        day,
        peer.title,
        f"{_tail_ms([control for control, _ in rounds]):.1f}",
        *(f"{percentile(latencies_ms, percent):.1f}" for percent in (50, 99, 99.9)),
        *(_share_wrong(bad, accepted=accepted) for accepted in (True, False)),
    )


def _share_wrong(windows: Sequence[LoadResult], *, accepted: bool) -> str:
    kinds = [kind for window in windows for kind in window.kinds.values() if kind.accepted is accepted]
    sent = sum(len(kind.latencies_ms) for kind in kinds)
    return f"{sum(kind.wrong for kind in kinds)} of {sent}" if sent else ""


def _tail_ms(windows: Sequence[LoadResult]) -> float:
    return percentile([each for window in windows for each in window.kinds["good"].latencies_ms], 99.9)


def _wrong(window: LoadResult) -> int:
    return sum(kind.wrong for kind in window.kinds.values())
