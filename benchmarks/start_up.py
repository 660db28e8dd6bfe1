"""How long each command of the tool takes to start: a person, and each step of a workflow, waits for it."""

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Final

from benchmarks.rounds import median_of_ratios, shuffled
from benchmarks.servers import ROOT
from benchmarks.table import Must, Part, Table
from selftest.cli import COMMANDS

_ROUNDS: Final = 7
#: Python with what every command line needs: nothing of the tool can be faster.
_FLOOR: Final = "python, argparse"
#: Commands that load nothing but their own few modules.
_LIGHT: Final = "explain 1003005"
#: It is four times; aiohttp or the checks, loaded by mistake, make it fifteen.
MAX_LIGHT_OVER_FLOOR: Final = 8.0
_COUNT: Final = "; import sys; sys.stderr.write(str(len(sys.modules)))"


def part() -> Part:
    """Start every command in turn, again and again."""
    programs = {_FLOOR: ["-c", f"import argparse, importlib{_COUNT}"]}
    programs |= {words: _program(words) for words in (*(f"{name} --help" for name in COMMANDS), _LIGHT)}
    spent_ms: dict[str, list[float]] = defaultdict(list)
    modules: dict[str, str] = {}
    for name, program in programs.items():  # once for the page cache and the compiled modules
        _, modules[name] = _run(program)
    for number in range(_ROUNDS):
        for name in shuffled(tuple(programs), number):
            spent_ms[name].append(_run(programs[name])[0])
    return _part(spent_ms, modules)


def _program(words: str) -> list[str]:
    called = f"from selftest.cli import main\ntry: main({words.split()!r})\nexcept SystemExit: pass\n"
    return ["-c", called + _COUNT.removeprefix("; ")]


def _run(program: Sequence[str]) -> tuple[float, str]:
    """Return the milliseconds from the start of the process to its end, and how many modules it had loaded."""
    start_s = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - this Python, and programs of this module
        [sys.executable, *program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return (time.perf_counter() - start_s) * 1000, done.stderr


def _part(spent_ms: Mapping[str, Sequence[float]], modules: Mapping[str, str]) -> Part:
    quickest_first = sorted(spent_ms.items(), key=lambda item: median(item[1]))
    rows = tuple(
        (name, f"{median(spent):.0f}", f"{median_of_ratios(spent, spent_ms[_FLOOR]):.1f}", modules[name])
        for name, spent in quickest_first
    )
    return Part(
        name="start-up",
        title="Start-up of the tool's commands",
        method=(
            "From the start of the process to its end. Medians of "
            f"{_ROUNDS} interleaved rounds, page cache warm; the modules are those of the process at its end."
        ),
        tables=(Table(title="", columns=("", "ms", "over Python's", "modules"), rows=rows),),
        musts=(
            Must(
                says=f"{_LIGHT} over Python with argparse",
                measured=median_of_ratios(spent_ms[_LIGHT], spent_ms[_FLOOR]),
                limit=MAX_LIGHT_OVER_FLOOR,
            ),
        ),
    )
