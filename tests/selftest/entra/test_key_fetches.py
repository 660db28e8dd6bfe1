"""What is remembered of the endpoints' requests for keys."""

from pathlib import Path

import pytest

from selftest.entra.key_fetches import KeyFetches
from selftest.entra.state_folder import state_folder

AUTHORITY = "http://127.0.0.1:8400/t"
URL = "http://127.0.0.1:7071/api/x?code=secret"


class _Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def _kept(clock: _Clock) -> KeyFetches:
    return KeyFetches(state_folder() / "fetches.json", clock)


def test_only_what_follows_the_first_accepted_call_is_forced() -> None:
    """The first request for keys is the start of the endpoint."""
    clock = _Clock()
    fetches = _kept(clock)
    fetches.note(AUTHORITY)
    assert fetches.forced_age_s(URL) is None
    fetches.expect_forced(URL)
    assert fetches.forced_age_s(URL) is None
    fetches.note(AUTHORITY)
    clock.now_s += 7
    assert fetches.forced_age_s(URL) == fetches.read_age_s(AUTHORITY) == 7


def test_the_next_run_knows_it() -> None:
    """The record is kept by endpoint, and without the query, which may have a key."""
    clock = _Clock()
    first = _kept(clock)
    first.expect_forced(URL)
    first.note(AUTHORITY)
    clock.now_s += 60
    assert _kept(clock).forced_age_s(URL.partition("?")[0]) == 60
    assert _kept(clock).forced_age_s("http://127.0.0.1:7072/api/x") is None
    assert "secret" not in (state_folder() / "fetches.json").read_text()


def test_a_month_later_it_is_forgotten() -> None:
    """The file does not grow for ever."""
    clock = _Clock()
    _kept(clock).note(AUTHORITY)
    clock.now_s += 31 * 86_400
    _kept(clock).note("http://127.0.0.1:8401/t")
    assert _kept(clock).read_age_s(AUTHORITY) is None


@pytest.mark.parametrize("text", ["", "[]", '{"http://127.0.0.1:8400/t": "x"}'])
def test_a_damaged_file_knows_nothing(text: str) -> None:
    """It is replaced at the next request."""
    clock = _Clock()
    fetches = _kept(clock)
    state_folder().mkdir()
    (state_folder() / "fetches.json").write_text(text)
    assert fetches.read_age_s(AUTHORITY) is None
    fetches.note(AUTHORITY)
    assert _kept(clock).read_age_s(AUTHORITY) == 0


def test_without_a_file_it_is_remembered_here() -> None:
    """A run that starts the app itself leaves nothing behind."""
    fetches = KeyFetches(clock=_Clock())
    fetches.note(AUTHORITY)
    assert fetches.read_age_s(AUTHORITY) == 0
    assert not state_folder().exists()
