"""The check environment of a target, and the wait until the target answers."""

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
from selftest.checks.bench.environment import CheckEnvironment, OpenVariant
from selftest.checks.bench.variant import AppVariant
from selftest.downstream.server import DownstreamServer
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.load.memory import PeakGrowth
from selftest.play.caller import caller_session
from selftest.play.target import Target, app_settings

#: An endpoint without keys retries at most every ten seconds.
_READY_TIMEOUT_S: Final = 11.0
_READY_POLL_S: Final = 0.25
#: Our endpoint forces at most one fetch per minute; Microsoft recommends five minutes.
_COOL_DOWN_S: Final = 62.0
_COOL_DOWN_POLL_S: Final = 5.0
_REFUSED: Final = frozenset({401, 403})


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def environment_of(target: Target, *, deployed: bool = False, real_token: str | None = None) -> CheckEnvironment:
    """Return the check environment of a target."""
    app = target.app
    return CheckEnvironment(
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
async def open_variant(tenant: Tenant, folder: AppFolder, variant: AppVariant) -> AsyncIterator[CheckEnvironment]:
    """Start the local app with other settings, with its own tenant and downstream.

    Raises:
        AppStartError: The app does not start.
        CannotRun: The app does not answer.
    """
    async with EntraServer(tenant) as entra, DownstreamServer() as downstream:
        settings = {**app_settings(entra), **downstream.settings(), **variant.settings()}
        async with (
            AppProcess(settings, app_dir=folder.directory, python=folder.python) as app,
            caller_session() as session,
        ):
            url = app.url + CALLOUT_PATH
            env = CheckEnvironment(
                url=url,
                health_url=health_url(url),
                session=session,
                tenant=tenant,
                entra=entra,
                log=lambda: app.logs,
                downstream=downstream,
                variant=variant,
            )
            await require_answer(env)
            yield env


def variants_of(target: Target) -> OpenVariant | None:
    """Return the function that starts the target's app with other settings; None if the endpoint runs elsewhere."""
    return None if target.folder is None else partial(open_variant, target.tenant, target.folder)


async def require_answer(env: CheckEnvironment, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait until the endpoint is ready: while it starts it may answer late, and without keys it answers 503.

    Raises:
        CannotRun: No connection is possible, or there is no response within 11 seconds.
    """
    deadline_s = clock() + _READY_TIMEOUT_S
    while True:
        response = await env.send(env.good_request() if "token" in env.have else env.request())
        starting = response.failure == "timeout" or response.status == 503
        if not starting or clock() > deadline_s:
            break
        await asyncio.sleep(_READY_POLL_S)
    if response.status is None and response.failure != "timeout":
        raise CannotRun(
            f"{URL(env.url).with_query(None)} gave {response}; is the endpoint running, and is the URL correct? "
            "A sign-in would fail with 1003027 or 1003005: `explain 1003027`"
        )


async def await_keys_read(
    env: CheckEnvironment, *, clock: Callable[[], float] = time.monotonic, say: Callable[[str], None] = _say
) -> None:
    """Wait for at most a minute while the endpoint refuses valid tokens and has not read this run's keys.

    The emulated Entra generates new keys for every run, and an endpoint with the keys of an earlier run fetches again
    only after its cool-down. Until then every refusal would have the wrong reason. An endpoint that trusts another
    authority never reads them; the checks then report that.
    """
    deadline_s = clock() + _COOL_DOWN_S
    while env.trusted and not _keys_were_read(env) and clock() < deadline_s:
        response = await env.send(env.good_request())
        if response.status not in _REFUSED or _keys_were_read(env):
            return
        say(
            f"the endpoint refuses valid tokens and has not read this run's keys; waiting at most {_COOL_DOWN_S:.0f} s "
            f"in case it is in a cool-down (is its AuthorityUrl {env.entra.authority_url}?)"
        )
        say = _nothing
        await asyncio.sleep(_COOL_DOWN_POLL_S)


def _nothing(_: str) -> None:
    """Print nothing after the first time."""


def _keys_were_read(env: CheckEnvironment) -> bool:
    return env.entra.hits["keys_v2"] + env.entra.hits["keys_v1"] > 0
