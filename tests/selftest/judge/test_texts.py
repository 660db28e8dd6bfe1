"""Texts in TOML: a table is an id or a group, groups have defaults, and placeholders are filled."""

from pathlib import Path

import pytest

from selftest.judge.texts import filled, read_texts

GROUPS = """
level = "all"
fix = "all"
[T01]
fix = "own"
[group]
fix = "group"
[group.T02]
[group.inner]
why = "inner"
[group.inner.AADSTS50146]
why = "own"
[group.inner.1003005.reply]
status = 1
"""


def test_a_table_has_the_defaults_of_the_groups_around_it(tmp_path: Path) -> None:
    """The innermost value counts, and a table inside an id's belongs to the id."""
    (tmp_path / "first.toml").write_text(GROUPS)
    assert read_texts(tmp_path) == {
        "T01": {"level": "all", "fix": "own"},
        "T02": {"level": "all", "fix": "group"},
        "AADSTS50146": {"level": "all", "fix": "group", "why": "own"},
        "1003005": {"level": "all", "fix": "group", "why": "inner", "reply": {"status": 1}},
    }


def test_all_files_of_all_folders_are_read(tmp_path: Path) -> None:
    """A folder stands for everything below it."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.toml").write_text("[T01]\n")
    (tmp_path / "two.toml").write_text("[T02]\n")
    (tmp_path / "three.txt").write_text("[T03]\n")
    assert read_texts(tmp_path).keys() == {"T01", "T02"}


@pytest.mark.parametrize("second", ["two.toml", "one.toml"])
def test_an_id_that_occurs_twice_is_refused(tmp_path: Path, second: str) -> None:
    """In one file or in two; the message names the file and the id."""
    (tmp_path / "one.toml").write_text("[T01]\n")
    with (tmp_path / second).open("a") as file:
        file.write("[group.T01]\n")
    with pytest.raises(ValueError, match=rf"{second} repeats the id T01"):
        read_texts(tmp_path)


def test_placeholders_are_filled_in_what_fills_them() -> None:
    """Braces around anything but a name stay."""
    members = {"what": "{a} and {n_2}", "a": "one", "n_2": 2}
    assert filled('Sends {what}: {"a": {}} {…}', members) == 'Sends one and 2: {"a": {}} {…}'


def test_an_unknown_placeholder_is_refused() -> None:
    """Nothing is left in braces silently."""
    with pytest.raises(KeyError, match="what"):
        filled("{what}", {})
