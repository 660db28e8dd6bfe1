"""Claims from an HTTP API of your own: ``GET {url}/{userId}`` answers with a JSON object of claims.

===============================  ===================================================================================
``Claims__ProfileApi__Url``      required; https, or http on a loopback host outside Azure
``Claims__ProfileApi__Scope``    of the token (``api://<client id>/.default``); required with https. A loopback URL may
                                 do without, and is then called without a token: a stub on a developer's machine
                                 knows nothing of tokens, and a token must never leave over plain http unasked
``Claims__ProfileApi__Claims``   ``name`` or ``source:claim``, comma-separated; empty: every member of the object
===============================  ===================================================================================

404 is a user without claims. An event without a user is answered in the same way, without a call: there is nobody to
ask about, now or at Entra's retry, and a token without a user's claims says nothing untrue. Everything else that is
not a 200 with a JSON object fails.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from claims.downstream.api import Downstream
from claims.downstream.credentials import create_token_cache
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.settings.claim_names import ClaimNames
from claims.settings.reader import ProviderSettings, is_local

URL: Final = "Claims__ProfileApi__Url"
SCOPE: Final = "Claims__ProfileApi__Scope"
CLAIMS: Final = "Claims__ProfileApi__Claims"


class ProfileApiProvider:
    """Asks the profile API about the user.

    Args:
        downstream: calls it.
        url: without a slash at the end.
        names: the members that become claims.
    """

    def __init__(self, downstream: Downstream, url: str, names: ClaimNames) -> None:
        self._downstream = downstream
        self._url = url
        self._names = names

    def start(self) -> None:
        """Get the first token before the first sign-in."""
        self._downstream.start()

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Give the chosen members of the user's profile.

        Raises:
            ProviderFailed: see `claims.downstream.api.Downstream.get_object`.
        """
        user = event.context.user
        if user is None:
            return {}
        profile = await self._downstream.get_object(f"{self._url}/{quote(user.id, safe='')}", context)
        return {} if profile is None else self._names.select(profile)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._downstream.aclose()


def create(environ: Mapping[str, str]) -> ProfileApiProvider:
    """Create the provider from its settings.

    Raises:
        SettingsError: naming those at fault.
    """
    settings = ProviderSettings(environ)
    url = settings.url(URL)
    scope = settings.text(SCOPE) if is_local(url) else settings.required(SCOPE)
    names = settings.claim_names(CLAIMS)
    settings.require_good()
    return ProfileApiProvider(Downstream(create_token_cache(scope, environ) if scope else None), url, names)
