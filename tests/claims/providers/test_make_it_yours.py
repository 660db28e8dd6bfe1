"""The page on writing a provider names what the tool writes and takes; tests/test_samples.py runs its provider."""

import json
import re
from pathlib import Path

from selftest.cli import parser
from selftest.judge.claims_file import add_to_claims_file
from selftest.judge.mapping import MappingPolicy
from selftest.judge.mapping_warnings import mapping_warnings
from tests.checkout import ROOT

PAGE = (ROOT / "docs" / "make-it-yours.md").read_text()


def test_claims_of_the_page_are_those_of_its_provider(tmp_path: Path) -> None:
    """The claims file, the warning and the commands about the way into a token are what the tool writes and takes."""
    file = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert file is not None
    add_to_claims_file(tmp_path / "claims.json", ["Region", "Guest"])
    assert json.loads(file[1]) == json.loads((tmp_path / "claims.json").read_text())
    (warning, *_) = mapping_warnings({"Region": "eu"}, MappingPolicy(entries=()), "jwt")
    assert f"warning  {warning.message}" in PAGE.splitlines()
    section = PAGE.partition("## Get the claims into a token")[2].partition("\n## ")[0]
    for line in re.findall(
        r"^python -m selftest (.+)$", section.replace("claims.json", str(tmp_path / "claims.json")), re.MULTILINE
    ):
        parser().parse_args(re.sub(r"<[^>]+>", "11111111-1111-4111-8111-111111111111", line).split())
