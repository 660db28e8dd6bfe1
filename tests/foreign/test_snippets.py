"""The endpoints that ``entra --for`` prints, saved and started as a reader would, and asked directly."""

import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from selftest.cli import main
from selftest.entra.server import EntraServer
from selftest.entra.snippets.snippet import SNIPPETS
from tests.foreign.direct import ask
from tests.foreign.programs import BENCH_PYTHON, CORRECT, FOLDER, Program
from tests.foreign.running import free_port, running

PYTHON = {"fastapi": BENCH_PYTHON, "pyjwt": Path(sys.executable)}


def _printed(library: str, port: int) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert main(("entra", "--port", str(port), "--for", library)) == 0
    return printed.getvalue()


def _saved(library: str, text: str, folder: Path) -> Program:
    """Save a snippet under the name that its first lines tell, where its packages are."""
    python = PYTHON.get(library)
    path = folder / ("endpoint.mjs" if python is None else "endpoint.py")
    assert re.match(rf".*\n\S+ {re.escape(path.name)}[:,] ", text)
    path.write_text(text)
    modules = FOLDER / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    return Program(
        id=library,
        title=library,
        command=(str(python or "node"), str(path)),
        needs="npm ci --prefix tests/foreign, and for FastAPI make .venv-bench",
        present=python.exists() if python else modules.is_dir(),
        by_default=(CORRECT,),
    )


@pytest.mark.parametrize("library", [snippet.library for snippet in SNIPPETS.values() if snippet.tested])
async def test_snippet_answers_entra_and_nobody_else(library: str, tmp_path: Path) -> None:
    """It needs no setting to trust the emulated tenant of this port."""
    port = free_port()
    program = _saved(library, _printed(library, port), tmp_path)
    if (reason := program.why_not(CORRECT)) is not None:
        pytest.skip(reason)
    async with EntraServer(port=port) as entra, running(program, CORRECT, authority=None, folder=tmp_path) as endpoint:
        answers = await ask(endpoint.url, entra)
    assert answers.code is None
    assert answers.claims == {"CorrelationId"}
    assert not answers.let_in
    assert answers.broken_body == 401


@pytest.mark.parametrize("library", SNIPPETS)
def test_first_line_says_whether_it_is_tested(library: str) -> None:
    """A program that no test runs says so, and names the caller and the tenant of this run all the same."""
    first, text = _printed(library, 8455).split("\n", 1)
    assert ("no test runs it" in first) == (not SNIPPETS[library].tested)
    assert "http://127.0.0.1:8455/11111111-1111-4111-8111-111111111111" in text
    assert "99045fe1-7639-4a75-9d4a-577b6ca3810f" in text
    assert "{{" not in text
