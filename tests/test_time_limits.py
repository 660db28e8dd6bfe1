"""No test needs a quiet machine: what should come gets twenty seconds, and what should not come gets less than half."""

import re
from pathlib import Path

ROOT = Path(__file__).parent
#: How long a test waits, and the most that a time may be which it has just measured, in seconds.
LIMITS = (
    re.compile(r"(?:asyncio\.timeout\(|wait_for\(.*, (?:timeout=)?)([0-9.]+)\)"),
    re.compile(r"(?:time\.(?:monotonic|perf_counter)\(\)|\.time\(\)) - \w+ < ([0-9.]+)$"),
)


def _near(line: str) -> bool:
    return any(0.5 <= float(limit_s) < 20 for pattern in LIMITS for limit_s in pattern.findall(line))


def test_no_limit_is_near() -> None:
    """A limit that a busy machine reaches fails one run in a hundred, and says nothing about the code."""
    files = [path for path in sorted(ROOT.rglob("test_*.py")) if "node_modules" not in path.parts]
    lines = [(path.relative_to(ROOT), line) for path in files for line in path.read_text().splitlines()]
    assert [f"{path}: {line.strip()}" for path, line in lines if _near(line)] == []


def test_a_near_limit_is_found() -> None:
    """Of both kinds."""
    for limit_s, near in ((0.03, False), (0.5, True), (19.9, True), (20, False)):
        assert _near(f"    async with asyncio.timeout({limit_s}):") is near
        assert _near(f"    assert time.monotonic() - began_s < {limit_s}") is near
