"""A difference is a wanted member with another value."""

import pytest

from selftest.tenant.objects.steps.difference import differences


@pytest.mark.parametrize(
    ("wanted", "found", "lines"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, ["a.b: 2 -> 1"]),
        ({"a": {"b": 1}}, {"a": None}, ["a.b: 1"]),
        ({"a": 1}, {}, ["a: null -> 1"]),
        ({"a": 1}, None, ["a: 1"]),
        ({"a": True}, {"a": 1}, ["a: 1 -> true"]),
        ({"a": None}, {"a": True}, ["a: true -> null"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, []),
        ({"a": [{"x": 1, "y": 2}]}, {"a": [{"y": 2, "x": 1}]}, []),
        ({"a": [1]}, {"a": [1, 1]}, ["a: - 1"]),
        ({"a": [1]}, {"a": None}, ["a: + 1"]),
        ({"a": ["x", "z"]}, {"a": ["x", "y"]}, ['a: - "y"', 'a: + "z"']),
        ({"a": [{"x": 1}]}, None, ['a: + {"x": 1}']),
        ({"@odata.type": "x"}, {}, []),
        ({"a": "x@example.com"}, {"a": ""}, ['a: "" -> "(a name)"']),
    ],
)
def test_lines(wanted: dict[str, object], found: dict[str, object] | None, lines: list[str]) -> None:
    """Other members than the wanted ones, the order of lists and OData's members do not count."""
    assert list(differences(wanted, found)) == lines
