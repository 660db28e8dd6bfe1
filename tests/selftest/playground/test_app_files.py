"""What counts as a change of the app, and what does not."""

import importlib.util
import os
from pathlib import Path

from selftest.playground.app_files import fingerprint, forget_compiled, provider_source, providers


def test_a_change_of_content_is_one_and_a_touch_is_none(app_dir: Path) -> None:
    """Edited, added and removed files are named; a new time alone is nothing."""
    before = fingerprint(app_dir)
    os.utime(app_dir / "function_app.py", (1, 1))
    assert fingerprint(app_dir).changed_since(before) == ()
    (app_dir / "claims" / "providers" / "mine.py").write_text("x = 1\n")
    (app_dir / "function_app.py").write_text("")
    (app_dir / "host.json").unlink()
    wanted = ("claims/providers/mine.py", "function_app.py", "host.json")
    assert fingerprint(app_dir).changed_since(before) == wanted


def test_what_is_not_the_app_is_not_looked_at(app_dir: Path) -> None:
    """An environment or a test in the app's directory does not restart it."""
    before = fingerprint(app_dir)
    for name in (".venv/lib/x.py", "tests/test_x.py", "claims/__pycache__/x.py", "README.md"):
        path = app_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
    assert fingerprint(app_dir).changed_since(before) == ()


def test_compiled_code_of_changed_files_is_thrown_away(app_dir: Path) -> None:
    """Of these files and no others; one that was never compiled is no error."""
    compiled = [Path(importlib.util.cache_from_source(str(app_dir / "claims" / name))) for name in ("a.py", "b.py")]
    compiled[0].parent.mkdir(exist_ok=True)
    for path in compiled:
        path.write_bytes(b"")
    forget_compiled(app_dir, ("claims/a.py", "claims/never.py", "host.json"))
    assert [path.exists() for path in compiled] == [False, True]


def test_providers_are_the_modules_of_their_package(app_dir: Path) -> None:
    """Those that are there, without the package itself; the text of one is shown, or why it cannot be."""
    (app_dir / "claims" / "providers" / "mine.py").write_text("# mine\n")
    assert providers(app_dir) == ("graph", "mine", "profile_api", "sample", "table")
    assert provider_source(app_dir, "mine") == "# mine\n"
    assert provider_source(app_dir, "yours") == "(No such file or directory)"
    assert providers(app_dir / "nowhere") == ()
