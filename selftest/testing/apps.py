"""The apps that the sign-ins of a test run use: started once for each set of settings, and kept."""

import argparse
import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp

from selftest.entra.payloads import Variety
from selftest.judge.mapping import MappingPolicy
from selftest.play.app_log import records_of
from selftest.play.sign_in import SignIn, sign_in
from selftest.play.target import Target, add_target_arguments, open_target
from selftest.testing.outcome import SignInOutcome

#: An app takes about 60 MB.
_MAX_APPS: Final = 3
#: An app without keys tries again after ten seconds.
_READY_WITHIN_S: Final = 11.0
#: A line is written before the answer, but travels through another pipe.
_LINE_WITHIN_S: Final = 1.0
_POLL_S: Final = 0.02


class RunningApps:
    """The apps of one folder, each with its own emulated Entra.

    Args:
        folder: That of ``function_app.py``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: OrderedDict[frozenset[tuple[str, str]], tuple[Target, AsyncExitStack]] = OrderedDict()

    async def sign_in(
        self,
        user: Variety,
        settings: Mapping[str, str],
        *,
        timeout_ms: int,
        retries: int,
        mapping: MappingPolicy | None,
    ) -> SignInOutcome:
        """Sign a user in at the app with these settings, which is started if it does not run.

        Raises:
            CannotRun: The app does not start.
        """
        target = await self._target(settings)
        correlation_id = str(uuid.uuid4())
        before = target.app.lines_seen if target.app else 0
        played = await sign_in(
            target.caller,
            target.url,
            target.entra.mint,
            target.tenant,
            user,
            timeout_ms=timeout_ms,
            max_retries=retries,
            mapping=mapping,
            correlation_id=correlation_id,
        )
        line = await _last_line(target, correlation_id, count=len(played.call.attempts))
        new = target.app.lines_seen - before if target.app else 0
        return _outcome(played, line, target.app.logs[-new:] if target.app and new else ())

    async def stop(self, settings: Mapping[str, str] | None = None) -> None:
        """End the app with these settings, if it runs; without settings every app."""
        keys = list(self._running) if settings is None else [frozenset(settings.items())]
        for key in keys:
            if key in self._running:
                _, stack = self._running.pop(key)
                await stack.aclose()

    async def _target(self, settings: Mapping[str, str]) -> Target:
        key = frozenset(settings.items())
        if key not in self._running:
            while len(self._running) >= _MAX_APPS:
                await self.stop(dict(next(iter(self._running))))
            async with AsyncExitStack() as stack:
                target = await stack.enter_async_context(open_target(self._arguments(settings)))
                await _until_ready(target)
                self._running[key] = target, stack.pop_all()
        self._running.move_to_end(key)
        return self._running[key][0]

    def _arguments(self, settings: Mapping[str, str]) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        add_target_arguments(parser)
        args = parser.parse_args([])
        args.app_dir, args.settings = self._folder, list(settings.items())
        return args


async def _until_ready(target: Target) -> None:
    """Wait until the app has its signing keys; what it answers after eleven seconds is the test's subject."""
    for _ in range(round(_READY_WITHIN_S / _POLL_S)):
        with suppress(aiohttp.ClientError):
            async with target.session.get(target.health_url) as response:
                if response.status == 200:
                    return
        await asyncio.sleep(_POLL_S)


async def _last_line(target: Target, correlation_id: str, *, count: int) -> Mapping[str, Any]:
    """Return the app's last line about an event, after as many lines as there were attempts, or a second."""
    records: list[dict[str, Any]] = []
    for _ in range(round(_LINE_WITHIN_S / _POLL_S)):
        records = [*records_of(target.log() if target.log else (), correlation_id)]
        if len(records) >= count:
            break
        await asyncio.sleep(_POLL_S)
    return records[-1] if records else {}


def _outcome(played: SignIn, line: Mapping[str, Any], log: Sequence[str]) -> SignInOutcome:
    verdict, attempts = played.verdict, played.call.attempts
    return SignInOutcome(
        minted=verdict.minted,
        code=verdict.code,
        reason=verdict.reason,
        status=attempts[-1].status,
        claims=verdict.claims or {},
        line=line,
        latency_ms=round((attempts[-1].end_s - attempts[0].due_s) * 1000, 1),
        attempts=len(attempts),
        warnings=tuple(warning.message for warning in verdict.warnings),
        token=played.token_claims or {},
        event=played.event,
        log=tuple(log),
    )
