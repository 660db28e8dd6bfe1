"""How long a client of Graph tries."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Time limits in seconds.

    Attributes:
        deadline_s: For one operation with all its attempts and pages.
        attempt_s: For one attempt.
        first_delay_s: Before the second attempt; it doubles each time.
        max_delay_s: Between two attempts.
        max_retry_after_s: The longest ``Retry-After`` that is waited for.
    """

    deadline_s: float = 120.0
    attempt_s: float = 30.0
    first_delay_s: float = 0.5
    max_delay_s: float = 16.0
    max_retry_after_s: float = 60.0
