"""Files that are cut off or lack a line: the checker says something or nothing, and never falls over."""

import itertools
from pathlib import Path

import pytest

from infra.check import ROOT
from infra.checker.bicep import read
from infra.checker.rules import Outside, all_findings, bicep_files, file_findings

FILES = bicep_files(ROOT)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_any_line_may_be_missing(path: Path, tmp_path: Path, outside: Outside) -> None:
    """Every seventh, each in turn."""
    lines = path.read_text().splitlines()
    for position in range(0, len(lines), 7):
        broken = tmp_path / path.name
        broken.write_text("\n".join(lines[:position] + lines[position + 1 :]))
        file_findings(read(broken), outside)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_may_end_anywhere(path: Path, tmp_path: Path, outside: Outside) -> None:
    """In the middle of a declaration that is a finding, and no other rule is tried on it."""
    text = path.read_text()
    for end in itertools.chain(range(0, len(text), 211), [len(text) // 2]):
        broken = tmp_path / path.name
        broken.write_text(text[:end])
        file_findings(read(broken), outside)
    middle = tmp_path / path.name
    middle.write_text(text[: text.rindex("{") + 1])
    assert {finding.rule for finding in file_findings(read(middle), outside)} == {"syntax"}


@pytest.mark.parametrize("name", ["azure.yaml", "host.json", "infra/main.parameters.json", "infra/workbook.json"])
@pytest.mark.parametrize("content", ["", "[]", "{", '"text"', "null"])
def test_what_stands_around_may_be_anything(name: str, content: str, checkout: Path) -> None:
    """It is told as a finding of that file."""
    (checkout / name).write_text(content)
    findings = all_findings(checkout, Outside())
    assert checkout / name in {finding.file for finding in findings}
