"""The guard that is on in every test notices a line that Azure would drop, and no other one."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from claims.endpoint import Endpoint
from claims.provider import ProviderContext
from claims.token.keys import SigningKeys
from tests.claims.site import Clock, Site, settings
from tests.outside_requests import OutsideRequests

pytestmark = pytest.mark.without_endpoint


class Provider:
    """Never asked."""

    async def provide(self, _event: object, _context: ProviderContext) -> dict[str, object]:
        """Return no claims."""
        return {}


@pytest.fixture
def guard() -> Iterator[OutsideRequests]:
    """Return a guard that listens."""
    made, logger = OutsideRequests(), logging.getLogger("claims")
    logger.addHandler(made)
    yield made
    logger.removeHandler(made)


@pytest.mark.parametrize("moved", [False, True], ids=["in the request", "in a task"])
async def test_line_that_is_moved_into_a_task_is_found(*, moved: bool, guard: OutsideRequests) -> None:
    """The same line, from the request and from a task that the request starts."""
    clock = Clock()
    keys = SigningKeys(settings().authorities, Site(), clock=clock, sleep=clock.sleep)
    endpoint = Endpoint(settings(), keys, Provider(), clock=clock)
    write, tasks = endpoint._log.write, []

    async def later(*args: Any, **named: Any) -> None:
        write(*args, **named)

    def start(*args: Any, **named: Any) -> None:
        tasks.append(asyncio.create_task(later(*args, **named)))

    if moved:
        endpoint._log.write = start  # type: ignore[method-assign]
    assert (await endpoint.token_issuance_start({}, b"")).status == 401
    await asyncio.gather(*tasks)
    await endpoint.aclose()
    assert [text.partition(":")[0] for text in guard.found] == ["claims.request"] * moved
