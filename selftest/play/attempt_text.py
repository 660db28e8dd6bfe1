"""Write one attempt of a call as a line of text."""

from typing import Final

from selftest.base.printable import printable
from selftest.play.caller import Attempt

_BAR_WIDTH: Final = 30


def timing(attempt: Attempt, *, timeout_ms: int) -> str:
    """Return a line with a bar in which the full width is the timeout, the time, the status and the failure."""
    share = min(1.0, max(0.0, attempt.latency_ms / timeout_ms))
    filled = max(1, round(share * _BAR_WIDTH))
    bar = "#" * filled + "." * (_BAR_WIDTH - filled)
    status = "" if attempt.status is None else f"  HTTP {attempt.status}"
    if attempt.headers_s is not None:
        status += f", headers after {(attempt.headers_s - attempt.due_s) * 1000:.0f} ms"
    failure = "" if attempt.failure is None else f"  {attempt.failure}: {printable(attempt.detail)}"
    return f"[{bar}] {attempt.latency_ms:.0f} of {timeout_ms} ms{status}{failure}"
