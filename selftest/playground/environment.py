"""A ground to play on: one endpoint with everything that it depends on, all of it its own.

Keys, downstream and app are not shared with another ground, so a fault that is played here is felt nowhere else. On one
ground sign-ins take turns: the next one begins when the fault of the last is over and what it left behind is gone.

The app follows its files. Before each turn they are compared with those that it was started from; when they differ it
is stopped, whatever comes of the start that follows. An app that does not start is not replaced by its predecessor:
then there is none, as after a deployment that fails, and the reader sees why.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import aiohttp

from selftest.base.endpoint_url import CALLOUT_PATH, health_url
from selftest.checks.bench.environment import CheckEnvironment
from selftest.checks.bench.variant import AppVariant
from selftest.checks.faults.setup import playing
from selftest.downstream.faults import Fault
from selftest.downstream.identity import LIFETIME_S
from selftest.downstream.server import DownstreamServer
from selftest.host.process import AppProcess, AppStartError
from selftest.play.target import HOST_SETTINGS, endpoint_settings
from selftest.playground.app_files import Fingerprint, fingerprint, forget_compiled
from selftest.playground.choice import DOWNSTREAM_PROVIDER, OnFailure
from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import Directory, Person

#: The endpoint's own default, said to it, so that the page knows it too.
DEFAULT_BUDGET_MS: Final = 1500
_BUDGET: Final = "Claims__BudgetMs"

type State = Literal["not started", "starting", "running", "does not start", "elsewhere"]


class Ground:
    """One endpoint to sign in through; an async context manager.

    Args:
        directory: the tenant.
        app_dir: of ``function_app.py``; None where the endpoint runs elsewhere.
        provider: ``Claims__Provider``; None leaves it out.
        on_failure: ``Claims__OnFailure``.
        extra_settings: more settings of the app, which win.
        session: for the calls that make sure that the endpoint is well.
        url: of an endpoint elsewhere.
        authority_port: where the emulated Entra listens; 0 takes a free port.

    Attributes:
        entra: the emulated Entra that the endpoint believes.
        downstream: what its provider asks.
        start_error: why the app does not run, in its own words; None where it does, or was not started yet.
    """

    def __init__(
        self,
        directory: Directory,
        *,
        app_dir: Path | None,
        provider: str | None,
        on_failure: OnFailure,
        extra_settings: Mapping[str, str],
        session: aiohttp.ClientSession,
        url: str | None = None,
        authority_port: int = 0,
    ) -> None:
        self.entra = SignInServer(directory, port=authority_port)
        self.downstream = DownstreamServer()
        self.start_error: AppStartError | None = None
        self._app_dir = app_dir
        self._provider = provider
        self._on_failure: OnFailure = on_failure
        self._extra = extra_settings
        self._session = session
        self._url = url
        self._turn = asyncio.Lock()
        self._app: AppProcess | None = None
        self._files: Fingerprint | None = None
        self._starting = False
        self._stack = AsyncExitStack()

    @property
    def trust_settings(self) -> dict[str, str]:
        """Give the settings with which an endpoint believes this ground's Entra, whichever extension it calls for."""
        audience = self.entra.tenant.audience_app_id
        extensions = [known.id for known in self.entra.directory.extensions if known.audience.client_id == audience]
        return {**endpoint_settings(self.entra), "Claims__AllowedExtensionIds": ",".join(extensions)}

    @property
    def settings(self) -> dict[str, str]:
        """Give the app's settings."""
        chosen = {} if self._provider is None else {"Claims__Provider": self._provider}
        return {
            **HOST_SETTINGS,
            **self.trust_settings,
            _BUDGET: str(DEFAULT_BUDGET_MS),
            "Claims__OnFailure": self._on_failure,
            **(self.downstream.settings() if self._provider == DOWNSTREAM_PROVIDER else {}),
            **chosen,
            **self._extra,
        }

    @property
    def budget_ms(self) -> int | None:
        """Give the time that the endpoint allows itself; None where that is not ours to know."""
        text = self.settings[_BUDGET]
        return int(text) if self._app_dir is not None and text.isascii() and text.isdigit() else None

    @property
    def state(self) -> State:
        """Say how the app is."""
        if self._app_dir is None:
            return "elsewhere"
        if self._starting:
            return "starting"
        if self.start_error is not None:
            return "does not start"
        return "not started" if self._app is None else "running"

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.entra)
            await stack.enter_async_context(self.downstream)
            if self._url is not None:
                self.entra.desk.aim_at(self._url)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whoever has the turn was cancelled, and may still be clearing up.
        await self.rest()
        await self._stack.aclose()

    async def ready(self) -> None:
        """See to it that the app that runs is the one on the disk.

        Raises:
            AppStartError: It does not start.
        """
        async with self._turn:
            await self._follow()

    async def rest(self) -> None:
        """Stop the app; the next turn starts it again."""
        async with self._turn:
            await self._stop()

    @asynccontextmanager
    async def turn(self, fault: Fault | None, person: Person) -> AsyncIterator[AppProcess | None]:
        """Take a turn with this fault, and give the app.

        With a fault the endpoint is first asked until it answers with the user's claims, as it is in the checks: what
        is seen then is the fault and nothing from before.

        Raises:
            AppStartError: The app does not start.
            NotWellError: It does not answer with claims though nothing fails.
        """
        async with self._turn:
            await self._follow()
            if fault is None:
                yield self._app
                return
            try:
                async with playing(self._bench(), fault, person.id):
                    yield self._app
            finally:
                if _leaves_traces(fault):
                    self.downstream.identity.lifetime_s = LIFETIME_S
                    await self._stop()

    def _bench(self) -> CheckEnvironment:
        app = self._app
        if app is None:
            raise RuntimeError("a fault is played on an app of ours: take a turn first")
        url = app.url + CALLOUT_PATH
        return CheckEnvironment(
            url=url,
            health_url=health_url(url),
            session=self._session,
            tenant=self.entra.tenant,
            entra=self.entra,
            downstream=self.downstream,
            variant=AppVariant(
                name="playground", policy=self._on_failure, budget_ms=self.budget_ms or DEFAULT_BUDGET_MS
            ),
        )

    async def _follow(self) -> None:
        if self._app_dir is None:
            return
        files = await asyncio.to_thread(fingerprint, self._app_dir)
        changed = () if self._files is None else files.changed_since(self._files)
        if self._app is not None and not changed and self._app.returncode is None:
            return
        await self._stop()
        await asyncio.to_thread(forget_compiled, self._app_dir, changed)
        self._files, self._starting = files, True
        app = AppProcess(self.settings, app_dir=self._app_dir)
        try:
            await app.__aenter__()
        except AppStartError as error:
            self.start_error = error
            raise
        finally:
            self._starting = False
        self._app, self.start_error = app, None
        self.entra.desk.aim_at(app.url + CALLOUT_PATH)

    async def _stop(self) -> None:
        if self._app is not None:
            # Forgotten only once it has ended: a cancelled turn leaves the rest to the next.
            await self._app.stop()
            self._app = None


def _leaves_traces(fault: Fault) -> bool:
    """Say whether an app is different after a fault: it spaces out what it may do about one, by seconds to a minute."""
    return fault.place == "identity" or fault.manner in {"refuse-known", "rotate"} or fault.status == 401
