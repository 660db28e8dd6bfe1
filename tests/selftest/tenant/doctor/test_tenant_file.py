"""Files that are none: a clear error that names the file and shows none of it, exit code 2, never a traceback."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selftest.base.bounded_file import FileError
from selftest.cli import main
from selftest.tenant.doctor.evidence.tenant_objects import LISTS
from selftest.tenant.doctor.sources import tenant_file
from selftest.tenant.doctor.sources.tenant_file import read_document, read_tenant
from tests.emulated_graph.healthy_tenant import healthy_tenant

BAD = {
    "empty": b"",
    "not JSON": b"hello eyJhbGciOi",
    "truncated": json.dumps(healthy_tenant()).encode()[:-40],
    "a list": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "none of the lists": b'{"value": []}',
    "not UTF-8": b'{"applications": "\xff"}',
    "a constant": b'{"applications": [NaN]}',
    "a long number": b'{"applications": [' + b"9" * 5000 + b"]}",
    "deep": b'{"applications":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "a list that is none": b'{"applications": {}}',
    "a list of texts": b'{"applications": ["x"]}',
    "a list of lists": b'{"servicePrincipals": [[]]}',
    "a number for an id": b'{"customAuthenticationExtensions": [{"id": 7}]}',
    "a text for a switch": b'{"servicePrincipals": [{"accountEnabled": "false"}]}',
    "true for a number": b'{"customAuthenticationExtensions": [{"clientConfiguration": {"maximumRetries": true}}]}',
    "a list for an object": b'{"customAuthenticationExtensions": [{"endpointConfiguration": []}]}',
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_bad_file_is_refused(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, one line on stderr that names the file, nothing on stdout."""
    file = tmp_path / "tenant.json"
    file.write_bytes(data)

    assert main(["doctor", "--file", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("doctor: ")
    assert str(file) in err
    assert "Traceback" not in err
    assert "eyJ" not in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("document", [{"value": []}, healthy_tenant()["applications"][0], [], {"x": 1}])
def test_other_documents_say_how_the_file_is_made(document: Any, tmp_path: Path) -> None:
    """A collection or an object of Graph's own answers: what to add by hand, and the command that does it."""
    file = tmp_path / "answer.json"
    file.write_text(json.dumps(document))

    with pytest.raises(FileError, match="`doctor --tenant TENANT --credential browser --export FILE`") as caught:
        read_document(file)
    by_hand = isinstance(document, dict) and "x" not in document
    assert ("each service principal with its appRoleAssignments" in str(caught.value)) is by_hand


@pytest.mark.parametrize("path", ["absent.json", ".", "nul\0.json"])
def test_file_that_is_not_there(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No such file, a directory, and a name that no file can have."""
    assert main(["doctor", "--file", str(tmp_path / path)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is bounded before anything is parsed."""
    monkeypatch.setattr(tenant_file, "MAX_BYTES", 1000)
    file = tmp_path / "tenant.json"
    file.write_bytes(b" " * 1001)

    with pytest.raises(FileError, match="more than 1000 bytes"):
        read_document(file)


def test_error_names_the_member(tmp_path: Path) -> None:
    """The path of the member and both types, not its value."""
    document = healthy_tenant()
    document["servicePrincipals"][1]["accountEnabled"] = "secret"

    with pytest.raises(FileError, match=r"servicePrincipals\[1\].accountEnabled: expected `bool`, got `str`"):
        read_tenant(tmp_path, document)


def test_missing_members_are_tolerated(tmp_path: Path) -> None:
    """Graph leaves members out: objects without any are still objects."""
    tenant = read_tenant(tmp_path, {name: [{}] for name in LISTS})

    assert tenant.unread == {}
    assert tenant.extensions is not None


_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
_NAMES = st.sampled_from(
    [
        "id",
        "appId",
        "@odata.type",
        "api",
        "handler",
        "conditions",
        "clientConfiguration",
        "definition",
        "identifierUris",
    ]
) | st.text(max_size=4)
_JSON = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(document=st.dictionaries(st.sampled_from([*LISTS, "organization"]), _JSON | st.lists(_JSON, max_size=2)))
def test_any_json_is_examined_or_refused(
    document: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever JSON a file holds, the doctor ends with one of its exit codes and no statement breaks."""
    file = tmp_path / "tenant.json"
    file.write_text(json.dumps(document))

    code = main(["doctor", "--file", str(file), "--json"])
    out, err = capsys.readouterr()
    assert code in {0, 1, 2, 3}
    assert (code == 2) == bool(err)
    assert "itself raised" not in out


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_member_replaced_is_examined_or_refused(
    data: st.DataObject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One member anywhere in a healthy tenant replaced by any JSON: an answer, and no statement breaks."""
    document = healthy_tenant()
    spots = list(_spots(document))
    holder, key = data.draw(st.sampled_from(spots))
    holder[key] = data.draw(_JSON)
    file = tmp_path / "tenant.json"
    file.write_text(json.dumps(document))

    code = main(["doctor", "--file", str(file), "--json"])
    out, err = capsys.readouterr()
    assert code in {0, 1, 2, 3}
    assert (code == 2) == bool(err)
    assert "itself raised" not in out


def _spots(value: Any) -> Any:
    """Name every place in a document that a value could be put in."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _spots(inner)
