"""The stage: plays one sign-in as it was chosen, and keeps what was played.

Each sign-in has a desk of its own, with a tenant that is changed for it alone: another endpoint where the reply is to
be bad, a code by decree where there is to be no call. So sign-ins that are played at the same time cannot get each
other's trouble. What they depend on is not shared either (`selftest.playground.environment`).
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
from types import TracebackType
from typing import Any, Final, Self

from selftest.checks.faults.setup import NoClaimsBeforeFault
from selftest.host.process import AppProcess, AppStartError
from selftest.play.caller import Caller, caller_session
from selftest.playground.app_files import providers
from selftest.playground.bad_endpoint import BadEndpoint
from selftest.playground.choice import Choice, ChoiceError, Offer, OnFailure, read_policy
from selftest.playground.environment import Ground
from selftest.playground.played import Played, Problem
from selftest.playground.watched_mint import WatchedMint
from selftest.signin.sign_in_log import EventsLog
from selftest.signin.sign_in_service import Desk
from selftest.signin.tenant.directory import Directory

_DEFAULT_PROVIDER: Final = "sample"
#: An app takes some 60 MB; who compares two has two.
_MAX_APPS: Final = 3
_MAX_KEPT: Final = 200
#: Each may take some seconds, and they take turns.
_MAX_WAITING: Final = 32
_MAX_LOG_LINES: Final = 20
_LOG_LINE_WITHIN_S: Final = 0.5


class CrowdedError(Exception):
    """Raised when more sign-ins wait for their turn than anybody watches."""


class Stage:
    """Where sign-ins are played; an async context manager.

    Args:
        directory: the tenant.
        app_dir: the app; None with a ``url``.
        url: an endpoint elsewhere.
        authority_port: where the emulated Entra listens, which an endpoint elsewhere has to be told; 0: anywhere.
        settings: more settings of the app.

    Raises:
        ChoiceError: The settings name a provider or a policy that is not there.

    Attributes:
        offer: what can be chosen.
        main: the ground of the default provider and policy; the browser signs in through it.
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
        self._kept: OrderedDict[str, Played] = OrderedDict()
        self._grounds: OrderedDict[tuple[str | None, OnFailure], Ground] = OrderedDict()
        self._opening = asyncio.Lock()
        self._waiting = 0
        self._chores: set[asyncio.Task[None]] = set()
        self._bad = BadEndpoint()
        self._stack = AsyncExitStack()
        self.offer = self._offer(directory)

    def _offer(self, directory: Directory) -> Offer:
        provider = self._settings.pop("Claims__Provider", _DEFAULT_PROVIDER)
        on_failure = read_policy(self._settings.pop("Claims__OnFailure", "fail"))
        here = () if self.app_dir is None else providers(self.app_dir)
        if here and provider not in here:
            raise ChoiceError(f"Claims__Provider: there is no claims/providers/{provider}.py, only {', '.join(here)}")
        return Offer(
            directory=directory,
            providers=here,
            provider=provider if here else None,
            on_failure=on_failure,
            local=self.app_dir is not None,
        )

    @property
    def log(self) -> EventsLog:
        """Give the sign-ins of this tenant, the browser's among them."""
        return self.main.entra.desk.log

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._session = await stack.enter_async_context(caller_session())
            await stack.enter_async_context(self._bad)
            self._stack = stack
            first = self.offer.first()
            self.main = await self.ground(first.provider, first.on_failure)
            self._stack = stack.pop_all()
        self._begin(self.main)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self._stack.aclose()

    def played(self, played_id: str) -> Played | None:
        """Find what was played; None where it is forgotten or never was."""
        return self._kept.get(played_id)

    def known_ground(self, provider: str | None, on_failure: OnFailure) -> Ground | None:
        """Find the ground with these settings, if anybody has asked for it yet."""
        return self._grounds.get((provider, on_failure))

    async def ready(self) -> None:
        """See to it that the browser's sign-ins find an app; why there is none, its ground says."""
        with suppress(AppStartError):
            await self.main.ready()

    async def ground(self, provider: str | None, on_failure: OnFailure) -> Ground:
        """Give the ground with these settings, and let the one rest that nobody has used for longest."""
        key = (provider, on_failure)
        async with self._opening:
            if key not in self._grounds:
                ground = Ground(
                    self.offer.directory,
                    app_dir=self.app_dir,
                    provider=provider,
                    on_failure=on_failure,
                    extra_settings=self._settings,
                    session=self._session,
                    url=self._url,
                    authority_port=0 if self._grounds else self._authority_port,
                )
                self._grounds[key] = await self._stack.enter_async_context(ground)
        self._grounds.move_to_end(key)
        for unused in list(self._grounds.values())[:-_MAX_APPS]:
            self._chore(unused.rest())
        return self._grounds[key]

    async def play(self, choice: Choice) -> Played:
        """Play a sign-in, and keep it.

        Raises:
            CrowdedError: Too many wait already.
        """
        if self._waiting >= _MAX_WAITING:
            raise CrowdedError(f"{self._waiting} sign-ins wait for their turn: wait for some of them to end")
        self._waiting += 1
        try:
            played = await self._play(choice)
        except AppStartError as error:
            problem = Problem(title="The app does not start", words=f"{error.message}\n\n{error.stderr}".strip())
            played = Played(id=str(uuid.uuid4()), choice=choice, problem=problem)
        except NoClaimsBeforeFault as error:
            problem = Problem(title="The fault was not played: sign in without one first", words=str(error))
            played = Played(id=str(uuid.uuid4()), choice=choice, problem=problem)
        finally:
            self._waiting -= 1
        self._kept[played.id] = played
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return played

    async def _play(self, choice: Choice) -> Played:
        trouble = choice.trouble
        ground = await self.ground(choice.provider, choice.on_failure)
        if trouble.kind == "decree":
            return await self._sign_in(replace(choice, person=replace(choice.person, fault=trouble.code)), ground)
        if trouble.kind == "reply" and trouble.code is not None:
            return await self._sign_in(choice, ground, target_url=self._bad.url(trouble.code))
        if choice.person.fault is not None:
            return await self._sign_in(choice, ground)
        async with ground.turn(trouble.fault, choice.person) as app:
            before = 0 if app is None else app.lines_seen
            played = await self._sign_in(choice, ground)
            log = () if app is None else await _lines_since(app, before, played)
        if ground.state == "not started":
            self._begin(ground)
        return replace(played, log=log)

    async def _sign_in(self, choice: Choice, ground: Ground, *, target_url: str | None = None) -> Played:
        mint = WatchedMint(ground.entra)
        directory = ground.entra.directory
        desk = Desk(
            directory if target_url is None else directory.aimed_at(target_url),
            lambda: mint,
            Caller(self._session),
            time.time,
            secrets.token_urlsafe,
        )
        record = await desk.play(self.main.entra.sign_in_mint, choice.person, choice.app, scope=choice.scope)
        self.log.add(record)
        budget_ms = ground.budget_ms if target_url is None else None
        return Played(id=record.id, choice=choice, record=record, tokens=tuple(mint.seen), budget_ms=budget_ms)

    def _begin(self, ground: Ground) -> None:
        """Start a ground's app in the background, so that the next sign-in need not wait for it."""

        async def begin() -> None:
            with suppress(AppStartError):  # the ground keeps it for the page
                await ground.ready()

        if self.app_dir is not None:
            self._chore(begin())

    def _chore(self, work: Any) -> None:
        chore: asyncio.Task[None] = asyncio.create_task(work)
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)


async def _lines_since(app: AppProcess, before: int, played: Played) -> tuple[str, ...]:
    """Give what the app has logged since, once the sign-in's own line is there."""
    correlation_id = "" if played.record is None else played.record.correlation_id
    if played.record is not None and played.record.callouts:
        with suppress(TimeoutError):
            await app.wait_for_line(lambda line: correlation_id in line, timeout_s=_LOG_LINE_WITHIN_S)
    count = min(app.lines_seen - before, _MAX_LOG_LINES)
    return tuple(app.logs[-count:]) if count else ()
