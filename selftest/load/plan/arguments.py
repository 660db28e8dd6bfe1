"""The flags of ``load``, and the plan that they describe."""

import argparse
import math
import re
from typing import Final

from selftest.base.cannot_run import CannotRun
from selftest.base.flag_values import timeout_in_ms, whole_number
from selftest.contract import MAX_RETRIES, MAX_TIMEOUT_MS, MIN_TIMEOUT_MS
from selftest.load.measured.thresholds import threshold
from selftest.load.plan.profiles import LoadPlan, bounded, spike, steady, steps
from selftest.load.plan.schedule import Segment
from selftest.report.load_result import LoadConfig, Profile

_UNITS_S: Final = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)(ms|s|m|h|)", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)
_DEFAULT_DURATION_S: Final = {"load": 60.0, "soak": 1800.0, "spike": 60.0}
_MAX_STEPS: Final = 50
_MAX_COLD_STARTS: Final = 20
_MAX_TIMEOUT_MS: Final = 60_000
#: The number of ports limits the connections from one client address to one server.
_MAX_IN_FLIGHT: Final = 20_000
_LOCAL_COLD_STARTS: Final = 3
_DEFAULT_STEPS: Final = (10.0, 50.0, 100.0)
_DEFAULT_STEP_S: Final = 30.0
_DEFAULT_SPIKE: Final = 200.0
_DEFAULT_SPIKE_S: Final = 5.0


