"""Numbers for readers: with thousands separators, units, and significant digits only."""


def count(number: int) -> str:
    """Return a whole number with thousands separators."""
    return f"{number:,}"


def milliseconds(value_ms: float) -> str:
    """Return a time in milliseconds; short ones with decimals, because they differ there."""
    digits = 0 if value_ms == 0 or abs(value_ms) >= 10 else 1 if abs(value_ms) >= 1 else 2
    return f"{value_ms:,.{digits}f} ms"


def seconds(value_s: float) -> str:
    """Return a duration in seconds, minutes or hours."""
    if value_s < 120:
        return f"{value_s:.3g} s"
    if value_s < 7200:
        return f"{value_s / 60:.3g} min"
    return f"{value_s / 3600:.3g} h"


def percent(share: float) -> str:
    """Return a share of 0 to 1 as a percentage with two or three significant digits; 100 % is all of it."""
    value = share * 100 if share == 1 else min(share * 100, 99.9)
    return f"{value:.3g} %" if value >= 10 else f"{value:.2g} %"


def share(part: float) -> str:
    """Return a share of 0 to 1 as a percentage with one decimal, for a column of shares."""
    return f"{part * 100:.1f} %" if part == 0 or part >= 0.0005 else "under 0.1 %"


def per_second(rate_per_s: float) -> str:
    """Return a rate a second."""
    return f"{rate_per_s:,.4g}/s" if rate_per_s < 1000 else f"{rate_per_s:,.0f}/s"


def kilobytes(value_kb: float) -> str:
    """Return an amount of memory in MiB, given in units of 1024 bytes."""
    return f"{value_kb / 1024:,.1f} MiB"
