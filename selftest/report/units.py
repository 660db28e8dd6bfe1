"""Numbers as people read them: a thousands comma, the unit beside the figure, no digit that means nothing."""


def count(number: int) -> str:
    """Write a whole number."""
    return f"{number:,}"


def milliseconds(value_ms: float) -> str:
    """Write a time; short ones with digits behind the dot, because that is where they differ."""
    digits = 0 if value_ms == 0 or abs(value_ms) >= 10 else 1 if abs(value_ms) >= 1 else 2
    return f"{value_ms:,.{digits}f} ms"


def seconds(value_s: float) -> str:
    """Write a length of time in the largest unit that leaves a figure over one."""
    if value_s < 120:
        return f"{value_s:.3g} s"
    if value_s < 7200:
        return f"{value_s / 60:.3g} min"
    return f"{value_s / 3600:.3g} h"


def percent(share: float) -> str:
    """Write a share of 0 to 1, with the two or three digits that count."""
    value = share * 100
    return f"{value:.3g} %" if value >= 10 else f"{value:.2g} %"


def share(part: float) -> str:
    """Write a part of a whole among other parts, 0 to 1, so that they stand in a column."""
    return f"{part * 100:.1f} %" if part == 0 or part >= 0.0005 else "under 0.1 %"


def per_second(rate_per_s: float) -> str:
    """Write a rate."""
    return f"{rate_per_s:,.4g}/s" if rate_per_s < 1000 else f"{rate_per_s:,.0f}/s"


def kilobytes(value_kb: float) -> str:
    """Write an amount of memory, given in units of 1024 bytes."""
    return f"{value_kb / 1024:,.1f} MiB"
