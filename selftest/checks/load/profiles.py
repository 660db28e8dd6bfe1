"""L05 to L08: properties that only hours, rising rates or a spike of load show."""

from typing import Final

from selftest.checks.bench.environment import CheckEnvironment, CheckNeed
from selftest.checks.expectations import skipped
from selftest.checks.load.budget import decided, invalid_run, load_of
from selftest.checks.load.causes import fix_by_code
from selftest.checks.registry import CheckOutcome, check

_SOAK: Final[frozenset[CheckNeed]] = frozenset({"load", "soak"})
#: More growth over the second half of a soak than an allocator causes.
_MEMORY_SHARE: Final = 0.05
_LATENCY_SHARE: Final = 0.2
#: A share of a very small median is noise.
_LATENCY_NOISE_MS: Final = 5.0
_MIN_SOAK_SAMPLES: Final = 20
_RECOVERY_S: Final = 10.0
_HOUR_S: Final = 3600.0


@check("L05", needs=_SOAK)
async def keeps_its_memory(env: CheckEnvironment) -> CheckOutcome:
    """Compare the rise of the trend with the memory's size."""
    load = load_of(env)
    half_s = load.config.duration_s / 2
    expected = f"a rise of at most {_MEMORY_SHARE * 100:.0f} % over the second half"
    later = sorted(sample.resident_kb for sample in load.memory if sample.at_s >= half_s)
    rise_per_hour = (load.drift or {}).get("memory_kb_per_hour")
    if len(later) < _MIN_SOAK_SAMPLES or rise_per_hour is None:
        return skipped(expected, f"{len(later)} samples are too few for a trend")
    size_kb = later[len(later) // 2]
    rise_kb = rise_per_hour * half_s / _HOUR_S
    actual = f"{rise_kb:+,.0f} kB over {half_s:,.0f} s at {size_kb:,} kB ({rise_kb / size_kb * 100:+.2f} %)"
    return decided(expected, actual, good=rise_kb <= _MEMORY_SHARE * size_kb)


@check("L06", needs=frozenset({"load", "step"}))
async def holds_every_rate(env: CheckEnvironment) -> CheckOutcome:
    """Report the highest rate that holds, and the first that does not."""
    load = load_of(env)
    rates = ", ".join(f"{step.rate_per_s:g}" for step in load.steps)
    expected = f"{rates} a second hold"
    held = len(load.held_steps)
    if held == len(load.steps):
        return decided(expected, load.sentence, good=True)
    broken = load.steps[held]
    if not broken.valid:
        return skipped(expected, load.sentence)
    missed = (
        f"{broken.first_calls_missed:,} of {broken.signins:,} calls fail or are late, {broken.lost:,} sign-ins are lost"
    )
    actual = f"{load.sentence}; at {broken.rate_per_s:g}/s {missed}"
    return decided(expected, actual, good=False, latency_ms=broken.p99_ms, fix=fix_by_code(load))


@check("L07", needs=frozenset({"load", "spike"}), recovery_s=f"{_RECOVERY_S:.0f}")
async def recovers(env: CheckEnvironment) -> CheckOutcome:
    """Judge the time until the latency was back."""
    load = load_of(env)
    expected = f"back within {_RECOVERY_S:.0f} s"
    if (skip := invalid_run(load, expected)) is not None:
        return skip
    if load.recovery_s is None:
        return decided(expected, "the latency was not back when the run ended", good=False)
    return decided(expected, f"back after {load.recovery_s:g} s", good=load.recovery_s <= _RECOVERY_S)


@check("L08", needs=_SOAK)
async def keeps_its_pace(env: CheckEnvironment) -> CheckOutcome:
    """Compare the rise of the trend with the median."""
    load = load_of(env)
    expected = "a rise of the median of at most 20 % over the second half"
    if (skip := invalid_run(load, expected)) is not None:
        return skip
    rise_per_hour = (load.drift or {}).get("p50_ms_per_hour")
    if rise_per_hour is None or load.latency is None:
        return skipped(expected, "the run is too short for a trend")
    rise_ms = rise_per_hour * load.config.duration_s / 2 / _HOUR_S
    actual = f"{rise_ms:+,.2f} ms at a median of {load.latency.p50_ms:,.2f} ms"
    return decided(expected, actual, good=rise_ms <= max(_LATENCY_NOISE_MS, _LATENCY_SHARE * load.latency.p50_ms))
