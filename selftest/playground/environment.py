"""The environment of a sign-in: one endpoint with its own dependencies.

Signing keys, downstream and app are not shared with another environment, so that a fault does not affect sign-ins
elsewhere. Sign-ins in one environment run one at a time: the next one begins after the fault of the last one has ended
and its effects are gone.

The app is restarted when its files change. Before each sign-in they are compared with the files that the app was
started from. An app that does not start is not replaced by its predecessor: no app runs then, as after a failed
deployment, and the page shows the reason.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
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
from selftest.playground.choice import DOWNSTREAM_PROVIDER, OnFailureSetting
from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import Directory, Person

#: The endpoint's own default, set explicitly, so that the page knows it.
DEFAULT_BUDGET_MS: Final = 1500
_BUDGET: Final = "Claims__BudgetMs"

type AppState = Literal["not started", "starting", "running", "does not start", "elsewhere"]


class EndpointEnvironment:
    """One endpoint with the emulated Entra and the emulated downstream; an async context manager.

    Args:
        app_dir: The directory of ``function_app.py``; None for an endpoint elsewhere.
        extra_settings: Further settings of the app, which take precedence.
        session: The session of the calls that check the endpoint before a fault.
        authority_port: The port of the emulated Entra; 0 takes a free port.

    Attributes:
        entra: The emulated Entra that the endpoint trusts.
        downstream: The emulated downstream that the provider calls.
        start_error: The error of the last start of the app; None if it succeeded or there was none.
    """

    def __init__(
        self,
        directory: Directory,
        *,
        app_dir: Path | None,
        provider: str | None,
        on_failure: OnFailureSetting,
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
        self._on_failure: OnFailureSetting = on_failure
        self._extra = extra_settings
        self._session = session
        self._url = url
        self._exclusive = asyncio.Lock()
        self._app: AppProcess | None = None
        self._files: Fingerprint | None = None
        self._starting = False
        self._stack = AsyncExitStack()

    @property
    def trust_settings(self) -> dict[str, str]:
        """Return the settings with which an endpoint trusts this environment's Entra, for every extension."""
        return endpoint_settings(self.entra)

    @property
    def settings(self) -> dict[str, str]:
        """Return the app's settings."""
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
        """Return the endpoint's own time limit in milliseconds; None if unknown."""
        text = self.settings[_BUDGET]
        return int(text) if self._app_dir is not None and text.isascii() and text.isdigit() else None

    @property
    def log_lines(self) -> Sequence[str]:
        """Return what the app has logged; empty if it does not run here."""
        return () if self._app is None else self._app.logs

    @property
    def state(self) -> AppState:
        """Return the state of the app."""
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
                self.entra.service.set_target_url(self._url)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        # A canceled sign-in may still be cleaning up.
        await self.stop_app()
        await self._stack.aclose()

    async def start_app(self) -> None:
        """Start the app unless it runs from the current files.

        Raises:
            AppStartError: The app does not start.
        """
        async with self._exclusive:
            await self._start()

    async def stop_app(self) -> None:
        """Stop the app; the next sign-in starts it again."""
        async with self._exclusive:
            await self._stop()

    @asynccontextmanager
    async def with_fault(self, fault: Fault | None, person: Person) -> AsyncIterator[AppProcess | None]:
        """Inject a fault for one exclusive sign-in, and return the app.

        Before a fault the endpoint is called until it returns the user's claims, as in the checks, so that only the
        fault has an effect on the sign-in.

        Raises:
            AppStartError: The app does not start.
            NotWellError: It does not return claims without a fault.
        """
        async with self._exclusive:
            await self._start()
            if fault is None:
                yield self._app
                return
            try:
                async with playing(self._bench(), fault, person.id):
                    yield self._app
            finally:
                if _has_lasting_effect(fault):
                    self.downstream.identity.lifetime_s = LIFETIME_S
                    await self._stop()

    def _bench(self) -> CheckEnvironment:
        app = self._app
        if app is None:
            raise RuntimeError("a fault requires a running local app")
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

    async def _start(self) -> None:
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
        self.entra.service.set_target_url(app.url + CALLOUT_PATH)

    async def _stop(self) -> None:
        if self._app is not None:
            # Reset only after it has ended: if this is canceled, the next sign-in stops the app.
            await self._app.stop()
            self._app = None


def _has_lasting_effect(fault: Fault) -> bool:
    """Whether an app behaves differently after a fault: it limits its recovery attempts by seconds to a minute."""
    return fault.place == "identity" or fault.manner in {"refuse-known", "rotate"} or fault.status == 401
