"""One sign-in at a scripted endpoint, for the tests of what it gives and how it is shown."""

import time
from collections.abc import Callable
from typing import Any

import aiohttp

from selftest.base.sample_tenant import DEFAULT_TENANT
from selftest.entra.payloads import variety
from selftest.entra.server import EntraServer
from selftest.play.caller import Caller
from selftest.play.sign_in import SignIn, sign_in
from tests.selftest.scripted_server import Script, scripted_server


async def signed_in(
    session: aiohttp.ClientSession,
    entra: EntraServer,
    script: Script,
    name: str = "member",
    *,
    clock: Callable[[], float] = time.perf_counter,
    **options: Any,
) -> SignIn:
    """Sign one user in at a server that follows the script."""
    async with scripted_server([script]) as server:
        caller = Caller(session, clock)
        return await sign_in(caller, server.url, entra.mint, DEFAULT_TENANT, variety(name), **options)
