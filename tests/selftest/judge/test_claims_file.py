"""The claims file: names go in, names that somebody chose stay, and what is no such file is refused."""

import json
from pathlib import Path

import pytest

from selftest.base.bounded_file import FileError
from selftest.judge.claims_file import add_to_claims_file, read_claims_file


def test_names_are_added_and_nothing_is_lost(tmp_path: Path) -> None:
    """A second user's claims come in addition, and a chosen name in the token is kept."""
    file = tmp_path / "claims.json"
    said = add_to_claims_file(file, {"Region": "eu", "groups": ["a"]})
    assert said == f"claims in {file}: 2; new: 'Region', 'groups'"
    file.write_text(file.read_text().replace('"custom_groups"', '"teams"'))
    assert add_to_claims_file(file, ["Guest", "Region"]) == f"claims in {file}: 3; new: 'Guest'"
    assert add_to_claims_file(file, ["Guest"]) == f"claims in {file}: 3; new: none"

    assert read_claims_file(file) == {"Region": "Region", "groups": "teams", "Guest": "Guest"}
    assert "eu" not in file.read_text()


@pytest.mark.parametrize("name", ["a:b,c", 'https://claims.example/a "b"', "\x1b[31m", "\ud800", "ü"])
def test_claim_may_have_any_name(tmp_path: Path, name: str) -> None:
    """Names that --claims cannot hold are kept to the letter, and none reaches the terminal raw."""
    file = tmp_path / "claims.json"
    said = add_to_claims_file(file, [name])

    assert list(read_claims_file(file)) == [name]
    assert said.isprintable()


@pytest.mark.parametrize(
    ("content", "says"),
    [("x", "is not JSON"), ("[]", "should be"), ('{"a": 1}', "should be"), ("[" * 9999, "not JSON")],
)
def test_another_file_is_neither_read_nor_overwritten(tmp_path: Path, content: str, says: str) -> None:
    """A file of another kind is named, and stays as it is."""
    file = tmp_path / "claims.json"
    file.write_text(content)
    with pytest.raises(FileError, match=says):
        add_to_claims_file(file, ["a"])
    assert file.read_text() == content


def test_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A missing folder is an error with the path."""
    with pytest.raises(FileError, match=r"no/claims\.json cannot be written"):
        add_to_claims_file(tmp_path / "no" / "claims.json", ["a"])
    with pytest.raises(FileError, match="cannot be read"):
        read_claims_file(tmp_path)


def test_file_is_json(tmp_path: Path) -> None:
    """What is written is an object of texts, one a line."""
    add_to_claims_file(tmp_path / "c", ["a"])
    assert json.loads((tmp_path / "c").read_text()) == {"a": "a"}
