"""Parsers of command-line values, for ``type=`` of `argparse`: whole numbers, GUIDs and tenants."""

import argparse
import re
from collections.abc import Callable
from typing import Final

from selftest.base.sample_tenant import guid
from selftest.contract import MAX_TIMEOUT_MS, MIN_TIMEOUT_MS, is_guid

_SHOWN_CHARACTERS: Final = 40
_DOMAIN: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}\.)+[a-z][a-z0-9-]{1,62}")


def whole_number(low: int, high: int, what: str = "a whole number") -> Callable[[str], int]:
    """Return a parser of whole numbers between two bounds, both included."""

    def parse(text: str) -> int:
        # The length is checked first: Python refuses to read integers of thousands of digits.
        if text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"expected {what} from {low} to {high}, got {text[:_SHOWN_CHARACTERS]!r}")

    return parse


#: A TCP port; 0 takes any free one.
port_number: Final = whole_number(0, 65_535, "a port")
#: Entra's timeout for one attempt.
timeout_in_ms: Final = whole_number(MIN_TIMEOUT_MS, MAX_TIMEOUT_MS, "milliseconds")


def seconds(text: str) -> float:
    """Return a number of seconds: ``60s``, ``60`` or ``2m``.

    Raises:
        argparse.ArgumentTypeError: The text is not one, or more than an hour.
    """
    digits, factor = (text[:-1], 60) if text.endswith("m") else (text.removesuffix("s"), 1)
    return float(whole_number(0, 3600 // factor, "seconds (60s, 2m)")(digits) * factor)


def guid_value(text: str) -> str:
    """Return a GUID in lower case.

    Raises:
        argparse.ArgumentTypeError: The text is not a GUID, or is the zero GUID.
    """
    try:
        return guid(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def tenant_value(text: str) -> str:
    """Return a tenant's id or one of its domains, in lower case.

    Raises:
        argparse.ArgumentTypeError: The text is neither.
    """
    lowered = text.strip().lower()
    if is_guid(lowered) or _DOMAIN.fullmatch(lowered):
        return lowered
    raise argparse.ArgumentTypeError(
        "expected the tenant's id, which is a GUID (Entra > Overview > Tenant ID), or a domain of it such as "
        f"contoso.onmicrosoft.com, got {text[:_SHOWN_CHARACTERS]!r}"
    )
