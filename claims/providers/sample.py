"""The claims of Microsoft's how-to, so that a first sign-in can be compared with the documentation.

Source: entra-docs ``custom-extension-tokenissuancestart-setup.md``: correlation id, API version, date of birth, roles.
"""

from collections.abc import Mapping
from typing import Final

from claims.event import TokenIssuanceStart
from claims.provider import ProviderContext

SETTINGS: Final = ()

_API_VERSION: Final = "1.0.0"


class SampleProvider:
    """Returns the same claims for every user. Replace the mapping with what you know about ``event.context.user``."""

    claim_names = frozenset({"CorrelationId", "ApiVersion", "DateOfBirth", "CustomRoles"})

    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Return the how-to's claims; the correlation id leads from the token to the sign-in log."""
        del context  # nothing here takes time
        return {
            "CorrelationId": event.context.correlation_id,
            "ApiVersion": _API_VERSION,
            "DateOfBirth": "01/01/2000",
            "CustomRoles": ["Writer", "Editor"],
        }


def create(environ: Mapping[str, str]) -> SampleProvider:
    """Create the provider; it has no settings."""
    del environ
    return SampleProvider()
