"""What a file costs grows with its size and no faster, whatever somebody wrote into it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from selftest.base.bounded_file import FileError
from selftest.tenant.signin_log.endpoint_log import read_log
from selftest.tenant.signin_log.event import read_events, shown_name
from selftest.tenant.signin_log.pairing import pair_up
from selftest.tenant.signin_log.read_text import read_text
from selftest.tenant.signin_log.report import make_report
from selftest.tenant.signin_log.report_forms import as_lines
from selftest.tenant.signin_log.tables import read_table
from tests.selftest.base.cost_ratio import cost_ratio
from tests.selftest.tenant.signin_log.exports import callout, correlation_id, signin

_LINE: Final = {"event": "onTokenIssuanceStart", "outcome": "audience", "status": 401, "total_ms": 1}


def _lines(size: int, detail: str) -> str:
    """Return the endpoint's lines for one sign-in, with this detail."""
    line = json.dumps(_LINE | {"correlationId": correlation_id(1), "detail": detail})
    return "\n".join([line] * (size // len(line)))


#: Logs of any size that are hard to read.
LOGS: Final[dict[str, Callable[[int], str]]] = {
    "lines": lambda size: _lines(size, "expected A"),
    "lines with tokens that end nowhere": lambda size: _lines(size, "eyJabcdefgh" * 300),
    "one line with a long token": lambda size: _lines(size, "eyJ" * (size // 3 - 60)),
    "one line with a long word": lambda size: _lines(size, "a" * (size - 200)),
    "one line of marks": lambda size: json.dumps(_LINE) + '{"event":"onTokenIssuanceStart","x":' * (size // 36),
    "objects on one line": lambda size: json.dumps(_LINE) * (size // 90),
    "a line of braces": lambda size: json.dumps(_LINE) + "\n" + "{ " * (size // 2),
    "lines of the host": lambda size: "Exception: AError: No module named 'x'\n0 functions loaded\n" * (size // 60),
    "numbers": lambda size: "0 functions loaded\n" + "1234 " * (size // 5),
    "names of exceptions": lambda size: "0 functions loaded\n" + "Exception: " + "aError." * (size // 7),
}
#: Sign-in logs.
EXPORTS: Final[dict[str, Callable[[int], str]]] = {
    "sign-ins": lambda size: json.dumps([signin(1, callout())] * (size // 1100)),
    "objects one after another": lambda size: json.dumps(signin(1, callout()), indent=1) * (size // 1300),
    "a name of spaces": lambda size: json.dumps([{"correlationId": "x", " " * size: 1}]),
    "a long name": lambda size: json.dumps([signin(1, callout(), appDisplayName="a" * size)]),
    "a name of colons": lambda size: json.dumps([signin(1, callout(), appDisplayName="a:" * (size // 2))]),
    "a long time": lambda size: json.dumps([signin(1, callout(at="1/2/2026 " + " " * size))]),
    "open brackets": lambda size: '{"a":' * (size // 5),
    "separators": lambda size: "correlationId," + "," * size,
    "many of another event": lambda size: json.dumps([signin(1, callout(code=1003003), event="a")] * (size // 1100)),
}


def read(log: str, export: str) -> None:
    """Read both sides and make the report, as the command does."""
    try:
        endpoint = read_log(log, "log")
        found = read_events(read_table(export, "export").rows, "export")
    except FileError:
        return
    report = make_report(pair_up(found.events, endpoint), limit=20, log=found, timeout_ms=2000)
    assert "".join(as_lines(report)).isprintable()


@pytest.mark.quiet
@pytest.mark.parametrize("name", LOGS)
def test_log_of_four_times_the_size_costs_at_most_five_times(name: str) -> None:
    """The endpoint's and the host's lines."""
    export = json.dumps([signin(1, callout(code=1003002, status=401))])

    def make(size: int) -> Callable[[], None]:
        log = LOGS[name](size)
        return lambda: read(log, export)

    assert cost_ratio(make) <= 5


@pytest.mark.quiet
@pytest.mark.parametrize("name", EXPORTS)
def test_export_of_four_times_the_size_costs_at_most_five_times(name: str) -> None:
    """Entra's side."""

    def make(size: int) -> Callable[[], None]:
        export = EXPORTS[name](size)
        return lambda: read(json.dumps(_LINE), export)

    assert cost_ratio(make) <= 5


def test_size_is_bounded(tmp_path: Path) -> None:
    """No more than the limit is read into memory."""
    path = tmp_path / "log"
    path.write_bytes(b" " * 2001)
    with pytest.raises(FileError, match="more than"):
        read_text(str(path), max_bytes=2000)


def test_long_name_is_cut_after_what_is_personal_is_gone() -> None:
    """A long word with an address in it leaves nothing of the address."""
    assert shown_name("x" * 100 + "@sample.example y") == "… y"
