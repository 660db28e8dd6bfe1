"""``python -m benchmarks``: measure, print, and write results.md."""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks import cold_start, endpoint, engine, handler, machine, real_downstream, start_up
from benchmarks.days import bad_days, shared_cache
from benchmarks.host import host_process, on_host
from benchmarks.sdks import with_sdks
from benchmarks.servers import FASTAPI, HANDWRITTEN_GRAPH
from benchmarks.table import Part, show, write
from selftest.host.process import AppStartError

#: In the order of a full run; each in a separate process, so that none is affected by another.
PARTS: Final[dict[str, Callable[[], Part]]] = {
    "handler": handler.part,
    "endpoint": lambda: asyncio.run(endpoint.measure()),
    "real-downstream": lambda: asyncio.run(real_downstream.measure()),
    "sdks": lambda: asyncio.run(with_sdks.measure()),
    "shared-cache": lambda: asyncio.run(shared_cache.measure()),
    "microsoft-host": lambda: asyncio.run(on_host.measure()),
    "engine": engine.part,
    "cold-start": lambda: asyncio.run(cold_start.measure()),
    "bad-days": lambda: asyncio.run(bad_days.measure()),
    "start-up": start_up.part,
}
_NEED_PEERS: Final = frozenset({"endpoint", "real-downstream", "sdks", "microsoft-host", "cold-start", "bad-days"})

#: Of parts that need what not every machine has: why it cannot be measured here, or nothing.
_MAY_BE_SKIPPED: Final = {"microsoft-host": host_process.missing, "shared-cache": shared_cache.missing}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one part, or all.

    Returns:
        0 if everything that must hold does, 1 if something does not, 2 if it cannot run, 3 if the machine was too busy,
        130 if it was interrupted.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Repeatable measurements.")
    parser.add_argument("part", nargs="?", choices=tuple(PARTS), help="one part (default: all, 27 minutes)")
    parser.add_argument("--profile", action="store_true", help="handler: show where the time goes instead")
    args = parser.parse_args(arguments)
    if args.profile:
        handler.profile()
        return 0
    if (why := _obstacle(args.part)) is not None:
        print(why, file=sys.stderr)
        return 2
    if args.part is None:
        return _run_all()
    if args.part in _MAY_BE_SKIPPED and (why := _MAY_BE_SKIPPED[args.part]()):
        print(f"SKIP {args.part}: {why}")
        return 0
    try:
        part = PARTS[args.part]()
    except AppStartError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    show(part)
    write(part)
    return part.exit_code


def _run_all() -> int:
    codes = []
    try:
        for part in PARTS:
            command = [sys.executable, "-m", "benchmarks", part]
            codes.append(subprocess.run(command, check=False).returncode)  # noqa: S603 (this program again)
    except KeyboardInterrupt:
        return 130
    return min((code for code in codes if code), default=0)


def _obstacle(part: str | None) -> str | None:
    if not machine.is_measurable():
        return "the benchmarks read /proc, which only Linux has; run them there, or in a container"
    if part in {None, *_NEED_PEERS} and (missing := FASTAPI.missing() + HANDWRITTEN_GRAPH.missing()):
        return f"not installed: {', '.join(missing)}. Run 'make bench', or 'make .venv-bench' and its bin/python"
    return None


if __name__ == "__main__":
    sys.exit(main())
