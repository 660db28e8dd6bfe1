"""Whether the endpoint answers: checked before sign-ins depend on it.

A listener whose endpoint does not answer breaks sign-in at once, for every user of the application.
"""

from http import HTTPStatus
from typing import Final

import aiohttp

from selftest.base.cannot_run import CannotRun

#: A cold start takes some seconds; Entra would wait for two.
_TIMEOUT_S: Final = 20


async def require_health(url: str) -> None:
    """Request the endpoint's health page, without following redirects.

    Raises:
        CannotRun: It does not answer, or not with 200.
    """
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            observed = f"answers {response.status}"
            if response.status == HTTPStatus.OK:
                return
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        observed = f"does not answer ({type(error).__name__})"
    raise CannotRun(
        f"{url} {observed}, so nothing was written: without an answer nobody could sign in any more. Deploy the "
        "endpoint and check its log; --no-health-check skips this where Entra can reach it and this machine cannot"
    )
