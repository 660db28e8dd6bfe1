"""How long a command waits for the directory, whose replicas take seconds to agree.

These times are not documented; public reports mention seconds for new objects and at most a minute.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitTimes:
    """Times in seconds.

    Attributes:
        settle_s: Until a write can be read back.
        doubt_s: Until an object appears whose creation was refused or not answered.
        absent_reads: How often an object without a unique name is read before it is created.
        between_s: Between two reads.
        validate_s: Until Entra's validation reports nothing.
    """

    settle_s: float = 60.0
    doubt_s: float = 15.0
    absent_reads: int = 3
    between_s: float = 2.0
    validate_s: float = 120.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
