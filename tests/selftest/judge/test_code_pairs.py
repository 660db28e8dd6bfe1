"""The objects that the codes before the call are shown with: good in a healthy tenant, bad enough for the doctor."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from selftest.cli import main
from selftest.judge.codes import CODES, Code, ObjectPair
from tests.emulated_graph.healthy_tenant import healthy_tenant
from tests.test_troubleshooting import COMMANDS

ENTRIES = [entry for entry in CODES.values() if isinstance(entry.pair, ObjectPair)]


def found_in(tenant: dict[str, Any], pair: ObjectPair) -> dict[str, Any]:
    """Find the object that a pair is about."""
    (found,) = [each for each in tenant[pair.kind] if pair.id in {each.get("appId"), each.get("id")}]
    return dict(found)


def holds(value: Any, wanted: Any) -> bool:
    """Say whether a value has at least what is wanted of it."""
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(holds(value.get(name), part) for name, part in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(holds, value, wanted))
    return bool(value == wanted)


def changed(value: dict[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
    """Put members into an object; those that are objects themselves are changed within."""
    return value | {
        name: changed(value[name], part) if isinstance(part, Mapping) else part for name, part in members.items()
    }


def broken_tenant(pair: ObjectPair) -> dict[str, Any]:
    """Give a healthy tenant with the bad side of one pair in it."""
    tenant = healthy_tenant()
    whole = found_in(tenant, pair)
    rest = [each for each in tenant[pair.kind] if each != whole]
    tenant[pair.kind] = rest if pair.bad is None else [*rest, changed(whole, pair.bad)]
    return tenant


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry.code))
def test_good_members_are_those_of_a_healthy_tenant(entry: Code) -> None:
    """What is shown as right is right in a tenant that works, and the wrong side is not there."""
    assert isinstance(entry.pair, ObjectPair)
    whole = found_in(healthy_tenant(), entry.pair)

    assert holds(whole, entry.pair.good)
    assert entry.pair.bad is None or not holds(whole, entry.pair.bad)


@pytest.mark.skipif("doctor" not in COMMANDS, reason="there is no doctor yet")
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry.code))
def test_doctor_names_exactly_this_code(
    entry: Code, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrong side, planted in a healthy tenant, is the one thing that is found."""
    assert isinstance(entry.pair, ObjectPair)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tenant.json").write_text(json.dumps(broken_tenant(entry.pair)))

    assert main(["doctor", "--file", "tenant.json", "--json"]) == 1
    assert [finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]] == [entry.code]
