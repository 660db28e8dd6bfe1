"""The page on architecture shows the code as it is."""

import re

from tests.architecture import PAGE, ROOT, pictures


def test_pictures_show_the_imports() -> None:
    """Each arrow is an import, and no import is missing: ``make docs`` draws them."""
    assert PAGE.read_text() == pictures(PAGE.read_text())
    assert PAGE.read_text().count("-->") > 40


def test_every_room_of_the_harness_is_explained() -> None:
    """The table has each folder, and no other."""
    explained = set(re.findall(r"^\| `(\w+)/` \|", PAGE.read_text(), re.MULTILINE))
    assert explained == {path.parent.name for path in (ROOT / "selftest").glob("*/__init__.py")}


def test_files_named_on_the_page_exist() -> None:
    """What a reader looks for is there."""
    for name in re.findall(r"`((?:infra|claims|wire|token|providers)/\w[\w/.]*)`", PAGE.read_text()):
        where = ROOT / name if (ROOT / name).exists() else ROOT / "claims" / name
        assert where.exists() or where.with_suffix(".py").exists(), name
