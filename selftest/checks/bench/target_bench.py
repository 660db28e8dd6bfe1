"""The bench for a target: what checks may rely on there, and whether anything answers at all."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from yarl import URL

from selftest.base.app_folder import AppFolder
from selftest.base.cannot_run import CannotRun
from selftest.base.endpoint_url import CALLOUT_PATH, health_url
from selftest.base.sample_tenant import Tenant
from selftest.checks.bench.environment import Bench, OpenVariant
from selftest.checks.bench.variant import Variant
from selftest.downstream.server import DownstreamServer
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.load.memory import PeakGrowth
from selftest.play.caller import caller_session
from selftest.play.target import Target, app_settings

#: An endpoint without keys tries again at most ten seconds apart.
_READY_TIMEOUT_S: Final = 11.0
_READY_POLL_S: Final = 0.25
#: One forced fetch a minute is what our endpoint allows itself; five minutes is what Microsoft advises.
_COOL_DOWN_S: Final = 62.0
_COOL_DOWN_POLL_S: Final = 5.0
_REFUSED: Final = frozenset({401, 403})


def _say(text: str) -> None:
    print(text, file=sys.stderr)


class UnreachableError(CannotRun):
    """Raised when nothing answers at the endpoint's address; the message says what to look at."""


def bench_of(target: Target, *, deployed: bool = False, real_token: str | None = None) -> Bench:
    """Say what checks may rely on at this target."""
    app = target.app
    return Bench(
        url=target.url,
        health_url=target.health_url,
        session=target.session,
        tenant=target.tenant,
        entra=target.entra,
        trusted=not deployed,
        real_token=real_token,
        log=None if app is None else lambda: app.logs,
        peak_growth=None if app is None else lambda: PeakGrowth(app.pid),
        fresh=app is not None,
    )


@asynccontextmanager
async def open_variant(tenant: Tenant, folder: AppFolder, variant: Variant) -> AsyncIterator[Bench]:
    """Start the local app with other settings, and with another tenant and downstream.

    Raises:
        AppStartError: The app does not start.
        UnreachableError: It does not answer.
    """
    async with EntraServer(tenant) as entra, DownstreamServer() as downstream:
        settings = {**app_settings(entra), **downstream.settings(), **variant.settings()}
        async with (
            AppProcess(settings, app_dir=folder.directory, python=folder.python) as app,
            caller_session() as session,
        ):
            url = app.url + CALLOUT_PATH
            bench = Bench(
                url=url,
                health_url=health_url(url),
                session=session,
                tenant=tenant,
                entra=entra,
                log=lambda: app.logs,
                downstream=downstream,
                variant=variant,
            )
            await require_answer(bench)
            yield bench


def variants_of(target: Target) -> OpenVariant | None:
    """Return what starts the target's app with other settings; None where the endpoint runs elsewhere."""
    return None if target.folder is None else partial(open_variant, target.tenant, target.folder)


async def require_answer(bench: Bench, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait until the endpoint is ready: while it starts it may answer late, and without keys it answers 503.

    Raises:
        UnreachableError: Nothing can be connected to, or nothing answers within some seconds.
    """
    deadline_s = clock() + _READY_TIMEOUT_S
    while True:
        answer = await bench.send(bench.good_request() if "token" in bench.have else bench.request())
        starting = answer.failure == "timeout" or answer.status == 503
        if not starting or clock() > deadline_s:
            break
        await asyncio.sleep(_READY_POLL_S)
    if answer.status is None:
        raise UnreachableError(
            f"{URL(bench.url).with_query(None)} gave {answer}; is the endpoint running, and is the address right? "
            "A sign-in would fail with 1003027 or 1003005: `explain 1003027`"
        )


async def await_keys_read(
    bench: Bench, *, clock: Callable[[], float] = time.monotonic, say: Callable[[str], None] = _say
) -> None:
    """Wait while the endpoint refuses good tokens without having read this run's keys, for a minute at the most.

    The emulated Entra makes new keys for every run, and an endpoint that still has those of the last one may fetch
    again only after its cool-down. Until then every refusal would be for the wrong reason. An endpoint that trusts
    another authority never reads them; the checks then say so.
    """
    deadline_s = clock() + _COOL_DOWN_S
    while bench.trusted and not _keys_were_read(bench) and clock() < deadline_s:
        answer = await bench.send(bench.good_request())
        if answer.status not in _REFUSED or _keys_were_read(bench):
            return
        say(
            f"the endpoint refuses good tokens and has not read this run's keys; waiting {_COOL_DOWN_S:.0f} s at the "
            f"most, in case it is in a cool-down (is its AuthorityUrl {bench.entra.authority_url}?)"
        )
        say = _nothing
        await asyncio.sleep(_COOL_DOWN_POLL_S)


def _nothing(_: str) -> None:
    """Have said it once."""


def _keys_were_read(bench: Bench) -> bool:
    return bench.entra.hits["keys_v2"] + bench.entra.hits["keys_v1"] > 0
