"""Waivers: what they do to a result, and a clear answer to every bad file."""

import datetime as dt
from pathlib import Path

import pytest

from selftest.base.cannot_run import CannotRun
from selftest.checks.waivers import MAX_FILE_BYTES, Waiver, read_waivers
from tests.selftest.report.sample import check

LAST_DAY = dt.date(2027, 3, 31)
KNOWN = Waiver(check="T96", reason="ticket 4711", until=LAST_DAY)
FILE = '[[waiver]]\ncheck = "T96"\nreason = "ticket 4711"\nuntil = 2027-03-31\n'


@pytest.mark.parametrize("status", ["fail", "error"])
def test_a_failure_is_waived_until_the_end_of_its_day(status: str) -> None:
    """It is no longer bad, and it says why and until when."""
    result = KNOWN.applied_to(check("T96", status), LAST_DAY)  # type: ignore[arg-type] # a status
    assert (result.status, result.bad, result.waiver) == (status, False, "ticket 4711 (until 2027-03-31)")


def test_a_waiver_that_ended_counts_for_nothing() -> None:
    """The failure counts again and names the waiver."""
    result = KNOWN.applied_to(check("T96", "fail"), LAST_DAY + dt.timedelta(days=1))
    assert (result.bad, result.waiver) == (True, None)
    assert result.actual == "HTTP 200 (its waiver ended on 2027-03-31: ticket 4711)"


@pytest.mark.parametrize("status", ["pass", "skip"])
def test_what_did_not_fail_is_left_alone(status: str) -> None:
    """A waiver hides no pass and no skip."""
    result = check("T96", status)  # type: ignore[arg-type] # a status
    assert KNOWN.applied_to(result, LAST_DAY) == result


def test_a_file_is_read(tmp_path: Path) -> None:
    """By the id of the check; an empty file waives nothing."""
    path = tmp_path / "waivers.toml"
    path.write_text(FILE)
    assert read_waivers(path) == {"T96": KNOWN}
    path.write_bytes(FILE.encode("utf-16"))
    assert read_waivers(path) == {"T96": KNOWN}
    path.write_text("")
    assert read_waivers(path) == {}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (FILE.replace("T96", "T999").encode(), "waives 'T999', which is no check; `check --list` lists all"),
        ((FILE + FILE).encode(), "waives one check twice"),
        (b"[[waiver", "is no waiver file: "),
        (b"\xff", "is no waiver file: "),
        (FILE.replace('reason = "ticket 4711"\n', "").encode(), "missing required field `reason`"),
        (FILE.replace("2027-03-31", '"soon"').encode(), r"Invalid RFC3339"),
        ((FILE + "also = 1\n").encode(), "check, reason and until"),
        (b"#" * (MAX_FILE_BYTES + 1), f"has more than {MAX_FILE_BYTES} bytes"),
    ],
)
def test_a_bad_file_is_refused_with_its_fault(tmp_path: Path, data: bytes, message: str) -> None:
    """The message names the file and what is wrong with it."""
    path = tmp_path / "waivers.toml"
    path.write_bytes(data)
    with pytest.raises(CannotRun, match=message) as raised:
        read_waivers(path)
    assert str(raised.value).startswith(str(path))


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """The system's reason is in the message."""
    with pytest.raises(CannotRun, match=r"missing\.toml is no waiver file: .*No such file"):
        read_waivers(tmp_path / "missing.toml")
