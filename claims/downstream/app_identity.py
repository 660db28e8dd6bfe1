"""The app's managed identity in Azure Functions and App Service: one GET to an address that the platform gives the app.

azure-identity would do the same after an import of 180 ms, which the first sign-in of an instance waits for. It still
gets the tokens of an identity elsewhere, where no such address is set.

Source: Microsoft Learn, "Use managed identities for App Service and Azure Functions", REST endpoint reference,
``api-version=2019-08-01``; azure-core ``scopes_to_resource``.
"""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from claims.downstream.issued_token import DownstreamToken, TokenFetchError, read_retry_after_s
from claims.wire.fetch import FetchError, HttpGet
from claims.wire.strict_json import StrictJsonError, parse_object

_API_VERSION: Final = "2019-08-01"
#: A token has at most a few kilobytes.
_MAX_ANSWER_BYTES: Final = 256 * 1024
#: A token that lives this long is replaced at half its life, as by azure-identity: a new one is issued by then.
_LONG_LIFE_S: Final = 7200.0


class AppIdentity:
    """Fetches tokens of the app's identity.

    Args:
        endpoint: The platform's address.
        secret: What the platform wants in the request's header.
        client_id: Of a user-assigned identity; empty for the system-assigned one.
        clock: Wall-clock seconds since the epoch.
    """

    def __init__(self, endpoint: str, secret: str, client_id: str, clock: Callable[[], float] = time.time) -> None:
        self._endpoint = endpoint
        self._headers = {"X-IDENTITY-HEADER": secret}
        self._identity = {"client_id": client_id} if client_id else {}
        self._clock = clock
        self._get = HttpGet(_MAX_ANSWER_BYTES)

    async def __call__(self, scope: str) -> DownstreamToken:
        """Fetch a new token for a scope.

        Raises:
            TokenFetchError: No token came; the message names the status, or what the answer lacks.
        """
        query = {"api-version": _API_VERSION, "resource": scope.removesuffix("/.default"), **self._identity}
        try:
            answer = parse_object(await self._get(f"{self._endpoint}?{urlencode(query)}", self._headers))
        except FetchError as error:
            asked_s = read_retry_after_s(error.retry_after, self._clock())
            raise TokenFetchError(f"managed-identity: {error}", retry_after_s=asked_s) from error
        except StrictJsonError as error:
            raise TokenFetchError(f"managed-identity: expected a JSON object: {error}") from error
        token, expires_on = answer.get("access_token"), answer.get("expires_on")
        # Documented as text; other versions of this protocol have a number.
        text = str(expires_on)
        if not isinstance(token, str) or not (text.isascii() and text.isdigit() and len(text) <= 12):  # noqa: PLR2004
            raise TokenFetchError("managed-identity: expected access_token and expires_on")
        life_s = int(text) - self._clock()
        return DownstreamToken(token, int(text), int(text) - life_s / 2 if life_s >= _LONG_LIFE_S else None)
