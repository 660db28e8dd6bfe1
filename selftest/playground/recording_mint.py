"""The contents of the callouts' tokens, for the page: decoded, because a token authenticates its holder."""

import time
from typing import Any

from selftest.base.compact_token import decoded_token
from selftest.entra.token_mint import EntraVersion, TokenMint
from selftest.signin.server import SignInServer


class RecordingMint(TokenMint):
    """Mints as the emulated Entra does, and records the contents of the callouts' tokens, without the tokens.

    Args:
        entra: The emulated Entra, listening.

    Attributes:
        seen: Header and claims of each token, in order.
    """

    def __init__(self, entra: SignInServer) -> None:
        issuer = entra.mint.issuer("2.0")
        super().__init__(entra.tenant, entra.authority_url, entra.keys, time.time, issuer_v2=issuer)
        self.seen: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def callout_token(self, version: EntraVersion = "2.0", **changes: object) -> str:
        """Mint the callout's token, and record its contents."""
        token = super().callout_token(version, **changes)
        self.seen.append(decoded_token(token))
        return token
