"""Claims from an HTTP API of your own: ``GET {url}/{userId}`` answers with a JSON object of claims.

The id is the user's object id in Entra, a GUID.

A plain http URL is accepted only for a loopback host outside Azure, and needs no scope. Without a scope the API is
called without a token, as a stub on a developer's machine expects. With one the token is sent, to that loopback host
too. An https URL always needs a scope.

404 is a user without claims. An event without a user gets no claims either, without a call: there is nobody to ask
about, now or at Entra's retry, and a token without a user's claims says nothing untrue. Every other answer that is not
a 200 with a JSON object fails.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from claims.downstream.api import Downstream
from claims.downstream.credentials import create_token_cache
from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext
from claims.settings.claim_names import ClaimNames
from claims.settings.reader import SettingsReader
from claims.wire.urls import is_plain_http

URL: Final = "Claims__ProfileApi__Url"
SCOPE: Final = "Claims__ProfileApi__Scope"
CLAIMS: Final = "Claims__ProfileApi__Claims"
#: What they mean: docs/settings.md.
SETTINGS: Final = (URL, SCOPE, CLAIMS)


class ProfileApiProvider:
    """Asks the profile API about the user."""

    def __init__(self, downstream: Downstream, url: str, names: ClaimNames) -> None:
        self._downstream = downstream
        self._url = url
        self._names = names
        self.claim_names = names.claims

    def start(self) -> None:
        """Get the first token before the first sign-in."""
        self._downstream.start()

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Return the chosen members of the user's profile.

        Raises:
            ProviderFailed: See `claims.downstream.api.Downstream.get_object`.
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
        SettingsError: Naming the settings at fault.
    """
    settings = SettingsReader(environ, SETTINGS)
    url = settings.url(URL)
    scope = settings.text(SCOPE) if is_plain_http(url) else settings.required(SCOPE)
    names = settings.claim_names(CLAIMS)
    settings.require_good()
    return ProfileApiProvider(Downstream(create_token_cache(scope, environ) if scope else None), url, names)