def add_load_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the load and of its limits."""
    group = parser.add_argument_group("the load")
    group.add_argument(
        "--profile",
        choices=("load", "soak", "step", "spike"),
        help="the profile (default: the one that --steps or --spike implies, else load)",
    )
    group.add_argument("--rate", type=_rate, default=20.0, metavar="N", help="sign-ins per second (default: 20)")
    group.add_argument(
        "--duration",
        type=_some_time,
        metavar="T",
        help="90, 90s, 5m, 1h (default: 60s; soak: 30m; step: the sum of all steps)",
    )
    group.add_argument(
        "--warmup",
        type=duration_s,
        default=5.0,
        metavar="T",
        help="duration of the warm-up, which opens the first connections and is measured separately (default: 5s)",
    )
    group.add_argument("--arrivals", choices=("constant", "poisson"), default="constant", help="(default: %(default)s)")
    group.add_argument(
        "--seed",
        type=whole_number(0, 2**31 - 1),
        default=1,
        metavar="N",
        help="seed of Poisson arrivals and of the mix of events (default: 1)",
    )
    group.add_argument("--steps", type=_rates, metavar="N,N,…", help="rates of a step run (default: 10,50,100)")
    group.add_argument("--step-duration", type=_some_time, metavar="T", help="duration of each step (default: 30s)")
    group.add_argument("--spike", type=_rate, metavar="N", help="rate of the spike (default: 200)")
    group.add_argument("--spike-duration", type=_some_time, metavar="T", help="duration of the spike (default: 5s)")
    group.add_argument(
        "--cold",
        type=whole_number(0, _MAX_COLD_STARTS),
        metavar="N",
        help=f"number of cold starts to measure (default: {_LOCAL_COLD_STARTS} with the local app, 0 with --url)",
    )
    group.add_argument("--yes", action="store_true", help="consent to more than 50/s for another machine")
    _add_rule_arguments(parser)


def _add_rule_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("Entra's rules and the limits of the run")
    group.add_argument(
        "--budget-ms",
        type=timeout_in_ms,
        default=MAX_TIMEOUT_MS,
        metavar="MS",
        help=f"Entra's timeout of one attempt, {MIN_TIMEOUT_MS} to {MAX_TIMEOUT_MS} (default: %(default)s)",
    )
    group.add_argument(
        "--timeout-ms",
        type=whole_number(MIN_TIMEOUT_MS, _MAX_TIMEOUT_MS),
        default=10_000,
        metavar="MS",
        help="how long this tool listens for an answer, to measure late ones (default: %(default)s)",
    )
    group.add_argument("--retries", type=int, choices=range(MAX_RETRIES + 1), default=1, help="(default: %(default)s)")
    group.add_argument(
        "--max-in-flight",
        type=whole_number(1, _MAX_IN_FLIGHT),
        default=2000,
        metavar="N",
        help="concurrent attempts; further calls are dropped, which invalidates the run (default: %(default)s)",
    )
    group.add_argument(
        "--max-missed-percent",
        type=_percent,
        default=1.0,
        metavar="P",
        help="share of calls that may fail or be late at the first attempt (default: 1)",
    )
    group.add_argument(
        "--threshold",
        type=_threshold,
        action="append",
        default=[],
        metavar="EXPR",
        help="your own, as in k6: 'p95<300', 'max<1.5s', 'errors<1%%', 'missed<0.5%%', 'lost<=0'; may be repeated; "
        "exit code 1 when one is crossed",
    )
    group.add_argument(
        "--confidence", type=_percent, default=99.0, metavar="P", help="confidence of the verdict (default: 99)"
    )


def plan_of(args: argparse.Namespace) -> LoadPlan:
    """Return the plan that the flags describe.

    Raises:
        CannotRun: The flags contradict each other or exceed a limit.
    """
    profile = _profile(args)
    if args.duration is not None and profile == "step":
        raise CannotRun("--duration cannot be used with a step run: its duration is --steps times --step-duration")
    segments = _segments(args, profile)
    cold = args.cold
    if cold is None:
        cold = _LOCAL_COLD_STARTS if args.url is None else 0
    elif cold and args.url is not None:
        raise CannotRun("--cold cannot be used with --url: workers of an endpoint elsewhere cannot be started")
    config = LoadConfig(
        profile=profile,
        rate_per_s=max(segment.rate_per_s for segment in segments),
        duration_s=round(math.fsum(segment.duration_s for segment in segments), 6),
        warmup_s=args.warmup,
        arrivals=args.arrivals,
        budget_ms=args.budget_ms,
        timeout_ms=args.timeout_ms,
        max_retries=args.retries,
        max_in_flight=args.max_in_flight,
        seed=args.seed,
        max_missed_share=args.max_missed_percent / 100,
        thresholds=tuple(args.threshold),
    )
    plan = LoadPlan(config=config, segments=segments, confidence=args.confidence / 100, cold_starts=cold)
    return bounded(plan)


def short_plan(*, cold_starts: int) -> LoadPlan:
    """Return the load of ``run``: enough calls to prove 1 % with 99 % confidence with one miss (662)."""
    rate_per_s, length_s = 120.0, 6.0
    config = LoadConfig(
        profile="load",
        rate_per_s=rate_per_s,
        duration_s=length_s,
        warmup_s=1.0,
        arrivals="constant",
        budget_ms=MAX_TIMEOUT_MS,
        timeout_ms=10_000,
        max_retries=MAX_RETRIES,
        max_in_flight=2000,
        seed=1,
    )
    return LoadPlan(config=config, segments=steady(rate_per_s, length_s), cold_starts=cold_starts)


def _profile(args: argparse.Namespace) -> Profile:
    """Return the profile that was chosen, or the one that the other flags imply.

    Raises:
        CannotRun: The flags imply another profile.
    """
    of_flags: dict[Profile, tuple[str, ...]] = {
        "step": ("steps", "step_duration"),
        "spike": ("spike", "spike_duration"),
    }
    implied = [profile for profile, names in of_flags.items() if any(getattr(args, name) is not None for name in names)]
    named: Profile | None = args.profile
    if len(implied) > 1 or (implied and named not in {None, implied[0]}):
        raise CannotRun(
            "choose one profile: --steps and --step-duration are for step, --spike and --spike-duration for spike"
        )
    return named or (implied[0] if implied else "load")


def _segments(args: argparse.Namespace, profile: Profile) -> tuple[Segment, ...]:
    if profile == "step":
        return steps(args.steps or _DEFAULT_STEPS, args.step_duration or _DEFAULT_STEP_S)
    length_s = _DEFAULT_DURATION_S[profile] if args.duration is None else args.duration
    if profile == "spike":
        return spike(args.rate, length_s, args.spike or _DEFAULT_SPIKE, args.spike_duration or _DEFAULT_SPIKE_S)
    return steady(args.rate, length_s)


def duration_s(text: str) -> float:
    """Return ``90``, ``90s``, ``5m``, ``1h`` or ``500ms`` in seconds.

    Raises:
        argparse.ArgumentTypeError: The text is not a duration.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected a duration such as 90, 90s, 5m or 1h, got {text!r}")
    return float(found[1]) * _UNITS_S[found[2]]


def _some_time(text: str) -> float:
    value_s = duration_s(text)
    if value_s <= 0:
        raise argparse.ArgumentTypeError(f"expected a duration above 0, got {text!r}")
    return value_s


def _rate(text: str) -> float:
    if _NUMBER.fullmatch(text) is None or float(text) < 0.01:
        raise argparse.ArgumentTypeError(f"expected a rate per second, 0.01 or more, got {text!r}")
    return float(text)


def _rates(text: str) -> tuple[float, ...]:
    rates = tuple(map(_rate, text.split(",")))
    if len(rates) > _MAX_STEPS or list(rates) != sorted(set(rates)):
        raise argparse.ArgumentTypeError(
            f"expected at most {_MAX_STEPS} rates, each higher than the last, got {text!r}"
        )
    return rates


def _threshold(text: str) -> str:
    try:
        return threshold(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _percent(text: str) -> float:
    if _NUMBER.fullmatch(text) is None or not 0 < float(text) < 100:
        raise argparse.ArgumentTypeError(f"expected a percentage above 0 and below 100, got {text!r}")
    return float(text)
