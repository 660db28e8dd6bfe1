"""The check environment of a target, and the wait until the target answers."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from yarl import URL

from selftest.base.app_folder import AppFolder
from selftest.base.cannot_run import CannotRun
from selftest.base.printable import printable
from selftest.base.sample_tenant import Tenant
from selftest.base.setting_names import PROVIDER
from selftest.checks.bench.environment import CheckEnvironment, OpenVariant
from selftest.checks.bench.probe import RawResponse
from selftest.checks.bench.several_instances import several_instances
from selftest.checks.bench.variant import AppVariant
from selftest.downstream.server import DownstreamServer
from selftest.entra.key_fetches import COOL_DOWN_S
from selftest.entra.server import EntraServer
from selftest.host.process import AppProcess
from selftest.load.memory import PeakGrowth
from selftest.play.app_log import app_lines
from selftest.play.caller import caller_session
from selftest.play.target import Target, app_settings

#: Injects faults around the provider, in the app's process.
FAULTY_PROVIDER: Final = Path(__file__).parents[1] / "faults" / "injected.py"
#: As many as show that a retry reaches another one, and that two of them know nothing of what the third one knows.
_INSTANCES: Final = 3
#: An endpoint without keys retries at most every ten seconds.
_READY_TIMEOUT_S: Final = 11.0
_READY_POLL_S: Final = 0.25
#: How long an endpoint may take to use keys that it has read, and to begin to read them in the background.
_TAKE_UP_S: Final = 5.0
_FIRST_READ_S: Final = 1.0
_POLL_S: Final = 0.5
#: The codes of a provider that fails each time.
_LASTING: Final = ("provider_error", "claim_", "claims_")
_UNREACHABLE: Final = (
    "is the endpoint running, and is the URL correct? A sign-in would fail with 1003027 or 1003005: `explain 1003027`"
)
_STOPPED: Final = "it was answering before, and stopped: the address is right, the process ended or closed its port"
_SHOWN_CHARS: Final = 300
_REFUSED: Final = frozenset({401, 403})


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def environment_of(
    target: Target, *, deployed: bool = False, real_token: str | None = None, malformed_keys: bool = False
) -> CheckEnvironment:
    """Return the check environment of a target; ``malformed_keys`` allows to publish such keys."""
    app = target.app
    return CheckEnvironment(
        url=target.url,
        health_url=target.health_url,
        session=target.session,
        tenant=target.tenant,
        entra=target.entra,
        trusted=not deployed,
        real_token=real_token,
        log=target.log,
        runs_app=app is not None,
        app_dir=None if target.folder is None else target.folder.directory,
        peak_growth=None if app is None else lambda: PeakGrowth(app.pid),
        fetches=target.fetches,
        malformed_keys=malformed_keys,
        provider=None if app is None else target.settings.get(PROVIDER),
    )


@asynccontextmanager
async def open_variant(
    tenant: Tenant,
    folder: AppFolder,
    variant: AppVariant,
    given: Mapping[str, str] = MappingProxyType({}),
    *,
    instances: int = _INSTANCES,
) -> AsyncIterator[CheckEnvironment]:
    """Start the local app with other settings than the given ones, with its own tenant and downstream.

    Args:
        tenant: The emulated tenant.
        folder: The app.
        variant: What the app needs for its checks.
        given: The app's usual settings.
        instances: How many are started if the variant has several.

    Raises:
        AppStartError: The app does not start.
        CannotRun: The app does not answer, or one of several instances or Redis does not start.
    """
    variant = variant.as_given(given)
    async with EntraServer(tenant) as entra, DownstreamServer() as downstream, AsyncExitStack() as stack:
        if variant.malformed_keys:
            entra.publish_malformed()
        base = downstream.settings() if variant.downstream else given
        settings = {**base, **app_settings(entra), **variant.settings()}
        stack.enter_context(variant.in_trouble(entra, downstream))
        session = await stack.enter_async_context(caller_session())
        env = CheckEnvironment(
            url="",
            health_url="",
            session=session,
            tenant=tenant,
            entra=entra,
            downstream=downstream if variant.downstream else None,
            variant=variant,
            provider=folder.provider(settings),
            app_dir=folder.directory,
        )
        if variant.several:
            env = await stack.enter_async_context(several_instances(env, folder, settings, instances))
        else:
            preload = FAULTY_PROVIDER if variant.faulty else None
            process = AppProcess(settings, app_dir=folder.directory, python=folder.python, preload=preload)
            app = await stack.enter_async_context(process)
            env = replace(env.at(app.url), log=lambda: app.logs)
        # A check of what the first lines say sends the first request itself.
        if not variant.trouble and not variant.more_callers:
            await require_answer(env)
        yield env


def variants_of(target: Target, *, instances: int = _INSTANCES) -> OpenVariant | None:
    """Return the function that starts the target's app with other settings; None if the endpoint runs elsewhere."""
    if target.folder is None:
        return None
    return partial(open_variant, target.tenant, target.folder, given=target.settings, instances=instances)


