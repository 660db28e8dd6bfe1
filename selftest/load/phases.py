"""The phases of a call, as the endpoint reports them in ``Server-Timing``.

The header may contain anything: what is not a phase is ignored, and the number of phases is limited. ``total`` is not a
phase but the endpoint's whole time; the rest of the latency is ``network and host``.

Source: W3C Server Timing (Editor's Draft), section 4: ``name;dur=milliseconds;desc=text``, with commas between.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

OUTSIDE: Final = "network and host"
INSIDE: Final = "rest of the endpoint"
TOTAL: Final = "total"

_MAX_PHASES: Final = 24
_MAX_HEADER_CHARACTERS: Final = 4096
#: Longer than any run may take.
_MAX_MS: Final = 86_400_000.0
_METRIC: Final = re.compile(r"\s*([A-Za-z0-9!#$%&'*+.^_`|~-]{1,40})\s*((?:;[^,]*)?)")
_DURATION: Final = re.compile(r';\s*dur\s*=\s*"?(\d{1,12}(?:\.\d{1,12})?)"?\s*(?:;|$)', re.IGNORECASE | re.ASCII)
#: In this project's endpoint the provider waits for these phases; its own time is the rest.
_WITHIN_PROVIDER: Final = ("downstream_token", "downstream_call")
#: The endpoint's phases. Any other phase is measured by a provider within its own time, under any name.
_KNOWN: Final = frozenset({"token", "keys", "body", "provider", "reply", *_WITHIN_PROVIDER})


def server_timing_ms(headers: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Return the durations by name, in milliseconds; the first of a name counts."""
    text = ",".join(value for name, value in headers if name.lower() == "server-timing")
    found: dict[str, float] = {}
    for part in text[:_MAX_HEADER_CHARACTERS].split(","):
        metric = _METRIC.fullmatch(part)
        duration = None if metric is None else _DURATION.search(metric[2])
        if metric is None or duration is None:
            continue
        spent_ms = float(duration[1])
        if math.isfinite(spent_ms) and spent_ms <= _MAX_MS and len(found) < _MAX_PHASES:
            found.setdefault(metric[1], spent_ms)
    return found


def parts_ms(timing_ms: Mapping[str, float], latency_ms: float) -> dict[str, float]:
    """Return a latency divided into the endpoint's phases, the rest of the endpoint, and network and host.

    The parts add up to the latency if the endpoint's numbers do. Without phases the result is empty.
    """
    if not timing_ms:
        return {}
    parts = {name: spent_ms for name, spent_ms in timing_ms.items() if name not in {TOTAL, INSIDE, OUTSIDE}}
    if "provider" in parts:
        waited_ms = sum(parts.get(name, 0.0) for name in _WITHIN_PROVIDER)
        parts["provider"] = max(0.0, parts["provider"] - waited_ms)
    phases_ms = math.fsum(parts.values())
    total_ms = max(timing_ms.get(TOTAL, phases_ms), 0.0)
    if "provider" in parts and phases_ms > total_ms:
        # More than the total: the phases that the provider measured are part of its own time.
        named_ms = math.fsum(spent_ms for name, spent_ms in parts.items() if name not in _KNOWN)
        parts["provider"] = max(0.0, parts["provider"] - named_ms)
        phases_ms = math.fsum(parts.values())
    if total_ms > phases_ms:
        parts[INSIDE] = total_ms - phases_ms
    parts[OUTSIDE] = max(0.0, latency_ms - total_ms)
    return parts
