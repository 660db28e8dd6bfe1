"""A checkout has the tool under the name that it has where it is installed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_name_of_the_tool_works_from_any_folder(tmp_path: Path) -> None:
    """`make .venv` writes it; it runs this checkout, and the commands that it prints have its name."""
    command = Path(sys.prefix) / "bin" / "entra-selftest"
    words = [str(command), "explain", "1003005"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S603 (our own)
    assert "entra-selftest signin-log" in done.stdout
    assert f'sys.path.insert(0, "{ROOT}")' in command.read_text()
