"""Values of the command line: which are accepted, and what a refusal says."""

import argparse

import pytest

from selftest.base.flag_values import guid_value, port_number, tenant_value, timeout_in_ms, whole_number


@pytest.mark.parametrize("text", ["-1", "65536", "x", "", "\u0668\u0664", "1.0", " 1", "9" * 5000])
def test_other_texts_are_not_ports(text: str) -> None:
    """Only 0 to 65535 in ASCII digits is a port, and the message stays short."""
    with pytest.raises(argparse.ArgumentTypeError, match="expected a port from 0 to 65535, got") as caught:
        port_number(text)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("8400", 8400), ("65535", 65_535), ("00001", 1)])
def test_ports(text: str, value: int) -> None:
    """Both bounds are included."""
    assert port_number(text) == value


@pytest.mark.parametrize("text", ["199", "2001"])
def test_a_message_names_the_unit(text: str) -> None:
    """A timeout outside Entra's limits is refused with the limits."""
    assert timeout_in_ms("200") == 200
    with pytest.raises(argparse.ArgumentTypeError, match="expected milliseconds from 200 to 2000"):
        timeout_in_ms(text)


def test_a_number_without_a_kind() -> None:
    """The message of a plain number says so."""
    with pytest.raises(argparse.ArgumentTypeError, match="expected a whole number from 1 to 3, got '4'"):
        whole_number(1, 3)("4")


def test_a_guid() -> None:
    """A GUID is returned in lower case; a name is refused with an example."""
    assert guid_value("ABCDEFAB-0000-4000-8000-000000000000") == "abcdefab-0000-4000-8000-000000000000"
    with pytest.raises(argparse.ArgumentTypeError, match="expected a GUID such as"):
        guid_value("contoso.example")


def test_a_tenant() -> None:
    """An id or a domain, in lower case; anything else is refused, and the message says where the id is."""
    assert tenant_value("ABCDEFAB-0000-4000-8000-000000000000") == "abcdefab-0000-4000-8000-000000000000"
    assert tenant_value(" Contoso.onmicrosoft.com") == "contoso.onmicrosoft.com"
    for text in ("contoso", "00000000-0000-0000-0000-000000000000", "a..b", "https://contoso.com", "contoso.com/x", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="Overview > Tenant ID"):
            tenant_value(text)
