"""Whether the endpoint answers: asked before sign-ins begin to depend on it.

A listener whose endpoint is dead breaks sign-in at once, for every user of the application.
"""

from http import HTTPStatus
from typing import Final

import aiohttp

from selftest.tenant.objects.errors import Unprepared

#: A cold start takes some seconds; Entra would wait for two.
_TIMEOUT_S: Final = 20


async def require_health(url: str) -> None:
    """Ask the endpoint's health page, without following it elsewhere.

    Raises:
        Unprepared: it does not answer, or not with 200.
    """
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            told = f"answers {response.status}"
            if response.status == HTTPStatus.OK:
                return
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        told = f"does not answer ({type(error).__name__})"
    raise Unprepared(
        f"{url} {told}, so nothing was written: without an answer nobody could sign in any more. Deploy the endpoint "
        "and look at its log; --no-health-check goes on where this machine cannot reach it and Entra can"
    )
