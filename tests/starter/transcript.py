"""The steps of a page: files that it shows, changes to them, and commands with what they print.

The first line of a block names a language and a file: ``diff`` changes lines of the file, another one writes it. A
``console`` block has commands after ``$`` and what they print. In an output "…" stands for anything within a line, a
line of only "…" for any lines, and a number with a unit for any number, as each port: they differ from run to run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER: Final = re.compile(r"\d[\d,.]*(?= ?(?:ms|s|/s|%|kB|MB)(?!\w))|(?<=127\.0\.0\.1:)\d+")
_MARK: Final = "\0"
_ANYTHING: Final = "…"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is written."""

    path: str
    text: str

    def apply(self, folder: Path) -> None:
        """Write it."""
        (folder / self.path).write_text(self.text)


@dataclass(frozen=True, slots=True)
class Change:
    """Lines that are replaced in a file."""

    path: str
    before: str
    after: str

    def apply(self, folder: Path) -> None:
        """Replace them, which must be there once."""
        text = (folder / self.path).read_text()
        assert text.count(self.before) == 1, f"{self.path} does not have once:\n{self.before}"
        (folder / self.path).write_text(text.replace(self.before, self.after))


@dataclass(frozen=True, slots=True)
class Command:
    """A command and what the page shows of its output."""

    line: str
    shown: str

    def missing(self, printed: str) -> str | None:
        """Return the first line shown that was not printed, in this order; None if all were."""
        lines = iter(printed.splitlines())
        for shown in self.shown.splitlines():
            if shown.strip() in {"", _ANYTHING}:
                continue
            pattern = re.compile(_pattern(shown))
            if not any(pattern.fullmatch(line.rstrip()) for line in lines):
                return shown
        return None


def _pattern(shown: str) -> str:
    """Return what a line of an output has to match."""
    words = re.escape(_NUMBER.sub(_MARK, shown.rstrip()))
    return words.replace(re.escape(_MARK), r"\d[\d,.]*").replace(_ANYTHING, ".*")


def steps(text: str) -> Iterator[File | Change | Command]:
    """Read the steps in their order."""
    for kind, path, block in _BLOCK.findall(text):
        if kind == "console":
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                line, _, shown = part.partition("\n")
                yield Command(line, shown)
        elif kind == "diff":
            lines = [(line[:1], f"{line[1:]}\n") for line in block.splitlines()]
            before = "".join(line for sign, line in lines if sign != "+")
            yield Change(path, before, "".join(line for sign, line in lines if sign != "-"))
        elif path:
            yield File(path, block)
