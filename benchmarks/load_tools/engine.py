"""The harness's own load engine against one URL, for the truth test: prints its samples as JSON."""

import argparse
import asyncio
import json
from pathlib import Path

from yarl import URL

from selftest.load.engine import Limits, Prepared, Sample, run_open_loop
from selftest.play.caller import caller_session


async def _run(url: str, rate_per_s: float, duration_s: float, body: bytes) -> list[Sample]:
    request = Prepared({"Content-Type": "application/json"}, body)
    samples: list[Sample] = []
    async with caller_session() as session:
        due_s = [number / rate_per_s for number in range(round(rate_per_s * duration_s))]
        await run_open_loop(session, URL(url), due_s, lambda _: request, samples.append, limits=Limits(max_retries=0))
    return samples


def main() -> None:
    """Run, and print latencies from due and lateness, in milliseconds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load_tools.engine")
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--duration-s", type=float, required=True)
    parser.add_argument("--body", type=Path, required=True)
    args = parser.parse_args()
    samples = asyncio.run(_run(args.url, args.rate, args.duration_s, args.body.read_bytes()))
    first = [sample.attempts[0] for sample in samples if sample.attempts]
    latencies_ms = [attempt.latency_ms for attempt in first]
    late_ms = [(attempt.sent_s - attempt.due_s) * 1000 for attempt in first]
    print(json.dumps({"latencies_ms": latencies_ms, "late_ms": late_ms}))


if __name__ == "__main__":
    main()
