"""`report FILE` on a file that somebody else wrote: a report or an error, and nothing in it is obeyed."""

import copy
import functools
import json
import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selftest.cli import main
from selftest.report.stored import dump
from tests.selftest.report.html.test_escaping import small

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.0, 1e308, 10**400, -(10**30), "", [], {}, [[]], {"a": 1}),
    *("\x1b]0;owned\x07", "\x9b2J", "\u202e", "\ud800", "<script>", "C99999999999999999999", "9" * 5000),
)


@functools.cache
def document() -> dict[str, Any]:
    """Return the results of a run with something in every section."""
    loaded: dict[str, Any] = json.loads(dump(small()))
    return loaded


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every member."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


@functools.cache
def sections() -> tuple[tuple[tuple[Any, ...], ...], ...]:
    """Return the paths by their names, so that a long list counts as one."""
    found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for path in places(document()):
        found.setdefault(tuple(0 if isinstance(key, int) else key for key in path), []).append(path)
    return tuple(map(tuple, found.values()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_member_replaced_is_reported_or_refused(
    data: st.DataObject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Terminal, page and JUnit; exit code 2 with one line for what are no results."""
    changed = copy.deepcopy(document())
    *holders, last = data.draw(st.sampled_from(data.draw(st.sampled_from(sections()))))
    holder: Any = functools.reduce(lambda value, key: value[key], holders, changed)
    holder[last] = data.draw(st.sampled_from(ODD))
    file, page, junit = (tmp_path / name for name in ("results.json", "page.html", "junit.xml"))
    file.write_text(json.dumps(changed))

    code = main(["report", str(file), "--html", str(page), "--junit", str(junit), "--verbose"])
    out, err = capsys.readouterr()
    assert code in {0, 1, 2, 3, 130}
    assert (code == 2) == bool(err)
    written = "" if code == 2 else page.read_text() + junit.read_text()
    assert all(character.isprintable() or character == "\n" for character in out + err + written)


@pytest.mark.parametrize(
    "path",
    [
        *(("duration_s",), ("load", "config", "duration_s")),
        *(("load", "points", 0, "latency_ms"), ("load", "steps", 0, "p99_ms")),
    ],
)
def test_largest_number_is_drawn(path: tuple[str | int, ...], tmp_path: Path) -> None:
    """An axis ends beyond it; a larger number is refused."""
    changed: Any = copy.deepcopy(document())
    *holders, last = path
    holder = functools.reduce(operator.getitem, holders, changed)
    assert isinstance(holder[last], int | float)
    file = tmp_path / "results.json"
    for number, codes in ((2.0**64, {0, 1, 3}), (2.0**65, {2}), (10**300, {2})):
        holder[last] = number
        file.write_text(json.dumps(changed))
        assert main(["report", str(file), "--html", str(tmp_path / "page.html")]) in codes


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" \n",
        b"\xff\xfe",
        b"null",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"schema_version": "2.0", "tool": ' + b'{"a":' * 900 + b"1" + b"}" * 901,
        b'{"schema_version": "\x1b[2J"}',
        b'{"schema_version": "\\u001b[2J"}',
        b"NaN",
        b"9" * 5000,
        b'{"schema_version": {"\\u202e": 1}}',
    ],
    ids=range(12),
)
def test_file_without_results_is_an_error(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names the file; an empty one is called empty."""
    file = tmp_path / "results.json"
    file.write_bytes(data)

    assert main(["report", str(file)]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith(f"report: {file}: ")
    assert err.rstrip("\n").isprintable()
    assert ("empty" in err) is (not data.strip())
