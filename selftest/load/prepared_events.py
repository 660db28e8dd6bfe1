"""What is sent: every documented kind of event, mixed, each with a correlation id of its own, made before it is due.

An endpoint may join two deliveries of one event, so no two calls of a run, nor of two runs, share an id. Bodies are
encoded once a variety; a call only puts its id in, which takes a microsecond. Tokens are a pool, because signing one
takes a third of a millisecond and Entra, too, uses a token for many calls; in a long run each is minted anew before it
ends.
"""

import random
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final

from selftest.base.sample_tenant import Tenant
from selftest.entra.payloads import VARIETIES
from selftest.load.engine import Prepared
from selftest.play.caller import callout_headers, encode_event

_PLACE_HOLDER: Final = "00000000-0000-4000-8000-000000000000"
_POOL: Final = 32
#: The emulated Entra's tokens live 3600 s from when they are minted; with half an hour left none is ever refused.
_REFRESH_S: Final = 1800.0
_MIXED: Final = 1021


class TokenPool:
    """Headers with tokens that are valid now.

    Args:
        mint: Makes a token.
        pool: How many there are at a time.
        clock: Monotonic seconds.
    """

    def __init__(
        self, mint: Callable[[], str], *, pool: int = _POOL, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._mint = mint
        self._clock = clock
        self._headers = [callout_headers(mint()) for _ in range(pool)]
        self._minted_s = [clock()] * pool

    def headers(self, number: int) -> Mapping[str, str]:
        """Give the headers of a call; in a run of hours that is now and then a token that has to be minted."""
        place = number % len(self._headers)
        if self._clock() - self._minted_s[place] > _REFRESH_S:
            self._headers[place] = callout_headers(self._mint())
            self._minted_s[place] = self._clock()
        return self._headers[place]


class CalloutFactory:
    """The requests of one run.

    Args:
        tenant: Whose events.
        tokens: Their tokens.
        seed: Of the order of varieties.
        run_id: Eight random bytes that tell this run's correlation ids from those of others.
    """

    def __init__(self, tenant: Tenant, tokens: TokenPool, *, seed: int, run_id: bytes | None = None) -> None:
        self._tokens = tokens
        encoded = (encode_event(variety.build(tenant, _PLACE_HOLDER)) for variety in VARIETIES)
        templates = [body.split(_PLACE_HOLDER.encode()) for body in encoded]
        rng = random.Random(seed)  # noqa: S311 - an order that is to be repeatable
        self._templates = [rng.choice(templates) for _ in range(_MIXED)]
        digits = (run_id or secrets.token_bytes(8)).hex()
        # A random UUID (RFC 9562, version 4) but for its last twelve digits, which count.
        self._prefix = f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[13:16]}-"

    def __call__(self, number: int) -> Prepared:
        """Give the request of a number; each number has its own correlation id."""
        correlation_id = f"{self._prefix}{number:012x}"
        body = correlation_id.encode().join(self._templates[number % _MIXED])
        return Prepared(self._tokens.headers(number), body, correlation_id)
