"""A host that runs each request in a loop of its own: keys stay fresh, and nobody waits for nothing.

`asyncio.run` ends every task of its loop, so background work dies with each request there.
"""

import asyncio
import contextlib

from claims.errors import KeysUnavailable
from claims.measurements import Measurements
from claims.settings.authority import Authority
from claims.token.key_document import MAX_AGE_S, REFRESH_S, RETRY_S
from claims.token.keys import SigningKeys
from claims.token.validator import TokenValidator
from tests.claims.site import AUTHORITY, ISSUERS, METADATA_V2, NOW_S, TENANT_ID, Site, good_token, settings, settle

HOUR_S = 3600.0


class Host:
    """Validates each token in a new loop, by a clock that the test moves."""

    def __init__(self) -> None:
        self.site = Site()
        self.now_s = 0.0
        self.keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], self.site, clock=self._clock, sleep=self._sleep)
        self._validator = TokenValidator(settings(), self.keys, wall_clock=lambda: NOW_S + self.now_s)

    @property
    def loads(self) -> int:
        """How many loads of the document for v2.0 began."""
        return self.site.hits[METADATA_V2]

    def request(self, version: str = "2.0") -> bool:
        """Validate a token that was issued now; return whether keys were there to judge it."""
        now = int(NOW_S + self.now_s)
        token = good_token(self.site.keys, version, iat=now, nbf=now, exp=now + 600)
        try:
            asyncio.run(self._validator.validate(token, Measurements(budget_ms=60_000, clock=self._clock)))
        except KeysUnavailable:
            return False
        return True

    def _clock(self) -> float:
        return self.now_s

    async def _sleep(self, seconds: float) -> None:
        """Sleep longer than any request's loop runs."""
        assert seconds > 0
        await asyncio.Event().wait()


def test_keys_are_refreshed_hourly_for_more_than_a_day() -> None:
    """Each version's document is read once an hour, by the requests that need it, and rolls are followed."""
    host = Host()
    for minute in range(0, 30 * 60, 10):
        host.now_s = minute * 60.0
        assert host.request("1.0" if minute % 20 else "2.0")
        if minute % 300 == 0:
            host.site.keys.rotate()
            assert host.request()
    assert 30 <= host.loads <= 30 + 6


def test_an_outage_is_asked_about_once_a_minute() -> None:
    """While the key host is down nobody but one request a minute waits, and afterwards the keys are fresh."""
    host = Host()
    assert host.request()
    host.now_s, host.site.down = 2 * HOUR_S, True
    for second in range(0, 600, 5):
        host.now_s = 2 * HOUR_S + second
        assert host.request()
    assert host.loads == 1 + 600 / RETRY_S
    host.site.down = False
    host.now_s += RETRY_S
    assert host.request()
    host.now_s += MAX_AGE_S
    assert host.request(), "the first request after a quiet day waits for the keys"


def test_without_keys_requests_keep_the_pace_of_the_retries() -> None:
    """Before the first load succeeded, a load leaves at most every half second, then ever more rarely."""
    host = Host()
    host.site.down = True
    for tenth in range(300):
        host.now_s = tenth / 10
        assert not host.request()
    assert host.loads == 7  # at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 25.5 s
    host.site.down = False
    host.now_s += 10
    assert host.request()


def test_a_request_that_ends_early_does_not_begin_load_after_load() -> None:
    """A load that its loop canceled counts as an attempt."""
    host = Host()
    assert host.request()
    host.now_s += REFRESH_S
    host.site.stall = asyncio.Event()

    async def in_a_hurry() -> None:
        await host.keys.find("2.0", ISSUERS["2.0"], host.site.keys.current.kid, wait_s=0.001)

    for _ in range(20):
        asyncio.run(in_a_hurry())
    assert host.loads == 2


def test_health_waits_for_what_it_starts() -> None:
    """Where only health calls come the keys are loaded and kept fresh as well."""
    host = Host()
    for hour in range(30):
        host.now_s = hour * HOUR_S
        assert asyncio.run(host.keys.ready())
        assert asyncio.run(host.keys.ready())
    assert host.loads == 30


async def test_dead_background_work_starts_again() -> None:
    """A task that something else canceled is replaced at the next request; one that runs is left alone."""
    host = Host()
    await host.keys.find("2.0", ISSUERS["2.0"], host.site.keys.current.kid, wait_s=1)
    ours = asyncio.all_tasks() - {asyncio.current_task()}
    assert len(ours) == 1
    await host.keys.find("2.0", ISSUERS["2.0"], host.site.keys.current.kid, wait_s=1)
    assert asyncio.all_tasks() - {asyncio.current_task()} == ours
    ours.pop().cancel()
    await settle()
    host.now_s += REFRESH_S
    await host.keys.find("2.0", ISSUERS["2.0"], host.site.keys.current.kid, wait_s=1)
    assert host.loads == 2
    assert len(asyncio.all_tasks()) == 2
    await host.keys.aclose()


async def test_nobody_waits_for_a_background_refresh(site: Site) -> None:
    """In a loop that goes on, a request answers from the keys at hand while they are refreshed."""
    host = Host()
    due = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await due.wait()

    keys = SigningKeys([Authority(AUTHORITY, TENANT_ID)], site, clock=lambda: host.now_s, sleep=sleep)
    assert await keys.ready()
    host.now_s += REFRESH_S
    site.stall = asyncio.Event()
    due.set()
    await settle()
    assert site.hits[METADATA_V2] == 2
    found = asyncio.create_task(keys.find("2.0", ISSUERS["2.0"], site.keys.current.kid, wait_s=30))
    await settle()
    assert found.done()
    due.clear()
    site.stall.set()
    await keys.aclose()


def test_a_load_left_in_a_loop_that_stopped_is_not_joined() -> None:
    """It will never end; the next loop begins its own."""
    host = Host()
    host.site.stall = asyncio.Event()
    stopped = asyncio.new_event_loop()

    async def start() -> None:
        host.keys.start()
        await asyncio.sleep(0)

    stopped.run_until_complete(start())
    host.site.stall = None
    assert host.request()
    with contextlib.suppress(asyncio.CancelledError):
        tasks = asyncio.all_tasks(stopped)
        for task in tasks:
            task.cancel()
        stopped.run_until_complete(asyncio.gather(*tasks))
    stopped.close()
