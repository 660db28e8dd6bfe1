"""How long the program waits for the directory, whose replicas take seconds to agree.

Nothing is documented about these times; public reports speak of seconds for new objects and of a minute at worst.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """All in seconds.

    Attributes:
        settle_s: until a write can be read back.
        doubt_s: until an object shows up whose making was refused or not answered.
        absent_looks: so often an object without a unique name is looked for before it is made.
        between_s: two looks.
        validate_s: until Entra's validation has nothing to say.
        clock: monotonic.
        sleep: waits.
    """

    settle_s: float = 60.0
    doubt_s: float = 15.0
    absent_looks: int = 3
    between_s: float = 2.0
    validate_s: float = 120.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
