"""The commands of the pages: each exists, with these flags.

What they print is held elsewhere (troubleshooting, samples, starter); what needs Azure is not run by any test.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from selftest.base.bounded_file import FileError
from selftest.base.program import DISTRIBUTION
from selftest.cli import COMMANDS, parser
from tests.checkout import ROOT
from tests.compatibility.promised import promised
from tests.test_docs import PAGES

#: Programs of others, with why no test runs the line.
FOREIGN: Final = {
    "az": "needs Azure",
    "azd": "needs Azure",
    "func": "needs Azure Functions Core Tools, which run the same app as `host`",
    "curl": "needs a deployed endpoint",
}
_BLOCK: Final = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_OURS: Final = re.compile(rf"^(?:\S*/)?(?:{DISTRIBUTION}|python -m [\w.]+|make)(?= |$)")
_GUID: Final = "11111111-1111-4111-8111-111111111111"
#: What a placeholder stands for, most special first.
_STANDS_FOR: Final = (
    (r"\$\w*HOST\b", "claims.sample.example"),
    (r"https://HOST|(?<=--url )…|\bURL\b", "https://claims.sample.example"),
    (r"\$\(.*?\)|\$AZURE_ENV_NAME", "test"),
    (r"<[a-z][^<>]*>|\$\w+|\bAPP_?ID\b|\bTENANT\b", _GUID),
    (r"\.\.\.|…", "x"),
)


def blocks(text: str) -> Iterator[str]:
    """Return each line of the blocks that a reader types, without its prompt; a folded line is one."""
    for _, block in _BLOCK.findall(text):
        lines = [line.strip() for line in block.replace("\\\n", " ").splitlines()]
        prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        yield from prompted or (line for line in lines if _OURS.match(line))


def parts(line: str) -> Iterator[list[str]]:
    """Return the commands of a line that has several, as words, with something in place of each placeholder."""
    for placeholder, value in _STANDS_FOR:
        line = re.sub(placeholder, value, line)
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    part: list[str] = []
    for word in words:
        if word.strip("|&;<>"):
            part.append(word)
            continue
        yield part
        if set(word) & set("<>"):
            return  # the rest is the name of a file
        part = []
    yield part


def targets() -> set[str]:
    """Return what `make` knows here, and in a copy."""
    files = (ROOT / "Makefile", ROOT / "selftest/starter/template/common/Makefile.tmpl")
    return {name for file in files for name in re.findall(r"^([a-z.][\w.-]*):", file.read_text(), re.MULTILINE)}


def problem(words: list[str]) -> str:
    """Return what is wrong with a command line, or nothing."""
    program = Path(words[0]).name
    if program == "make":
        named = words[3:] if words[1:2] == ["-C"] else words[1:]
        unknown = [word for word in named if "=" not in word and word not in targets()]
        return f"no target {unknown}" if unknown else ""
    module = words[2] if words[1:2] == ["-m"] else ""
    if program == DISTRIBUTION or module in {"selftest", "tests.local"}:
        try:
            parser().parse_args(words[3:] if module else words[1:])
        except FileError:
            return ""  # it would read a file of the reader's
        except SystemExit as ended:
            return "a usage error" if ended.code else ""
        return ""
    if module:
        path = ROOT / module.replace(".", "/")
        return "" if path.is_dir() or path.with_suffix(".py").is_file() else "no such module"
    return "" if program in FOREIGN else "a program that FOREIGN does not name"


TYPED = sorted({(page.name, line) for page in PAGES for line in blocks(page.read_text())})


@pytest.mark.parametrize(("page", "line"), TYPED)
def test_command_line_is_taken(page: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Command, flags and values: nothing that the reader is told to run is a usage error."""
    for words in parts(line):
        assert not problem(words), f"{page}: {words}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_command_in_a_sentence_exists(page: Path) -> None:
    """A sentence may leave out what the command requires; what it names is there. The changelog names what was."""
    known = set(promised()["commands and flags"])
    for span in _INLINE.findall(_BLOCK.sub("", page.read_text())):
        words = re.sub(rf"^(?:\S*/)?(?:python -m selftest|{DISTRIBUTION}) ", "", " ".join(span.split())).split()
        if words[0] == "make":
            assert not problem(words[:2]), span
        if words[0] in COMMANDS:
            command = " ".join(words[: 2 if words[0] == "objects" else 1])
            flags = [word.partition("=")[0] for word in words if word.startswith("--")]
            assert not [flag for flag in flags if f"{command} {flag}" not in known], span


@pytest.mark.parametrize(
    "line",
    [
        "make selftst",
        "entra-selftest nothing",
        "python -m selftest check --ulr x",
        "python -m tests.nothing",
        "ls | wc",
    ],
)
def test_wrong_command_is_found(line: str) -> None:
    """A target, a command, a flag, a module, and a program that nobody thought about."""
    assert any(problem(words) for words in parts(line))
