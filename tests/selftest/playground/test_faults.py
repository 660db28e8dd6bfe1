"""The faults that can be chosen: every known one, once."""

from selftest.downstream.faults import FAULTS
from selftest.judge.codes import CODES
from selftest.playground.faults import FAULT_OPTIONS, NONE, grouped


def test_every_fault_and_every_code_can_be_chosen() -> None:
    """No entry of the two tables is missing or repeated."""
    assert {known.downstream.name for known in FAULT_OPTIONS.values() if known.downstream is not None} == set(FAULTS)
    codes = [known.code for known in FAULT_OPTIONS.values() if known.code is not None]
    assert sorted(codes) == sorted(code for code in CODES if isinstance(code, int))


def test_a_code_of_a_reply_comes_from_a_reply() -> None:
    """Every code that arises during the call comes from a real reply; only the others are preset."""
    for known in FAULT_OPTIONS.values():
        if known.code is not None:
            during = CODES[known.code].phase == "during the call"
            assert known.kind == ("reply" if during else "preset"), known
            assert (known.sample is not None) == during


def test_no_fault_comes_first_and_has_no_heading() -> None:
    """The default is a sign-in without a fault."""
    headings = [heading for heading, _ in grouped()]
    assert headings[0] == ""
    assert [known.id for known in grouped()[0][1]] == [NONE]
    assert len(headings) == len(set(headings)) == 4
