"""The table of docs/any-language.md: each endpoint, each mistake, and the first finding that counts.

The verdicts are kept in ``verdicts.json``. Each run of a verdict is compared with it; ``FOREIGN_RECORD=1`` writes it
instead. ``make docs`` writes the table into the page.
"""

import json
import os
from typing import Final

from tests.checkout import ROOT
from tests.foreign.programs import FOLDER, MISTAKES, PROGRAMS, Program

PAGE: Final = ROOT / "docs" / "any-language.md"
_FILE: Final = FOLDER / "verdicts.json"
_BEGIN, _END = "<!-- verdicts -->\n", "<!-- /verdicts -->"
_PASSES: Final = "passes"
_WITH: Final = {"body-before-token": "`--strict`", "token-in-log": "`--app-log`"}
#: In a table of verdicts: this endpoint cannot make this mistake.
_NONE: Final = "-"

#: The first findings that count, by endpoint and version; None: there is none.
type _Verdicts = dict[str, dict[str, str | None]]


def _verdicts() -> _Verdicts:
    read: _Verdicts = json.loads(_FILE.read_text()) if _FILE.exists() else {}
    return read


def recorded(program: Program, version: str, first: str | None) -> str | None:
    """Return the first finding that is on record; record this one where FOREIGN_RECORD is set."""
    verdicts = _verdicts()
    if os.environ.get("FOREIGN_RECORD"):
        verdicts.setdefault(program.id, {})[version] = first
        _FILE.write_text(json.dumps(verdicts, indent=2, sort_keys=True) + "\n")
    return verdicts[program.id][version]


def table() -> str:
    """Return the table, with what its ids mean below."""
    verdicts = _verdicts()
    heads = [f"{mistake} ({_WITH[mistake]})" if mistake in _WITH else mistake for mistake in MISTAKES]
    lines = [_row("endpoint", "correct", *heads), _row(*["---"] * (len(heads) + 2))]
    for program in PROGRAMS:
        found = verdicts.get(program.id, {})
        correct = {_cell(found[version]) for version in program.correct}
        lines.append(_row(program.title, ", ".join(correct), *(_mistake(found, mistake) for mistake in MISTAKES)))
    firsts = {first for found in verdicts.values() for first in found.values() if first is not None}
    meaning = [f"- `{check}`: {sentence}" for check, sentence in sorted(first.split(" ", 1) for first in firsts)]
    return "\n".join([*lines, "", *meaning, ""])


def with_table(page: str) -> str:
    """Return a page with the table between its marks."""
    before, rest = page.split(_BEGIN)
    return before + _BEGIN + table() + _END + rest.split(_END)[1]


def _mistake(found: dict[str, str | None], mistake: str) -> str:
    return _cell(found[mistake]) if mistake in found else _NONE


def _cell(first: str | None) -> str:
    return _PASSES if first is None else f"`{first.split(' ', 1)[0]}`"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
