"""The requests of a load run: all documented varieties of events, mixed, each with its own correlation id.

An endpoint may join two deliveries of one event, so calls never share an id, not even in different runs. Bodies are
encoded once per variety; a call only inserts its id, which takes a microsecond. Tokens come from a pool, because
signing one takes a third of a millisecond and Entra also uses a token for many calls; in a long run each is replaced
before it expires.
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
#: The emulated Entra's tokens are valid for 3600 s; with half an hour left none is refused.
_REFRESH_S: Final = 1800.0
_MIXED: Final = 1021


class TokenPool:
    """A pool of request headers with valid tokens."""

    def __init__(
        self, mint: Callable[[], str], *, pool: int = _POOL, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._mint = mint
        self._clock = clock
        self._headers = [callout_headers(mint()) for _ in range(pool)]
        self._minted_s = [clock()] * pool

    def headers(self, number: int) -> Mapping[str, str]:
        """Return the headers of a call, with a new token if the old one expires soon."""
        place = number % len(self._headers)
        if self._clock() - self._minted_s[place] > _REFRESH_S:
            self._headers[place] = callout_headers(self._mint())
            self._minted_s[place] = self._clock()
        return self._headers[place]


class CalloutFactory:
    """Makes the requests of one run.

    Args:
        seed: The seed of the order of varieties.
        run_id: Eight random bytes that distinguish this run's correlation ids from those of other runs.
    """

    def __init__(self, tenant: Tenant, tokens: TokenPool, *, seed: int, run_id: bytes | None = None) -> None:
        self._tokens = tokens
        encoded = (encode_event(variety.build(tenant, _PLACE_HOLDER)) for variety in VARIETIES)
        templates = [body.split(_PLACE_HOLDER.encode()) for body in encoded]
        rng = random.Random(seed)  # noqa: S311 - the order must be repeatable
        self._templates = [rng.choice(templates) for _ in range(_MIXED)]
        digits = (run_id or secrets.token_bytes(8)).hex()
        # A random UUID (RFC 9562, version 4), except for its last twelve digits, which count.
        self._prefix = f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[13:16]}-"

    def __call__(self, number: int) -> Prepared:
        """Return the request of a number; each number has its own correlation id."""
        correlation_id = f"{self._prefix}{number:012x}"
        body = correlation_id.encode().join(self._templates[number % _MIXED])
        return Prepared(self._tokens.headers(number), body, correlation_id)
