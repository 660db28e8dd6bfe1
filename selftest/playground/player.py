"""Plays sign-ins as chosen, and keeps the results.

Each sign-in has its own `SignInService` with a modified copy of the tenant: another endpoint for a bad reply, a preset
code without a call. Concurrent sign-ins therefore do not get each other's faults, nor do they share dependencies
(`selftest.playground.environment`).
"""

import asyncio
import secrets
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

from cachetools import FIFOCache

from selftest.checks.faults.setup import NoClaimsBeforeFault
from selftest.host.process import AppProcess, AppStartError
from selftest.play.caller import Caller, caller_session
from selftest.playground.app_files import providers
from selftest.playground.bad_endpoint import BadEndpoint
from selftest.playground.choice import Choice, ChoiceError, ChoiceOptions, OnFailureSetting, read_on_failure
from selftest.playground.environment import EndpointEnvironment
from selftest.playground.played import Played, PlayFailure
from selftest.playground.recording_mint import RecordingMint
from selftest.signin.sign_in_log import EmulatedSignInLog
from selftest.signin.sign_in_service import SignInService
from selftest.signin.tenant.directory import Directory

_DEFAULT_PROVIDER: Final = "sample"
#: An app takes about 60 MB; a comparison of two settings needs two.
_MAX_APPS: Final = 3
_MAX_KEPT: Final = 200
#: Each may take some seconds, one after the other.
_MAX_WAITING: Final = 32
_MAX_LOG_LINES: Final = 20
_LOG_LINE_WITHIN_S: Final = 0.5


class TooManySignInsError(Exception):
    """Raised when too many sign-ins are waiting."""


