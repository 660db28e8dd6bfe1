"""The table of docs/any-language.md: each endpoint, each mistake, and the first finding that counts.

The verdicts are kept in ``verdicts.json``. Each run of a verdict is compared with it; ``FOREIGN_RECORD=1`` writes it
instead. ``make docs`` writes the table into the page.
"""

import json
import os
from typing import Final

from selftest.checks import REGISTRY
from tests.checkout import ROOT
from tests.foreign.programs import FOLDER, MISTAKES, PROGRAMS, Program

PAGE: Final = ROOT / "docs" / "any-language.md"
_FILE: Final = FOLDER / "verdicts.json"
_BEGIN, _END = "<!-- verdicts -->\n", "<!-- /verdicts -->"
_PASSES: Final = "passes"
_WITH: Final = {"body-before-token": "`--strict`", "token-in-log": "`--app-log`"}
#: In a table of verdicts: there is no such version of the endpoint.
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
    """Return the table, with what the first finding says below."""
    verdicts = _verdicts()
    heads = [f"{mistake} ({_WITH[mistake]})" if mistake in _WITH else mistake for mistake in MISTAKES]
    lines = [_row("endpoint", "correct", *heads), _row(*["---"] * (len(heads) + 2))]
    for program in PROGRAMS:
        found = verdicts.get(program.id, {})
        correct = dict.fromkeys(_version(found, version) for version in program.correct)
        lines.append(_row(program.title, ", ".join(correct), *(_version(found, mistake) for mistake in MISTAKES)))
    meaning = [f"- {mistake}: {', '.join(_firsts(verdicts, mistake))}" for mistake in MISTAKES]
    return "\n".join([*lines, "", *meaning, ""])


def with_table(page: str) -> str:
    """Return a page with the table between its marks."""
    before, rest = page.split(_BEGIN)
    return before + _BEGIN + table() + _END + rest.split(_END)[1]


def _firsts(verdicts: _Verdicts, mistake: str) -> list[str]:
    """Return what endpoints with this mistake are told first: the same everywhere, or else each."""
    firsts = {first for found in verdicts.values() if (first := found.get(mistake)) is not None}
    return [_failed(*first.split(" ", 1)) for first in sorted(firsts)]


def _failed(check: str, sentence: str) -> str:
    expects = f", which expects that the endpoint {sentence}"
    return f"fails `{check}`{expects if sentence == REGISTRY[check].title else f': {sentence}'}"


def _version(found: dict[str, str | None], version: str) -> str:
    return _cell(found[version]) if version in found else _NONE


def _cell(first: str | None) -> str:
    return _PASSES if first is None else f"`{first.split(' ', 1)[0]}`"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
