"""The tenant's keys from run to run."""

import json
import stat
from pathlib import Path

import pytest

from selftest.entra import key_store
from selftest.entra.key_store import KEYS_FILE, NEXT, SPARE, TENANT, KeyStore
from selftest.entra.state_folder import state_folder

_NAMES = (TENANT, SPARE, NEXT)


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Use a folder for each test, and small keys, which are made at once."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    small = {name: (lambda: key_store._new_rsa(1024)) for name in (*_NAMES, *key_store.ODD_RSA)}
    monkeypatch.setattr(key_store, "_MAKERS", {**key_store._MAKERS, **small})


def _kids(store: KeyStore) -> list[str]:
    return [store.rsa(name).kid for name in _NAMES]


def test_the_second_run_has_the_keys_of_the_first() -> None:
    """Key ids and keys are the same, and so are those of the odd entries."""
    first, second = KeyStore.open(), KeyStore.open()
    assert _kids(first) == _kids(second)
    assert first.secret(key_store.ODD_SECRET) == second.secret(key_store.ODD_SECRET)
    assert first.ec(key_store.ODD_EC).private_numbers() == second.ec(key_store.ODD_EC).private_numbers()
    assert not second.replaced


def test_only_the_owner_reads_the_file() -> None:
    """Folder and file are private."""
    KeyStore.open()
    assert stat.S_IMODE((state_folder() / KEYS_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(state_folder().stat().st_mode) == 0o700
    assert [path.name for path in state_folder().iterdir()] == [KEYS_FILE]


def test_new_keys_replace_all() -> None:
    """--new-keys makes others, which the next run has, too."""
    first = KeyStore.open()
    second = KeyStore.open(new=True)
    assert second.replaced
    assert not set(_kids(first)) & set(_kids(second))
    assert _kids(KeyStore.open()) == _kids(second)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"tenant": 7}', '{"tenant": "x"}', '{"oct": "xy"}', "\0\0", '{"a":' * 9999]
)
def test_a_damaged_file_is_said_and_replaced(text: str) -> None:
    """The message names the file and what to do; the next run reads the new keys without one."""
    KeyStore.open()
    (state_folder() / KEYS_FILE).write_text(text)
    said: list[str] = []
    store = KeyStore.open(say=said.append)
    assert store.replaced
    (words,) = said
    assert KEYS_FILE in words
    assert "restart" in words
    assert _kids(KeyStore.open(say=pytest.fail)) == _kids(store)


def test_the_file_of_an_older_version_is_completed() -> None:
    """A name that it lacks is added, and the keys that it has stay."""
    first = KeyStore.open()
    path = state_folder() / KEYS_FILE
    texts = json.loads(path.read_text())
    del texts[NEXT]
    path.write_text(json.dumps(texts))
    second = KeyStore.open(say=pytest.fail)
    assert _kids(second)[:2] == _kids(first)[:2]
    assert NEXT in json.loads(path.read_text())


def test_of_two_first_runs_one_makes_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was slower takes the keys of the faster one."""
    faster: list[KeyStore] = []
    complete = KeyStore._complete

    def overtaken(store: KeyStore) -> None:
        complete(store)
        if not faster:
            faster.append(store)
            faster.append(KeyStore.open())

    monkeypatch.setattr(KeyStore, "_complete", overtaken)
    assert _kids(KeyStore.open()) == _kids(faster[1])


def test_a_folder_that_cannot_be_written_leaves_the_keys_in_memory(tmp_path: Path) -> None:
    """A run without a place for files runs all the same, and says what that means."""
    (tmp_path / "entra-selftest").write_text("a file")
    said: list[str] = []
    store = KeyStore.open(say=said.append)
    assert "for this run alone" in said[0]
    store.next_rollover()
    assert len(set(_kids(store))) == 3


def test_a_rollover_makes_its_key_the_next_spare_one() -> None:
    """An endpoint that took part knows the spare key of the next run, and not the one after."""
    first = KeyStore.open()
    tenant, spare, following = _kids(first)
    first.next_rollover()
    second = KeyStore.open()
    assert _kids(first) == _kids(second)
    assert _kids(second)[:2] == [tenant, following]
    assert _kids(second)[2] not in {tenant, spare, following}


def test_keys_of_one_process_do_not_roll() -> None:
    """They meet no endpoint twice, and many emulated tenants of the process share them."""
    store = KeyStore()
    kids = _kids(store)
    store.next_rollover()
    assert _kids(store) == kids