class SignInPlayer:
    """Plays sign-ins; an async context manager.

    Args:
        app_dir: The directory of the app; None with a ``url``.
        authority_port: The port of the emulated Entra, which an endpoint elsewhere must know; 0 takes a free port.

    Raises:
        ChoiceError: The settings name an unknown provider or an invalid ``Claims__OnFailure``.

    Attributes:
        main: The environment of the default settings, in which the browser signs in.
    """

    def __init__(
        self,
        directory: Directory,
        *,
        app_dir: Path | None,
        url: str | None = None,
        authority_port: int = 0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.app_dir = app_dir
        self._settings = dict(settings or {})
        self._url = url
        self._authority_port = authority_port
        self._kept: FIFOCache[str, Played] = FIFOCache(_MAX_KEPT)
        self._environments: OrderedDict[tuple[str | None, OnFailureSetting], EndpointEnvironment] = OrderedDict()
        self._opening = asyncio.Lock()
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._bad = BadEndpoint()
        self._stack = AsyncExitStack()
        self.options = self._options(directory)

    def _options(self, directory: Directory) -> ChoiceOptions:
        provider = self._settings.pop("Claims__Provider", _DEFAULT_PROVIDER)
        on_failure = read_on_failure(self._settings.pop("Claims__OnFailure", "fail"))
        here = () if self.app_dir is None else providers(self.app_dir)
        if here and provider not in here:
            raise ChoiceError(
                f"Claims__Provider: there is no claims/providers/{provider}.py; the providers are {', '.join(here)}"
            )
        return ChoiceOptions(
            directory=directory,
            providers=here,
            provider=provider if here else None,
            on_failure=on_failure,
            local=self.app_dir is not None,
        )

    @property
    def log(self) -> EmulatedSignInLog:
        """Return the log of all sign-ins, including those in the browser."""
        return self.main.entra.service.log

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._session = await stack.enter_async_context(caller_session())
            await stack.enter_async_context(self._bad)
            self._stack = stack
            first = self.options.first()
            self.main = await self.environment(first.provider, first.on_failure)
            self._stack = stack.pop_all()
        self._start_in_background(self.main)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    def played(self, played_id: str) -> Played | None:
        """Return a kept result; None if it was dropped or never existed."""
        return self._kept.get(played_id)

    def known_environment(self, provider: str | None, on_failure: OnFailureSetting) -> EndpointEnvironment | None:
        """Return the environment with these settings; None if it was not used yet."""
        return self._environments.get((provider, on_failure))

    async def start_main(self) -> None:
        """Start the app for sign-ins in the browser; the environment keeps an error of the start."""
        with suppress(AppStartError):
            await self.main.start_app()

    async def environment(self, provider: str | None, on_failure: OnFailureSetting) -> EndpointEnvironment:
        """Return the environment with these settings, and stop the apps that were not used recently."""
        key = (provider, on_failure)
        async with self._opening:
            if key not in self._environments:
                environment = EndpointEnvironment(
                    self.options.directory,
                    app_dir=self.app_dir,
                    provider=provider,
                    on_failure=on_failure,
                    extra_settings=self._settings,
                    session=self._session,
                    url=self._url,
                    authority_port=0 if self._environments else self._authority_port,
                )
                self._environments[key] = await self._stack.enter_async_context(environment)
        self._environments.move_to_end(key)
        for unused in list(self._environments.values())[:-_MAX_APPS]:
            self._in_background(unused.stop_app())
        return self._environments[key]

    async def play(self, choice: Choice) -> Played:
        """Play a sign-in, and keep the result.

        Raises:
            TooManySignInsError: Too many sign-ins are waiting.
        """
        if self._waiting >= _MAX_WAITING:
            raise TooManySignInsError(f"{self._waiting} sign-ins are waiting: try again when some of them have ended")
        self._waiting += 1
        try:
            played = await self._play(choice)
        except AppStartError as error:
            failure = PlayFailure(title="The app does not start", detail=f"{error.message}\n\n{error.stderr}".strip())
            played = Played(id=str(uuid.uuid4()), choice=choice, failure=failure)
        except NoClaimsBeforeFault as error:
            failure = PlayFailure(title="The fault was not injected: sign in without a fault first", detail=str(error))
            played = Played(id=str(uuid.uuid4()), choice=choice, failure=failure)
        finally:
            self._waiting -= 1
        self._kept[played.id] = played
        return played

    async def _play(self, choice: Choice) -> Played:
        fault = choice.fault
        environment = await self.environment(choice.provider, choice.on_failure)
        if fault.kind == "preset":
            return await self._sign_in(replace(choice, person=replace(choice.person, fault=fault.code)), environment)
        if fault.kind == "reply" and fault.code is not None:
            return await self._sign_in(choice, environment, target_url=self._bad.url(fault.code))
        if choice.person.fault is not None:
            return await self._sign_in(choice, environment)
        async with environment.with_fault(fault.downstream, choice.person) as app:
            before = 0 if app is None else app.lines_seen
            played = await self._sign_in(choice, environment)
            log = () if app is None else await _lines_since(app, before, played)
        if environment.state == "not started":
            self._start_in_background(environment)
        return replace(played, log=log)

    async def _sign_in(
        self, choice: Choice, environment: EndpointEnvironment, *, target_url: str | None = None
    ) -> Played:
        mint = RecordingMint(environment.entra)
        directory = environment.entra.directory
        service = SignInService(
            directory if target_url is None else directory.with_target_url(target_url),
            lambda: mint,
            Caller(self._session),
            time.time,
            secrets.token_urlsafe,
        )
        record = await service.sign_in(self.main.entra.sign_in_mint, choice.person, choice.app, scope=choice.scope)
        self.log.add(record)
        budget_ms = environment.budget_ms if target_url is None else None
        return Played(id=record.id, choice=choice, record=record, tokens=tuple(mint.seen), budget_ms=budget_ms)

    def _start_in_background(self, environment: EndpointEnvironment) -> None:
        """Start an app in the background, so that the next sign-in does not wait for it."""

        async def start() -> None:
            with suppress(AppStartError):  # the environment keeps the error for the page
                await environment.start_app()

        if self.app_dir is not None:
            self._in_background(start())

    def _in_background(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _lines_since(app: AppProcess, before: int, played: Played) -> tuple[str, ...]:
    """Return the lines that the app has logged since, once they include the sign-in's line."""
    correlation_id = "" if played.record is None else played.record.correlation_id
    if played.record is not None and played.record.callouts:
        with suppress(TimeoutError):
            await app.wait_for_line(lambda line: correlation_id in line, timeout_s=_LOG_LINE_WITHIN_S)
    count = min(app.lines_seen - before, _MAX_LOG_LINES)
    return tuple(app.logs[-count:]) if count else ()