async def require_answer(env: CheckEnvironment, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait until the endpoint is ready: while it starts it may answer late, and without keys it answers 503.

    Raises:
        CannotRun: No connection is possible, or there is no response within 11 seconds.
    """
    deadline_s, has_answered = clock() + _READY_TIMEOUT_S, env.peak_growth is not None
    while True:
        response = await env.send(env.good_request() if "token" in env.have else env.request())
        starting = response.failure == "timeout" or (response.status == 503 and not _provider_failed(env, response))
        if not starting or clock() > deadline_s:
            break
        has_answered = has_answered or response.status is not None
        await asyncio.sleep(_READY_POLL_S)
    if response.status is None and response.failure != "timeout":
        found = f"{URL(env.url).with_query(None)} gave {response}"
        raise CannotRun(f"{found}; {_STOPPED if has_answered else _UNREACHABLE}{_end_of_log(env)}")


def _provider_failed(env: CheckEnvironment, response: RawResponse) -> bool:
    """Whether the app's line says that the provider failed, which no waiting changes."""
    correlation_id = response.request.correlation_id or ""
    found = {} if env.log is None else app_lines(env.log(), {correlation_id})
    return any(line.code.startswith(_LASTING) for line in found.get(correlation_id, ()))


def _end_of_log(env: CheckEnvironment) -> str:
    """Return the last line of the log of an app that is run here and answers no more."""
    lines = () if env.log is None else env.log()
    return f"\nthe app's last line: {printable(lines[-1])[:_SHOWN_CHARS]}" if lines else ""


async def await_keys_read(env: CheckEnvironment, *, say: Callable[[str], None] = _say) -> None:
    """Call the endpoint until it accepts valid tokens, as far as reading the keys may change its mind.

    A library that meets a key for the first time may refuse it while it reads the keys in the background: the call is
    repeated for some seconds. An endpoint that has the keys of an earlier run, which this run replaced, reads the new
    ones only after its pause, which is waited for. Nothing else is: the keys stay the same from run to run, so an
    endpoint that refuses valid tokens without reading the keys never reads them, or refuses for another reason.
    """
    if not env.trusted:
        return
    pause_s = _pause_s(env)
    waited_s = 0.0
    while (response := await env.send(env.good_request())).status in _REFUSED:
        env.fetches.expect_forced(env.url)
        if env.entra.keys_read:
            env.fetches.note(env.entra.authority_url)
        limit_s = _TAKE_UP_S if env.entra.keys_read else pause_s
        if waited_s >= limit_s:
            return
        if limit_s > _TAKE_UP_S and not waited_s:
            say(
                f"the endpoint refuses this run's new keys; waiting at most {limit_s:.0f} s until it reads them (a"
                " library pauses after an unknown key, from 30 s in jose to five minutes in .NET). To go on at once,"
                " restart it; without"
                " --new-keys there is no wait"
            )
        await env.sleep(_POLL_S)
        waited_s += _POLL_S
    if response.status == 200:
        env.fetches.expect_forced(env.url)


def _pause_s(env: CheckEnvironment) -> float:
    """Return how long to wait for an endpoint that has not read this run's keys, in seconds."""
    had_others = env.entra.store.replaced and env.fetches.read_age_s(env.entra.authority_url) is not None
    return COOL_DOWN_S + _TAKE_UP_S if had_others else _FIRST_READ_S
