"""The meaning of every code in Entra's sign-in log for a token issuance event, and its fix.

This is the documented table 1003000 to 1003027, and the codes that a user, an app or an administrator sees instead. The
documentation has one line and no phase for each code. The phase, the order of the causes and the ways to confirm one
are ours, from the contract and from reports. Where sources disagree, ``conflict`` states both sides.

`explain`, `signin-log` and the page of codes use this one table. Its files are the phases in which Entra gives up.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from selftest.judge.codes.entry import Code, CodePhase, ObjectPair, ReplyPair, ReplySample
from selftest.judge.codes.table import read_codes

__all__ = ["CODES", "Code", "CodePhase", "ObjectPair", "ReplyPair", "ReplySample", "code_in_log"]

#: Every code by its number, or by its text if it has letters; in the order of the page.
CODES: Final[Mapping[int | str, Code]] = MappingProxyType({entry.code: entry for entry in read_codes()})


def code_in_log(number: int) -> Code | None:
    """Return the entry for a number in a sign-in log: a code of the event, or the digits of an AADSTS code."""
    return CODES.get(number) or CODES.get(f"AADSTS{number}")
